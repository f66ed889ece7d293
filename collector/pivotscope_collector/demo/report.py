"""What the demo shows of its results, and leaves behind."""

import json
import time
from pathlib import Path
from typing import Any

from pivotscope_collector.demo.console import Console
from pivotscope_collector.demo.observers import FLEET, Observers
from pivotscope_collector.demo.services import Service
from pivotscope_collector.errors import PivotscopeError

PLAN_SECONDS = 60.0
PLAN = "migration-plan.json"
FLAME = "flame.html"


def plan_and_hotspots(console: Console, observers: Observers, shops: list[Service], out: Path) -> None:
    """Show where the CPU goes and what to move; leave the plan."""
    _await_plan(observers, shops)
    for shop in shops:
        console.step(f"Hotspots of {shop.name}")
        observers.show("hotspots", "--service", shop.name, "--since", "10m", "--limit", "8")
    console.step(f"The migration plan, as if {FLEET} such machines ran the services")
    observers.show("plan", "export", str(out / PLAN))
    observers.show("plan", "show")
    candidates = _best_by_service(json.loads((out / PLAN).read_text("utf-8")))
    for shop in shops:
        first = candidates.get(shop.name, {}).get("function", "nothing")
        mark = "as it should be" if first == shop.function else f"NOT {shop.function}"
        console.say(f"First for {shop.name}: {first}, {mark}.")


def before_and_after(
    console: Console, observers: Observers, shops: list[Service], out: Path, span_ns: tuple[int, int]
) -> None:
    """Compare old and new code of each service; the comparison holds the plan's promise against the outcome."""
    for shop in shops:
        console.step(f"Before and after: {shop.name}, legacy against {shop.native.bridge}")
        arguments = ["compare", "--service", shop.name, "--variant", "legacy", "vessel"]
        arguments += ["--since", _iso(span_ns[0]), "--until", _iso(span_ns[1])]
        arguments += ["--function-a", shop.function, "--function-b", shop.vessel, "--randomised"]
        observers.show(*arguments)
        document = observers.ask(*arguments)
        (out / f"comparison-{shop.language}.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
        if document["prediction"] is None:
            console.say("No speedup could be measured to hold against the plan.")


def write_flame(console: Console, observers: Observers, out: Path) -> None:
    """Leave a flame graph of everything that was sampled."""
    observers.show("flame", "--since", "15m", "--out", str(out / FLAME))
    observers.show("flame", "--since", "15m", "--format", "speedscope", "--out", str(out / "flame.speedscope.json"))
    console.say(f"Results: {', '.join(sorted(path.name for path in out.iterdir() if path.is_file()))} in {out}.")


def _await_plan(observers: Observers, shops: list[Service]) -> None:
    """Wait until the plan has a candidate of every service."""
    deadline = time.monotonic() + PLAN_SECONDS
    while True:
        try:
            found = set(_best_by_service(observers.ask("plan", "show")))
        except PivotscopeError:
            found = set()
        missing = {shop.name for shop in shops} - found
        if not missing:
            return
        if time.monotonic() > deadline:
            raise PivotscopeError(f"no candidate of {', '.join(sorted(missing))} within {PLAN_SECONDS:.0f} s")
        time.sleep(1.0)


def _best_by_service(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The plan's first function of each service."""
    best: dict[str, dict[str, Any]] = {}
    for candidate in plan["candidates"]:
        best.setdefault(candidate["service"], candidate["functions"][0])
    return best


def _iso(unix_ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(unix_ns / 1e9))
