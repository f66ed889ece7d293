"""Before and after: did it bring what was promised? Arms → comparison document; pure, reads no store."""
