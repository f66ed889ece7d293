"""What runs when: the agent from its start to its end."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random

from pivotscope.profile.language import Language
from pivotscope.profile.window import Window

from pivotscope_agent import __version__, workdir
from pivotscope_agent.agent_id import agent_id, read_machine_id
from pivotscope_agent.clock import Clock
from pivotscope_agent.controls import Controls
from pivotscope_agent.errors import MissingToolError
from pivotscope_agent.finishing import Finishing
from pivotscope_agent.governing.governor import Governor
from pivotscope_agent.governing.keeping import keep_books
from pivotscope_agent.metrics.reader import MetricsReader
from pivotscope_agent.pipeline.asked import words
from pivotscope_agent.pipeline.control import Command, DesiredState, Pause, RequestFacts, Resume, SetRate
from pivotscope_agent.pipeline.export import Identity
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.pipeline import Pipeline
from pivotscope_agent.reporting import Reporter
from pivotscope_agent.samplers import programs
from pivotscope_agent.samplers.pyspy import PySpy
from pivotscope_agent.samplers.rbspy import RbSpy
from pivotscope_agent.samplers.sampler import Sampler
from pivotscope_agent.sampling import Shared
from pivotscope_agent.settings import HttpSettings, Settings
from pivotscope_agent.sources import Sources
from pivotscope_agent.targets.scan import Scanner
from pivotscope_agent.telemetry.counters import Count, Counters
from pivotscope_agent.telemetry.listener import Listener
from pivotscope_agent.watch import Watch

log = logging.getLogger(__name__)

RESTART_S = 5.0
"""Pause before a part of the agent that failed begins again."""

See = Callable[[Window], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How long the agent may take to end: for windows that wait for names, and to send; the rest waits in the spool."""

    naming_s: float = 15.0
    sending_s: float = 5.0


AS_SERVICE = Ending()


