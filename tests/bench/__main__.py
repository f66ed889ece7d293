"""Measure what Pivotscope costs: python -m tests.bench [--only ingest|agent|slowdown]."""

import argparse
import os
import platform
import sys
import time

from tests.bench import agent, ingest, slowdown
from tests.bench.table import render

PARTS = {"ingest": ingest.measure, "agent": agent.measure, "slowdown": slowdown.measure}


def main() -> None:
    """Print a table a part, as it is measured."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--only", choices=tuple(PARTS), action="append")
    chosen = options.parse_args().only or list(PARTS)
    began, load = time.monotonic(), os.getloadavg()[0]
    for name in chosen:
        sys.stderr.write(f"measuring: {name}\n")
        sys.stdout.write(f"{render(PARTS[name]())}\n")
        sys.stdout.flush()
    kernel = platform.release().partition("-")[0]
    sys.stdout.write(
        f"{os.cpu_count()} cores, Linux {kernel}, Python {platform.python_version()}; load before {load:.1f}; "
        f"{time.monotonic() - began:.0f} s\n"
    )


if __name__ == "__main__":
    main()
