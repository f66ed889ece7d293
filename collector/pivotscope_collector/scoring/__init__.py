"""From evidence to candidates: movable part, speedup priors, boundary, effort, value and score."""
