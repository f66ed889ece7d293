"""The shop's business code."""
