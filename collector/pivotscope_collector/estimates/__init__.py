"""From counts to CPU-seconds: shares with intervals, and the attribution of measured CPU to functions."""
