"""How much of the time windows cover, with few targets and with many."""

import re
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.bench.table import Line
from tests.e2e.stack import PROGRAMS, Stack

SLOTS = 8
SECONDS, MANY_SECONDS = 600.0, 300.0
MANY = 50
SERVICES = 5
NOBODY = "127.0.0.1:1"
CONFIG = '[[select]]\nenv = "OTEL_SERVICE_NAME"\ncmdline = "light[.]py"\n'
_WINDOW = re.compile(r"^\S+\[(\d+)\] (\w+)/(\w+) ([\d.]+)s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Covered:
    """What was taken of so many targets: parts of the time, and the longest stretch of one target without samples."""

    targets: int
    seen: int
    of_time: float
    of_slots: float
    least: float
    longest_s: float


def measure(seconds: float = SECONDS, many: int = MANY) -> list[Line]:
    """One target for so long, then many for half as long, with an agent at defaults."""
    lines = []
    for targets, length in ((1, seconds), (many, seconds * MANY_SECONDS / SECONDS)):
        found = cover(targets, length)
        lines.append(
            Line(
                f"coverage with {targets} targets",
                f"{found.of_time:.1%} of their time",
                f"{found.seen} seen; slots busy {found.of_slots:.1%}; the least {found.least:.1%}, the longest without "
                f"{found.longest_s:.0f} s; {length:.0f} s, {SLOTS} slots",
            )
        )
    return lines


def cover(targets: int, seconds: float, config: str = "", slots: int = SLOTS) -> Covered:
    """Watch so many programs of a few services for so long."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        for number in range(targets):
            # Light ones: what is measured is how they are looked at.
            stack.program([sys.executable, PROGRAMS / "light.py"], f"light{number % SERVICES}")
        agent = stack.agent(config + CONFIG, "--print", collector=NOBODY)
        # A program that is still starting cannot be read yet, and is left alone for a while.
        stack.until(lambda: "/complete " in agent.said, agent, what="a window is complete", seconds=120.0)
        began = len(agent.said)
        time.sleep(seconds)
        text = agent.said[began:]
        agent.stop()
    return covered(text, targets, slots)


def covered(text: str, targets: int, slots: int) -> Covered:
    """Read the lines of an agent that prints its windows; those of one target follow each other without a hole."""
    whole: dict[str, float] = defaultdict(float)
    sampled: dict[str, float] = defaultdict(float)
    without: dict[str, float] = defaultdict(float)
    longest = 0.0
    for pid, _, outcome, length in _WINDOW.findall(text):
        whole[pid] += float(length)
        if outcome == "complete":
            sampled[pid] += float(length)
            without[pid] = 0.0
        else:
            without[pid] += float(length)
        longest = max(longest, without[pid])
    watched = max(whole.values(), default=1.0)
    parts = [sampled[pid] / whole[pid] for pid in whole]
    return Covered(
        targets=targets,
        seen=sum(part > 0.0 for part in parts),
        of_time=sum(sampled.values()) / max(1.0, sum(whole.values())),
        of_slots=sum(sampled.values()) / (slots * watched),
        least=min(parts, default=0.0) if len(parts) == targets else 0.0,
        longest_s=longest,
    )
