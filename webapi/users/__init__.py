"""Console users, their sessions and tokens."""
