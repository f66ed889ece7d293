"""Opening a spool: what a run before left, what of it is whole, and which sequences are free."""

import logging
from errno import errorcode
from pathlib import Path

from pivotscope_agent.clock import Clock
from pivotscope_agent.errors import AgentError
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.segment import DiskSegment, Segment, count_after
from pivotscope_agent.pipeline.spool import Opened, Spool, SpoolSettings
from pivotscope_agent.pipeline.state import SpoolState
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

_SUFFIX = ".segment"


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
        opened = Opened(epoch=clock.unix_ns())
    return Spool(settings, opened, counters=counters, clock=clock, files=files)


def _recover(folder: Path, lock: int, *, counters: Counters, clock: Clock, files: Files) -> Opened:
    """Read state and segments, and mark the spool as in use before a sequence is handed out."""
    known = states.load(folder, files)
    loaded = [DiskSegment.load(folder / name, files) for name in files.names(folder) if name.endswith(_SUFFIX)]
    epoch = known.epoch if known else max((found for _, found, _ in loaded if found), default=0)
    state = known or SpoolState(epoch or clock.unix_ns(), clean=not epoch)
    segments: list[Segment] = []
    for segment, found, rest in loaded:
        if found != state.epoch or not segment.sequences:
            if found not in (None, state.epoch):
                counters.add(Count.RECORDS_DROPPED, "other_epoch", count_after(segment, 0))
            files.remove(segment.path)
            continue
        if rest:
            log.warning("spool: %d bytes at the end of %s are torn and cut off", rest, segment.path.name)
            counters.add(Count.RECORDS_DROPPED, "torn")
            files.truncate(segment.path, segment.size)
        if count_after(segment, state.acknowledged):
            segments.append(segment)
        else:
            files.remove(segment.path)
    last = max((segment.sequences[-1] for segment in segments), default=0)
    following = state.resume(last)
    states.save(folder, SpoolState(state.epoch, following, state.acknowledged), files, sync=True)
    return Opened(state.epoch, following, state.acknowledged, segments, lock)
