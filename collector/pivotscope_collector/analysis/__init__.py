"""Plans without a server: profiles from outside in, the same ranking out."""
