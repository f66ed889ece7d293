"""One sampler program a file: how it is called, and what its end means."""
