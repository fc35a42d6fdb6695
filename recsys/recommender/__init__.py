"""The recipe recommender: reading recipes, searching and ranking them. Floor 3."""
