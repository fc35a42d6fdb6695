"""Services of others that the recommender can use, none of which it needs. Floor 3."""
