"""The recipe recommender and its MLOps. Floor 3: imports events and projections."""
