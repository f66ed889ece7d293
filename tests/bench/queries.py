"""How long questions take: on 50,000 rows of one service, and on 50 million samples over 30 days."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.table import Line

PROGRAM = "tests.bench.query_times"


def measure() -> list[Line]:
    """Each store in a process of its own, as the engine opens one folder a process."""
    lines: list[Line] = []
    for size in ("service", "month"):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", PROGRAM, size, Path(folder) / "store"],
                check=True, stdout=subprocess.PIPE, text=True, timeout=1800,
            )  # fmt: skip
        lines += [Line(*one) for one in json.loads(done.stdout)]
    return lines
