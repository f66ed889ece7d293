"""What happens to an observation after it was made: assembled, encoded, spooled, exported."""
