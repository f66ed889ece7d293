"""How fast this machine is right now, so that figures of different machines and days can be held against each other."""

import time
from random import Random
from statistics import median

_ENTRIES = 1_000_000
_ROUNDS = 5


def read_ns() -> float:
    """Median time of a read from a dictionary of a million numbers in random order: interpreter and memory, in ns."""
    keys = list(range(_ENTRIES))
    table = dict(zip(keys, keys, strict=True))
    Random(1).shuffle(keys)
    taken = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        sum(map(table.__getitem__, keys))
        taken.append(time.perf_counter() - began)
    return median(taken) / _ENTRIES * 1e9
