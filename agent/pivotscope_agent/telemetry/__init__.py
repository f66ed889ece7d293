"""What the agent tells about itself: one table of its metrics, how each target fares, and the ways to say it."""
