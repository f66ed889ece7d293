"""Which processes to look at, and what they belong to."""
