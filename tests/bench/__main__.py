"""Measure what Pivotscope costs: python -m tests.bench [--only PART]."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from functools import partial

from tests.bench import agent, coverage, ingest, queries, replay, slowdown, yardstick
from tests.bench.table import Line, render

PARTS = {
    "ingest": ingest.measure,
    "agent": agent.measure,
    "slowdown": slowdown.measure,
    "coverage": coverage.measure,
    "queries": queries.measure,
    "replay": replay.measure,
}
ON_DEMAND = frozenset({"coverage", "queries", "replay"})
"""Parts that take minutes, up to a quarter of an hour."""


def main() -> None:
    """Print a table a part, as it is measured."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--only", choices=tuple(PARTS), action="append")
    options.add_argument("--seconds", type=float, default=coverage.SECONDS, help="of coverage, with one target")
    options.add_argument("--targets", type=int, default=coverage.MANY, help="of coverage, where there are many")
    given = options.parse_args()
    chosen = given.only or [name for name in PARTS if name not in ON_DEMAND]
    parts: dict[str, Callable[[], list[Line]]] = {
        **PARTS,
        "coverage": partial(coverage.measure, given.seconds, given.targets),
    }
    began, load, read_ns = time.monotonic(), os.getloadavg()[0], yardstick.read_ns()
    for name in chosen:
        sys.stderr.write(f"measuring: {name}\n")
        sys.stdout.write(f"{render(parts[name]())}\n")
        sys.stdout.flush()
    kernel = platform.release().partition("-")[0]
    sys.stdout.write(
        f"{os.cpu_count()} cores, Linux {kernel}, Python {platform.python_version()}; load before {load:.1f}; "
        f"a read of a large dictionary {read_ns:.0f} ns before and {yardstick.read_ns():.0f} after; "
        f"{time.monotonic() - began:.0f} s\n"
    )


if __name__ == "__main__":
    main()
