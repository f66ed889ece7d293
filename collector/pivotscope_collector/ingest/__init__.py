"""What comes in: validate, decode to columns, write in groups, acknowledge."""
