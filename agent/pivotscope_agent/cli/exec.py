"""`pivotscope-agent exec`."""

import asyncio
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pivotscope_agent import log
from pivotscope_agent.cli.options import (
    CollectorOption,
    ConfigOption,
    SpoolOption,
    TokenFileOption,
    settings_from,
)
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.launch.execution import execute
from pivotscope_agent.launch.program import BY_SIGNAL, exit_code
from pivotscope_agent.targets.selector import Labels

FIRST_WINDOW_S = 1
"""Windows begin short: a program may run for a second, and two windows tell more than one."""


def exec_(
    command: Annotated[list[str], typer.Argument(metavar="-- CMD…", help="The command and its arguments.")],
    *,
    config: ConfigOption = None,
    collector: CollectorOption = None,
    token_file: TokenFileOption = None,
    spool: SpoolOption = None,
    service: Annotated[str, typer.Option("--service", help="Name of the service; else as the command's own.")] = "",
    environment: Annotated[str, typer.Option("--environment", help="Where it runs: production, staging, ….")] = "",
    version: Annotated[str, typer.Option("--service-version", help="Version of the service.")] = "",
    variant: Annotated[str, typer.Option("--variant", help="Variant, for comparisons.")] = "",
    window: Annotated[int | None, typer.Option("--window", metavar="SECONDS", help="Length of a window.")] = None,
    rate: Annotated[int | None, typer.Option("--rate", metavar="HZ", help="Looks at a process a second.")] = None,
    level: Annotated[str, typer.Option("--log-level", help=f"One of {', '.join(log.LEVELS)}.")] = "warning",
    log_file: Annotated[
        Path | None, typer.Option("--log-file", help="Where the agent's log goes instead of standard error.")
    ] = None,
) -> None:
    """Run a command and sample it, and all that it starts, from its first moment to its end.

    The command has the agent's terminal, files and environment; signals reach it, and its exit code is the agent's.
    127: not found; 126: cannot be executed.
    """
    settings = settings_from(
        config,
        None,
        collector,
        token_file,
        spool,
        sampling__window_seconds=window,
        sampling__rate_hz=rate,
        sampling__first_window_seconds=FIRST_WINDOW_S,
        http__listen="off",
        log__level=level,
    )
    log.set_up(settings.log.level, settings.log.format, log_file)
    labels = Labels(service=service, environment=environment, version=version, variant=variant)
    loop = asyncio.new_event_loop()
    try:
        status = loop.run_until_complete(execute(command, settings, labels, SystemClock(), errors=log_file is not None))
    except OSError as problem:
        sys.stderr.write(f"pivotscope-agent: {command[0]}: {problem.strerror}\n")
        status = exit_code(problem)
    _leave(status)


def _leave(status: int) -> NoReturn:
    """End as the program did, at once: no thread that waits for a disk or a network holds up its caller."""
    logging.shutdown()
    if status < 0:
        # The program has left its core file, if it was to leave one.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(-status, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-status})
        os.kill(os.getpid(), -status)
    # Also where the signal did nothing, as it does to the first process of a container.
    os._exit(BY_SIGNAL - status if status < 0 else status)
