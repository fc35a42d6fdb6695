"""Readers of recipe files: one a format, all yielding recipes and the problems found. Floor 3."""

from recsys.recommender.sources.formats import read_source
from recsys.recommender.sources.records import Problem

__all__ = ["Problem", "read_source"]
