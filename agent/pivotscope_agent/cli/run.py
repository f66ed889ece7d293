"""`pivotscope-agent run`."""

import asyncio
import signal
from typing import Annotated

import typer
from pivotscope.profile.window import Window

from pivotscope_agent import deadline, log, runtime
from pivotscope_agent.cli.options import (
    CollectorOption,
    ConfigOption,
    HttpOption,
    SelectOption,
    SpoolOption,
    TokenFileOption,
    settings_from,
)
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.settings import Settings


def run(
    *,
    config: ConfigOption = None,
    select: SelectOption = None,
    collector: CollectorOption = None,
    token_file: TokenFileOption = None,
    spool: SpoolOption = None,
    window: Annotated[int | None, typer.Option("--window", metavar="SECONDS", help="Length of a window.")] = None,
    rate: Annotated[int | None, typer.Option("--rate", metavar="HZ", help="Looks at a process a second.")] = None,
    slots: Annotated[int | None, typer.Option("--slots", help="Samplers that run at once, at most.")] = None,
    http: HttpOption = None,
    level: Annotated[str | None, typer.Option("--log-level", help=f"One of {', '.join(log.LEVELS)}.")] = None,
    form: Annotated[str | None, typer.Option("--log-format", help=f"One of {', '.join(log.FORMATS)}.")] = None,
    show: Annotated[bool, typer.Option("--print", help="Also print a line for every window.")] = False,
) -> None:
    """Sample the selected processes until interrupted."""
    settings = settings_from(
        config,
        select,
        collector,
        token_file,
        spool,
        sampling__window_seconds=window,
        sampling__rate_hz=rate,
        sampling__slots=slots,
        http__listen=http,
        log__level=level,
        log__format=form,
    )
    log.set_up(settings.log.level, settings.log.format)
    asyncio.run(_run(settings, show=show))


async def _run(settings: Settings, *, show: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        deadline.end_within(deadline.END_S)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    await runtime.run(settings, SystemClock(), stop, _print if show else None)


def _print(window: Window) -> None:
    typer.echo(describe(window))


def describe(window: Window) -> str:
    """A window on one line: who, how long, how it ended, what was used, and where most samples were."""
    process, usage = window.process, window.usage
    cpu_s = (usage.cpu_user_ns + usage.cpu_system_ns) / 1e9
    samples = sum(sample.count for sample in window.samples)
    parts = [
        f"{process.service}[{process.pid}]",
        f"{window.mode}/{window.outcome}",
        f"{window.duration_ns / 1e9:.2f}s",
        f"cpu={cpu_s:.3f}s",
        f"gap={window.gap_cpu_ns / 1e9:.4f}s",
        f"sampler={window.sampler_cpu_ns / 1e9:.3f}s",
    ]
    if window.samples:
        top = max(window.samples, key=lambda sample: sample.count)
        leaf = top.stack[-1]
        parts.append(f"samples={samples} top={leaf.qualified_name} ({leaf.path}) {top.count / samples:.0%}")
    if window.reason:
        parts.append(f"({window.reason})")
    return " ".join(parts)
