"""Two real services, under real load, from the first sample to the before/after."""
