"""From frames to functions: whose code a file is, and what its functions are called."""
