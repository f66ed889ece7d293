"""Every limit of what an agent may send, in one table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of messages and values: arithmetic stays in 64 bits, memory bounded. Honest agents never meet them."""

    message_bytes: int = 4 * 1024 * 1024
    in_flight: int = 64
    status_bytes: int = 512 * 1024
    text_length: int = 4096
    definitions: int = 1_000_000
    stack_depth: int = 4096
    labels: int = 64
    buckets: int = 1024
    windows: int = 4096
    rows_per_window: int = 200_000
    points: int = 100_000
    functions_per_file: int = 100_000
    duration_ns: int = 3_600_000_000_000
    rate_hz: int = 10_000
    samples_per_window: int = 1_000_000_000
    cpu_ns: int = 10**16
    amount: int = 2**62
    line: int = 2**24 - 1
    age_seconds: int = 13 * 86_400
    future_seconds: int = 600
    hello_seconds: float = 10.0
    # Different names a day, and a collector: of functions by codebase, of stacks by service, and so on.
    services_a_day: int = 2_000
    codebases_a_day: int = 2_000
    environments_a_day: int = 200
    versions_a_day: int = 1_000
    variants_a_day: int = 200
    instances_a_day: int = 20_000
    functions_a_day: int = 200_000
    stacks_a_day: int = 1_000_000
    series_a_day: int = 50_000
