"""`pivotscope demo`: the whole story on two real services."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("demo-out"),
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end.")] = False,
) -> None:
    """Sample two real services under load, plan, roll native code out, and compare; under four minutes.

    Starts a Python service under gunicorn and a Ruby one under puma, an agent and a collector, all on the loopback
    address. Leaves migration-plan.json, flame.html and the comparisons in the folder, and stops what it started.

    For example:

        pivotscope demo

        pivotscope demo --keep --out /tmp/demo
    """
    from pivotscope_collector.demo.runner import run  # noqa: PLC0415 - brings in what no other command needs

    run(out, keep=keep)
