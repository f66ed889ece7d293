"""Every limit of what an agent may send, in one table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of messages and values: arithmetic stays in 64 bits, memory bounded. Honest agents never meet them."""

    message_bytes: int = 4 * 1024 * 1024
    in_flight: int = 64
    unacknowledged: int = 1024
    """Batches that came, and wait for their answer to be taken or for one before them to be sent again."""
    status_bytes: int = 512 * 1024
    text_length: int = 4096
    definitions: int = 1_000_000
    """Numbers of each kind."""
    defined: int = 4_000_000
    """Definitions of a stream's whole life: each number of the four kinds once."""
    definition_bytes: int = 128 * 1024 * 1024
    """What those take, about: their length on the wire, and more where they are kept with names."""
    members: int = 100_000_000
    """Functions in all stacks that a stream defines."""
    stack_depth: int = 4096
    labels: int = 64
    buckets: int = 1024
    parts: int = 4096
    """Windows, points, files and codebases of a batch, together: a rejection may have to name each of them."""
    rows_per_window: int = 200_000
    functions: int = 100_000
    """Facts of functions in a batch."""
    duration_ns: int = 3_600_000_000_000
    rate_hz: int = 10_000
    samples_per_window: int = 1_000_000_000
    cpu_ns: int = 10**16
    sampled_ns: int = 10**16
    """What a sample, and all samples of a window, stand for: ten seconds of a million threads. A minute of 1,800 such
    windows fits 64 bits, and the squares of a million of them 32 bits of float."""
    amount: int = 2**62
    line: int = 2**24 - 1
    age_seconds: int = 13 * 86_400
    future_seconds: int = 600
    doubt_seconds: int = 300
    """So near either limit of times the first reception of a batch decides for good (`store/corrections`)."""
    hello_seconds: float = 10.0
