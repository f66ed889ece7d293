"""A command from its start to its end, with the agent beside it."""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import replace

from pivotscope_agent import runtime
from pivotscope_agent.clock import Clock
from pivotscope_agent.errors import AgentError
from pivotscope_agent.launch.orphans import EVERY_S, FIRST, Orphans
from pivotscope_agent.launch.program import Program, let_go_of_streams
from pivotscope_agent.pipeline.opening import SpoolLockedError
from pivotscope_agent.runtime import Ending
from pivotscope_agent.settings import Settings
from pivotscope_agent.targets.identity import identify
from pivotscope_agent.targets.selector import Labels, Selector

log = logging.getLogger(__name__)

ENDING = Ending(naming_s=3.0, sending_s=2.0)
LONGEST_S = 10.0
"""How long after the program's end, at most, the agent ends too."""
MOST_AT_ONCE = 64
"""Commands that may run at once with one spool: each has a part of its own."""


async def execute(command: Sequence[str], settings: Settings, labels: Labels, clock: Clock, *, errors: bool) -> int:
    """Run a command and observe it and what it starts; its exit code, or minus the signal that ended it.

    No failure of the agent's touches the command. With `errors` the agent needs its standard error no more. Raises
    OSError where the command cannot be started.
    """
    program = Program.start(command)
    let_go_of_streams(errors=errors)
    stop = asyncio.Event()
    observing = asyncio.create_task(_observe(program, _beside(program, command, settings, labels), clock, stop))
    reaping = asyncio.create_task(_reap(program, clock))
    await program.wait()
    stop.set()
    hurry = asyncio.create_task(program.hurry.wait())
    await asyncio.wait((observing, hurry), timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
    if not observing.done():
        log.warning("not everything that was seen of the program could be kept in time")
    reaping.cancel()
    return program.reap()


async def _reap(program: Program, clock: Clock) -> None:
    if os.getpid() != FIRST:
        return
    orphans = Orphans(program.pid)
    while True:
        await clock.sleep(EVERY_S)
        orphans.look()


def _beside(program: Program, command: Sequence[str], settings: Settings, labels: Labels) -> Settings:
    """The program and all that it starts are selected, and belong to one service."""
    environ = program.environ
    named = identify(labels, environ, tuple(command), "")
    chosen = replace(labels, service=named.service, codebase=labels.codebase or named.codebase)
    return replace(settings, selectors=(Selector(tree=program.pid, labels=chosen),))


async def _observe(program: Program, settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    try:
        for number in range(MOST_AT_ONCE):
            spool = replace(settings.spool, folder=settings.spool.folder / f"exec-{number}")
            try:
                await runtime.run(replace(settings, spool=spool), clock, stop, ending=ENDING)
            except SpoolLockedError:
                continue
            return
        log.warning("%d commands use the spool %s; this one is not observed", MOST_AT_ONCE, settings.spool.folder)
    except AgentError as problem:
        log.warning("process %d is not observed: %s", program.pid, problem)
    except Exception:
        log.exception("process %d is not observed any more", program.pid)
