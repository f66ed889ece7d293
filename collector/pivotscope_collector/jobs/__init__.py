"""What runs on a schedule: roll-ups, scores, the plan's refresh."""
