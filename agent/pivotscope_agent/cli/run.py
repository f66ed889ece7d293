"""`pivotscope-agent run`."""

import asyncio
import signal
from argparse import ArgumentParser
from pathlib import Path

from pivotscope.profile.window import Window

from pivotscope_agent import deadline, log, runtime
from pivotscope_agent.cli.options import add_sampling, add_settings, settings_from
from pivotscope_agent.cli.output import say
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.settings import Settings


def add_options(parser: ArgumentParser) -> None:
    """What settings depend on, and whether windows are printed."""
    add_settings(parser)
    add_sampling(parser)
    parser.add_argument("--slots", type=int, metavar="NUMBER", help="samplers that run at once, at most")
    parser.add_argument("--http-listen", metavar="HOST:PORT", help="where /metrics and /healthz are; off: nowhere")
    parser.add_argument("--log-level", metavar="LEVEL", help=f"one of {', '.join(log.LEVELS)}")
    parser.add_argument("--log-format", metavar="FORMAT", help=f"one of {', '.join(log.FORMATS)}")
    parser.add_argument("--print", action="store_true", dest="show", help="also print a line for every window")


def call(
    *,
    config: Path | None,
    select: list[str] | None,
    collector: str | None,
    token_file: Path | None,
    spool: Path | None,
    window: int | None,
    rate: int | None,
    slots: int | None,
    http_listen: str | None,
    log_level: str | None,
    log_format: str | None,
    show: bool,
) -> int:
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
        http__listen=http_listen,
        log__level=log_level,
        log__format=log_format,
    )
    log.set_up(settings.log.level, settings.log.format)
    asyncio.run(_run(settings, show=show))
    return 0


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
    say(describe(window))


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
