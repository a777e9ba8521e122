"""Grove turns each day's interaction logs of a shop into a release that a recommender can serve."""
