"""Show what every fault costs: python -m tests.faults [--kills N] [--partition SECONDS] [--seed N]."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from pivotscope_agent.errors import MissingToolError
from pivotscope_agent.samplers import programs

from tests.faults.claims import Claim
from tests.faults.show import Script, run


def main() -> int:
    """Run the show and print its table; 1 where a claim did not hold."""
    options = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    options.add_argument("--kills", type=int, default=20, help="of the agent, and of the collector")
    options.add_argument("--partition", type=float, default=300.0, help="seconds without a network")
    options.add_argument("--seed", type=int, default=7, help="of the random moments")
    chosen = options.parse_args()
    # Ended by a signal, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    missing = _why_no_ruby()
    if missing:
        _say(f"without Ruby: {missing}")
    with tempfile.TemporaryDirectory() as folder:
        script = Script(chosen.kills, chosen.partition, chosen.seed, ruby=not missing)
        claims = run(script, Path(folder), lambda text: _say(f"{time.monotonic() - began:5.0f} s  {text}"))
    _table(claims)
    return 0 if all(claim.held for claim in claims) else 1


def _why_no_ruby() -> str:
    try:
        programs.find("rbspy")
    except MissingToolError as problem:
        return str(problem)
    return "" if shutil.which("ruby") else "there is no ruby on PATH"


def _table(claims: list[Claim]) -> None:
    width = max(len(claim.claim) for claim in claims)
    _say("")
    for claim in claims:
        _say(f"{'held  ' if claim.held else 'MISSED'}  {claim.claim:{width}}  {claim.seen}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