async def run(
    settings: Settings, clock: Clock, stop: asyncio.Event, see: See | None = None, ending: Ending = AS_SERVICE
) -> None:
    """Sample until `stop` is set, then hand over what there is. `see` is shown every finished window.

    Raises AgentError where the agent cannot start; afterwards no failure ends it.
    """
    host = settings.host or socket.gethostname()
    samplers = find_samplers(settings)
    counters = Counters()
    controls = Controls(clock, settings.control.highest_rate_hz)
    spool = await asyncio.to_thread(open_spool, settings.spool, counters=counters, clock=clock)
    scanner = Scanner(settings.selectors, host)

    def asked(command: Command) -> None:
        name = type(command).__name__
        counters.add(Count.COMMANDS, name)
        if settings.control.accept:
            obey(command, controls, sources, watch.reconsider)
        else:
            log.info(
                "the collector asks in vain, for control.accept is false: %s", words(command), extra={"command": name}
            )

    pipeline = Pipeline(
        settings.collector,
        Identity(
            agent_id=agent_id(host, settings.spool.folder, read_machine_id()),
            agent_version=__version__,
            host=host,
            abilities=(*sorted(samplers), "facts", "metrics", *(("native",) if settings.python.native_every else ())),
        ),
        spool,
        counters=counters,
        clock=clock,
        random=Random(),  # noqa: S311 - spreads retries
        targets=lambda: len(scanner.targets),
        on_command=asked,
    )
    sources = Sources(pipeline.offer)
    finishing = Finishing(sources, _both(pipeline.offer, see))
    folder = workdir.create()
    shared = Shared(
        sampling=settings.sampling,
        python=settings.python,
        ruby=settings.ruby,
        samplers=samplers,
        governor=Governor(settings.budget, clock.monotonic_ns()),
        controls=controls,
        slots=asyncio.Semaphore(settings.sampling.slots),
        clock=clock,
        folder=folder,
        deliver=finishing.add,
        counters=counters,
        begin=pipeline.begin,
        leave=pipeline.leave,
    )
    watch = Watch(scanner, shared, sources, settings.rescan_seconds)
    metrics = MetricsReader(settings.metrics, counters=counters, clock=clock)
    reporter = Reporter(
        pipeline,
        watch,
        spool,
        governor=lambda: shared.governor.status(clock.monotonic_ns()),
        counters=counters,
        clock=clock,
        tools=await asyncio.to_thread(_versions, samplers),
        max_bytes=settings.spool.max_bytes,
    )

    def begin(name: str, work: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        return asyncio.create_task(keep_running(work, clock, lambda: counters.add(Count.RESTARTS, name)), name=name)

    # The first scan comes before the first Hello, so that it can tell the number of targets.
    observing = [begin("watch", watch.run)]
    await asyncio.sleep(0)
    pipeline.start()
    observing += [
        begin("metrics", lambda: metrics.run(scanner.processes, pipeline.offer)),
        begin("reporting", reporter.run),
        begin("books", lambda: keep_books(shared.governor, clock)),
    ]
    naming = begin("finishing", finishing.run)
    listener = listen(settings.http, reporter)
    try:
        await stop.wait()
    finally:
        for task in observing:
            task.cancel()
        await watch.stop()
        await asyncio.wait([asyncio.ensure_future(finishing.join())], timeout=ending.naming_s)
        naming.cancel()
        await asyncio.gather(*observing, naming, return_exceptions=True)
        if listener is not None:
            await asyncio.to_thread(listener.close)
        left = await pipeline.close(ending.sending_s)
        workdir.remove(folder)
        log.info("ended; %d records wait in the spool", left)


def find_samplers(settings: Settings) -> dict[Language, Sampler]:
    """The samplers that can be used here. A missing one is said and its language is left out; none is an error."""
    found: dict[Language, Sampler] = {}
    problems: list[str] = []
    try:
        found[Language.PYTHON] = PySpy(programs.find("py-spy", settings.python.program), settings.python.nonblocking)
    except MissingToolError as problem:
        problems.append(str(problem))
    try:
        found[Language.RUBY] = RbSpy(programs.find("rbspy", settings.ruby.program), settings.ruby.nonblocking)
    except MissingToolError as problem:
        problems.append(str(problem))
    if not found:
        raise MissingToolError("; ".join(problems))
    for text in problems:
        log.warning("%s", text)
    return found


def listen(settings: HttpSettings, reporter: Reporter) -> Listener | None:
    """Start the listener, where one is wanted; where it cannot listen the agent goes on without, and says so."""
    if not settings.host:
        return None
    listener = Listener(settings.host, settings.port, reporter.report)
    try:
        listener.start()
    except OSError as problem:
        where = f"http.listen = {settings.host}:{settings.port}"
        reporter.warnings["http"] = f"{where}: {problem.strerror}; there is no /metrics and no /healthz"
        log.warning("%s; set another address, or off", reporter.warnings["http"])
        return None
    log.info("listening on %s:%d for /metrics and /healthz", settings.host, listener.port)
    return listener


def _versions(samplers: Mapping[Language, Sampler]) -> dict[str, str]:
    return {sampler.program.name: programs.version(sampler.program) or "unknown" for sampler in samplers.values()}


def obey(command: Command, controls: Controls, sources: Sources, reconsider: Callable[[], None]) -> None:
    """Do what the collector asks for, within the agent's own limits; loops then `reconsider` what they do."""
    log.info("the collector asks for %s", words(command), extra={"command": type(command).__name__})
    match command:
        case SetRate(service, rate_hz):
            controls.set_rate(service, rate_hz)
        case Pause(service, seconds):
            controls.pause(service, seconds)
        case Resume(service):
            controls.resume(service)
        case RequestFacts(codebase):
            sources.ask_again(codebase)
        case DesiredState():
            for wanted in controls.replace(command):
                sources.ask_again(wanted)
    reconsider()


def _both(offer: Callable[[Iterable[Window]], None], see: See | None) -> Callable[[Iterable[Window]], None]:
    def hand_on(windows: Iterable[Window]) -> None:
        taken = tuple(windows)
        offer(taken)
        if see is not None:
            for window in taken:
                see(window)

    return hand_on


async def keep_running(
    work: Callable[[], Awaitable[None]], clock: Clock, failed: Callable[[], None] = lambda: None
) -> None:
    """Do endless work until cancelled; a defect in it is logged and it begins again after a pause."""
    while True:
        try:
            await work()
        except Exception:
            failed()
            log.exception("a part of the agent failed; it begins again in %g s", RESTART_S)
        await clock.sleep(RESTART_S)
