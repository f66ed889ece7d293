"""`pivotscope-agent exec`."""

import asyncio
import logging
import os
import resource
import signal
import sys
from argparse import REMAINDER, ArgumentParser
from pathlib import Path
from typing import NoReturn

from pivotscope_agent import log
from pivotscope_agent.cli.options import add_collector, add_config, add_sampling, settings_from
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.errors import SettingsError
from pivotscope_agent.launch.execution import execute
from pivotscope_agent.launch.program import BY_SIGNAL, exit_code
from pivotscope_agent.targets.selector import Labels

FIRST_WINDOW_S = 1
"""Windows begin short: a program may run for a second, and two windows tell more than one."""


def add_options(parser: ArgumentParser) -> None:
    """What settings depend on, what the program is called, and the program itself: all from its name on."""
    for add in (add_config, add_collector, add_sampling):
        add(parser)
    parser.add_argument("--service", default="", metavar="NAME", help="name of the service; else as the command's own")
    parser.add_argument("--environment", default="", metavar="NAME", help="where it runs: production, staging, …")
    parser.add_argument("--service-version", default="", metavar="VERSION", help="version of the service")
    parser.add_argument("--variant", default="", metavar="NAME", help="variant, for comparisons")
    parser.add_argument("--log-level", default="warning", metavar="LEVEL", help=f"one of {', '.join(log.LEVELS)}")
    parser.add_argument(
        "--log-file", type=Path, metavar="FILE", help="where the agent's log goes instead of standard error"
    )
    parser.add_argument("command", nargs=REMAINDER, metavar="-- CMD …", help="the command and its arguments")


def call(
    *,
    command: list[str],
    config: Path | None,
    collector: str | None,
    token_file: Path | None,
    spool: Path | None,
    service: str,
    environment: str,
    service_version: str,
    variant: str,
    window: int | None,
    rate: int | None,
    log_level: str,
    log_file: Path | None,
) -> int:
    """Run a command and sample it, and all that it starts, from its first moment to its end.

    The command has the agent's terminal, files and environment; signals reach it, and its exit code is the agent's.
    127: not found; 126: cannot be executed.
    """
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        message = "exec needs a command: pivotscope-agent exec [OPTIONS] -- CMD …"
        raise SettingsError(message)
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
        log__level=log_level,
    )
    log.set_up(settings.log.level, settings.log.format, log_file)
    labels = Labels(service=service, environment=environment, version=service_version, variant=variant)
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
