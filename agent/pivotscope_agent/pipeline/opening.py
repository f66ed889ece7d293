"""Opening a spool: what a run before left, what of it is whole, and which sequences are free."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from errno import errorcode
from operator import itemgetter
from pathlib import Path

from pivotscope_agent.clock import Clock
from pivotscope_agent.errors import AgentError
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.drops import go_on_counting
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.ledger import recover
from pivotscope_agent.pipeline.notes import Notes
from pivotscope_agent.pipeline.segment import DiskSegment, Loaded, Segment, count_after
from pivotscope_agent.pipeline.spool import Opened, Spool, SpoolSettings
from pivotscope_agent.pipeline.state import SpoolState
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

_SUFFIX = ".segment"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class SpoolLockedError(AgentError):
    """Another agent holds the spool's folder; two would use the same sequences."""


def open_spool(settings: SpoolSettings, *, counters: Counters, clock: Clock, files: Files | None = None) -> Spool:
    """Open the spool in a folder, or in memory where the folder cannot be used. Blocks as long as the disk does.

    Raises SpoolLockedError when another process holds the folder. Any other failure is counted, logged and
    answered with a spool in memory that has an epoch of its own, until the agent is started again.
    """
    files = files or Files()
    folder = settings.folder
    lock: int | None = None
    try:
        files.make_folder(folder)
        lock = files.lock_folder(folder)
        opened = _recover(folder, lock, counters=counters, clock=clock, files=files)
    except BlockingIOError as error:
        raise SpoolLockedError(f"{folder}: another agent uses this spool; give each its own folder") from error
    except OSError as error:
        counters.add(Count.SPOOL_ERRORS, errorcode.get(error.errno or 0, "unknown"))
        log.warning(
            "spool %s cannot be used (%s); up to %d bytes are kept in memory and lost when the agent ends. "
            "Give the agent a writable folder with free space, and start it again",
            folder, error, settings.memory_bytes,
        )  # fmt: skip
        if lock is not None:
            files.close(lock)
        opened = Opened(SpoolState(clock.unix_ns()))
    return Spool(settings, opened, counters=counters, clock=clock, files=files)


def _recover(folder: Path, lock: int, *, counters: Counters, clock: Clock, files: Files) -> Opened:
    """Read state and segments, and mark the spool as in use before a sequence is handed out."""
    known = states.load(folder, files)
    states.reserve(folder, files)
    dropped: Counter[str] = Counter()
    for name in known.gone if known else ():
        files.remove(folder / name)
    loaded = [DiskSegment.load(folder / name, files) for name in files.names(folder) if name.endswith(_SUFFIX)]
    epoch = known.epoch if known else max((one.epoch for one in loaded if one.epoch), default=0)
    state = known or SpoolState(epoch or clock.unix_ns(), clean=not epoch)
    segments: list[Segment] = []
    notes: list[tuple[int, Notes]] = []
    for one in loaded:
        segment = one.segment
        if one.epoch != state.epoch or not segment.sequences:
            dropped[_why_useless(one, state)] += max(count_after(segment, 0), bool(one.rest))
            files.remove(segment.path)
            continue
        if one.rest:
            log.warning("spool: %d bytes at the end of %s are torn and cut off", one.rest, segment.path.name)
            files.truncate(segment.path, segment.size)
        dropped["torn"] += max(one.doubtful, bool(one.rest))
        dropped["damaged"] += one.damaged
        notes += [(sequence, Notes.unpack(data)) for sequence, data in one.notes]
        segment.newest_ns = clock.monotonic_ns() - max(0, clock.unix_ns() - segment.newest_unix_ns)
        if count_after(segment, state.acknowledged):
            segments.append(segment)
        else:
            files.remove(segment.path)
    last = max((segment.sequences[-1] for segment in segments), default=0)
    resumed = _resumed(state, state.resume(last), sorted(notes, key=itemgetter(0)), +dropped)
    states.save(folder, resumed, files, sync=True)
    files.sync_folder(folder)
    go_on_counting(resumed.dropped, counters)
    return Opened(resumed, segments, lock)


def _why_useless(found: Loaded, state: SpoolState) -> str:
    if found.epoch is None:
        return "unknown_format"
    return "other_epoch" if found.epoch != state.epoch else "torn"


def _resumed(
    state: SpoolState, following: int, notes: Sequence[tuple[int, Notes]], dropped: Counter[str]
) -> SpoolState:
    """The state to begin with: as it was saved, and moved on by what was spooled afterwards."""
    boot = read_boot()
    later = [one for sequence, one in notes if sequence > state.booked]
    told = sum((Counter(one.told) for one in later), Counter())
    entries = [entry for one in later for entry in one.entries]
    # Pids and starts mean other processes after another boot; and without a state nothing says which boot it was.
    same = bool(boot) and boot == state.boot
    return replace(
        state,
        next_sequence=following,
        clean=False,
        generation=state.generation + 1,
        may_be_sent=state.may_be_sent if same else following - 1,
        booked=following - 1,
        boot=boot,
        accounts=recover(state.accounts, entries) if same else {},
        dropped=Counter(state.dropped) + dropped,
        untold=Counter(state.untold) - told + dropped,
        gone=(),
    )


def read_boot() -> str:
    """What tells this boot of the host from others; empty where the kernel does not."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""
