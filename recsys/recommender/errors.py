"""The errors of the recommender. Floor 3."""

from recsys.errors import RecsysError


class RecommenderError(RecsysError):
    """The recommender could not do what was asked."""


class UnreadableSource(RecommenderError):
    """The file cannot be read as recipes: not there, damaged, or of an unknown format."""


class InvalidSourceName(RecommenderError):
    """A source is named with 1-40 of a-z, 0-9 and -, a letter first."""

    def __init__(self, source: str) -> None:
        super().__init__(f"source {source!r} is no name for a source: use 1-40 of a-z, 0-9 and -, a letter first")


class InvalidField(RecommenderError):
    """A field of a recipe cannot be used. field: its name in the source; reason: what was found."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class EmbeddingUnavailable(RecommenderError):
    """The embedding engine cannot be used; search goes on by words."""


class UnservableModel(RecommenderError):
    """A registered model version that no ranker of this release can be made from."""


class InvalidLexicon(RecommenderError):
    """The lexicon's file cannot be used: a line has other columns, or names an unknown kind."""
