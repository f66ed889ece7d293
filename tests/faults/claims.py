"""What must hold after a run, and whether it does."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.faults.scene import PROGRAMS, Scene

CPU_ERROR = 0.005
"""Part of a program's CPU: what it used before the first agent saw it, milliseconds, is in no window."""
END_S = 28.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, what was seen, and whether it held."""

    claim: str
    seen: str
    held: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A window in the store. Times in milliseconds, CPU in nanoseconds."""

    epoch: int
    sequence: int
    position: int
    pid: int
    process_started: int
    started: int
    cpu_ns: int
    gap_ns: int
    samples: int
    outcome: str


def read_store(scene: Scene) -> list[Stored]:
    """Every window once; the collector must have ended."""
    command: list[str | Path] = [sys.executable, PROGRAMS / "read_windows.py", scene.stack.folder / "data"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return [Stored(*json.loads(line)) for line in done.stdout.splitlines()]


def judge(scene: Scene, status: int) -> list[Claim]:
    """Everything that is claimed, in the order in which people ask."""
    windows = read_store(scene)
    return [
        *_exactly_once(scene, windows),
        *_conserved(scene, windows),
        *_dropped(scene),
        *_nothing_left(scene, status),
    ]


def _exactly_once(scene: Scene, windows: list[Stored]) -> list[Claim]:
    seen = scene.recorder.seen
    promised, found = seen.stored(), Counter((one.epoch, one.sequence) for one in windows)
    wrong = sum(found[name] != count for name, count in promised.items())
    unsent = sum(name not in seen.windows for name in found)
    named = Counter((one.pid, one.process_started, one.started) for one in windows)
    twice = sum(count - 1 for count in named.values())
    total = sum(promised.values())
    return [
        Claim(
            "every acknowledged window is in ClickHouse exactly once",
            f"{total} windows in {len(promised)} batches acknowledged, {wrong} batches missing or incomplete",
            total > 0 and wrong == 0,
        ),
        Claim(
            "no window is there a second time under another name",
            f"{len(windows)} stored, {twice} twice; {seen.repeated} batches were sent again on {seen.streams} streams",
            twice == 0 and unsent == 0,
        ),
        Claim("none was refused", f"{len(seen.refused)} batches {set(seen.refused.values()) or ''}", not seen.refused),
    ]


def _conserved(scene: Scene, windows: list[Stored]) -> list[Claim]:
    claims = []
    for worker in scene.workers:
        mine = [one for one in windows if one.pid == worker.pid]
        booked = sum(one.cpu_ns + one.gap_ns for one in mine)
        sampled = sum(one.cpu_ns for one in mine if one.outcome == "complete")
        measured = worker.after_ns - worker.before_ns
        error = booked / measured - 1.0
        claims.append(
            Claim(
                f"CPU of `{worker.running.name}` in ClickHouse = /proc within {CPU_ERROR:.1%}",
                f"{measured / 1e9:.2f} s used, {error:+.2%}; {1 - sampled / booked:.0%} of it unattributed",
                abs(error) < CPU_ERROR,
            )
        )
    return claims


def _dropped(scene: Scene) -> list[Claim]:
    state, seen = scene.state(), scene.recorder.seen
    kept, told = Counter(state.dropped), Counter(state.untold)
    for name in seen.stored():
        told.update(seen.dropped[name])
    claims = [
        Claim(
            "drops are counted over restarts, and the collector knows of each",
            f"agent: {_reasons(kept)}; collector: {_reasons(told)}",
            told == kept,
        )
    ]
    if scene.disk:
        claims.append(
            Claim("a full disk costs counted records, and takes records again", _reasons(kept), kept["memory_full"] > 0)
        )
    return claims


def _nothing_left(scene: Scene, status: int) -> list[Claim]:
    sights = scene.sights
    left = [path.name for path in scene.spool.iterdir() if path.name.endswith(".segment")]
    return [
        Claim("nothing waits in the spool at the end", f"{len(left)} segments", not left),
        Claim(
            "no sampler outlives its agent",
            f"{sights.samplers_left} after {sights.agent_kills} kills ({sights.sampling} while one ran) and an end",
            sights.samplers_left == 0,
        ),
        Claim("no process is left stopped", f"{sights.stopped} of {len(scene.workers)} programs", sights.stopped == 0),
        Claim(
            f"SIGTERM ends the agent in order within {END_S:.0f} s",
            f"{max(sights.ends):.1f} s, status {status}",
            status == 0 and max(sights.ends) < END_S,
        ),
    ]


def _reasons(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {amount}" for reason, amount in sorted(counts.items())) or "none"
