"""The bounded spool between what the agent observes and what the collector has stored.

Durability: appends go to the page cache and are not synced one by one, so that a killed agent loses nothing
and a power cut loses at most the segment being written. Segments are synced when they are full and at close
(`SpoolSettings.sync`). The state is written every few seconds, and before a segment is removed: what is then sent
twice counts once. While the disk takes nothing, what was killed with the agent is lost from memory, and shows as CPU
of nobody.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from errno import errorcode
from functools import partial
from pathlib import Path

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.clock import Clock
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.drops import Drops
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.ledger import Ledger, lives
from pivotscope_agent.pipeline.notes import Notes
from pivotscope_agent.pipeline.record import Record
from pivotscope_agent.pipeline.segment import DiskSegment, MemorySegment, Segment, count_after, positions_after
from pivotscope_agent.pipeline.state import SpoolState
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

_SAVE_EVERY_NS = 5_000_000_000
_PRUNE_EVERY_NS = 60_000_000_000
_RETRY_DISK_NS = 30_000_000_000
SENT_AHEAD = 64
"""Records that may be on their way beyond what the state says: few, so that a crash leaves few in doubt."""


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Bounds of a spool. Sizes in bytes; `memory_bytes` is what it may hold while the disk takes nothing."""

    folder: Path
    max_bytes: int = 256 * 1024 * 1024
    max_age_s: float = 24 * 3600.0
    memory_bytes: int = 8 * 1024 * 1024
    segment_bytes: int = 4 * 1024 * 1024
    sync: bool = True

    def segment_limit(self, *, on_disk: bool) -> int:
        """Size at which a segment is full: an eighth of the room at most, so that dropping one drops little."""
        return min(self.segment_bytes, (self.max_bytes if on_disk else self.memory_bytes) // 8)

    def room(self, *, on_disk: bool) -> int:
        """Bytes that segments of one kind may take together."""
        return self.max_bytes if on_disk else self.memory_bytes


@dataclass(slots=True)
class Opened:
    """What was found in a folder when the spool was opened. `lock` is None when there is only memory."""

    state: SpoolState
    segments: list[Segment] = field(default_factory=list)
    lock: int | None = None


class Spool:
    """Records in the order of their sequences, the oldest dropped and counted when a bound is reached.

    Safe to use from several threads. No method raises for what the disk does: a disk that fails is replaced
    by memory, tried again every half minute, and counted. `append`, `read`, `acknowledge`, `save` and `close` block as
    long as the disk does, the rest never.
    Use `opening.open_spool` to make one.
    """

    def __init__(
        self, settings: SpoolSettings, opened: Opened, *, counters: Counters, clock: Clock, files: Files
    ) -> None:
        found = opened.state
        self.epoch = found.epoch
        self.ledger = Ledger(found.accounts)
        self._settings = settings
        self._counters = counters
        self._clock = clock
        self._files = files
        self._mutex = threading.Lock()
        self._segments = opened.segments
        self._active: Segment | None = None
        self._next = found.next_sequence
        self._acknowledged = found.acknowledged
        self._may_be_sent = self._handed_out = self.sent_before = found.may_be_sent
        self._booked = found.booked
        self._generation = found.generation
        self._boot = found.boot
        self._drops = Drops(found.dropped, found.untold)
        self._gone: tuple[str, ...] = ()
        self._folder_lock = opened.lock
        self._retry_disk_at = 0
        self._saved_at = self._pruned_at = clock.monotonic_ns()
        self._unsaved = False
        self._unreadable: set[int] = set()

    @property
    def on_disk(self) -> bool:
        """Whether records survive the end of the process at the moment."""
        return self._folder_lock is not None and (self._active is None or self._active.on_disk)

    @property
    def acknowledged(self) -> int:
        """Every record up to this sequence is done with."""
        return self._acknowledged

    @property
    def last(self) -> int:
        """The highest sequence given out."""
        return self._next - 1

    @property
    def size(self) -> int:
        """Bytes held, on disk and in memory."""
        return sum(segment.size for segment in tuple(self._segments))

    @property
    def dropped(self) -> Mapping[str, int]:
        """Everything that was ever given up, by reason, since the spool's folder was first used."""
        return self._drops.totals()

    def pending(self) -> int:
        """Records that are not acknowledged."""
        return sum(count_after(segment, self._acknowledged) for segment in tuple(self._segments))

    def append(self, definitions: pb.Definitions, batch: pb.Batch) -> int:
        """Give the batch its sequence and the drops since the last one, and keep it; returns the sequence."""
        with self._mutex:
            self._expire()
            batch.sequence = self._next
            told = self._drops.take()
            batch.dropped.update(told)
            notes = Notes(self.ledger.entries(definitions, batch), told)
            body = definitions.SerializeToString(), batch.SerializeToString(), notes.pack()
            record = Record(self._next, self._clock.unix_ns(), *body)
            self._next += 1
            segment = self._keep(record)
            if segment is None:
                self._drops.tell_again(told)
                self.ledger.give_back(notes.entries, booked=False)
                self._count_drop("larger_than_spool", 1)
            else:
                segment.newest_ns = self._clock.monotonic_ns()
                if segment.on_disk:
                    self.ledger.book(notes.entries)
                self._counters.add(Count.RECORDS_SPOOLED, "disk" if segment.on_disk else "memory")
            self._booked = record.sequence
            if self._unsaved or self._drops.unsaved:
                self._save(clean=False)
            return record.sequence

    def read(self, after: int, limit: int = 1) -> list[Record]:
        """Up to `limit` records with a higher sequence, in order, to be sent. Damaged ones are counted and left out."""
        with self._mutex:
            found = self._read_after(max(after, self._acknowledged), limit)
            self._handed_out = max(self._handed_out, found[-1].sequence if found else 0)
            if self._handed_out > self._may_be_sent:
                self._may_be_sent = self._handed_out + SENT_AHEAD
                self._save(clean=False)
        return found

    def acknowledge(self, sequence: int) -> None:
        """Every record up to `sequence` is done with; segments that hold nothing else are removed."""
        with self._mutex:
            before = self._acknowledged
            self._acknowledged = max(before, min(sequence, self._next - 1))
            self._book_memory(before)
            self._discard([part for part in self._segments if part is not self._active and self._is_done(part)])
            if self._unsaved or self._drops.unsaved or self._clock.monotonic_ns() - self._saved_at >= _SAVE_EVERY_NS:
                self._save(clean=False)

    def note_dropped(self, reason: str, amount: int = 1) -> None:
        """Count something that was dropped elsewhere, and tell the collector with the next batch. Never blocks."""
        self._drops.note(reason, amount)

    def save(self) -> None:
        """Write the state now."""
        with self._mutex:
            self._save(clean=False)

    def close(self) -> None:
        """Make what is held durable and let go of the folder. Records in memory are lost and counted."""
        with self._mutex:
            self._seal_active()
            self._discard([part for part in self._segments if self._is_done(part)])
            memory = [part for part in self._segments if not part.on_disk]
            lost = sum(count_after(part, self._acknowledged) for part in memory)
            if lost:
                for segment in memory:
                    self._take_back(segment)
                self._count_drop("memory_only", lost)
                log.warning("%d records were only in memory and are lost with the end of the agent", lost)
            self._save(clean=True)
            if self._folder_lock is not None:
                descriptor, self._folder_lock = self._folder_lock, None
                self._attempt("unlock", lambda: self._files.close(descriptor))
            self._segments = []

    def _keep(self, record: Record) -> Segment | None:
        for on_disk in (True, False):
            if on_disk and not self._disk_usable():
                continue
            segment = self._writable(record, on_disk=on_disk)
            if segment is not None and self._attempt("write", partial(segment.append, record)):
                return segment
            if on_disk and segment is not None:
                self._give_up_disk()
        return None

    def _writable(self, record: Record, *, on_disk: bool) -> Segment | None:
        if record.size > self._settings.segment_limit(on_disk=on_disk) * 8:
            return None
        self._make_room(record.size, on_disk=on_disk)
        active = self._active
        full = active is not None and active.size + record.size > self._settings.segment_limit(on_disk=on_disk)
        if active is not None and active.on_disk == on_disk and not (full and active.sequences):
            return active
        self._seal_active()
        if not on_disk:
            self._active = MemorySegment()
        elif not self._attempt("create", lambda: self._create(record.sequence)):
            self._give_up_disk()
            return None
        if self._active is not None:
            self._segments.append(self._active)
        return self._active

    def _create(self, sequence: int) -> None:
        self._active = DiskSegment.create(self._settings.folder, self.epoch, sequence, self._files)

    def _make_room(self, needed: int, *, on_disk: bool) -> None:
        room = self._settings.room(on_disk=on_disk)
        while True:
            held = [segment for segment in self._segments if segment.on_disk == on_disk]
            if not held or sum(segment.size for segment in held) + needed <= room:
                return
            self._drop(held[0], "spool_full" if on_disk else "memory_full")

    def _expire(self) -> None:
        """Drop what is too old, by a clock that cannot be set: a step of the time of day ages nothing."""
        limit = self._clock.monotonic_ns() - int(self._settings.max_age_s * 1e9)
        for segment in [part for part in self._segments if part.sequences and part.newest_ns < limit]:
            self._drop(segment, "spool_age")

    def _drop(self, segment: Segment, reason: str) -> None:
        lost = count_after(segment, self._acknowledged)
        if lost:
            self._take_back(segment)
            self._count_drop(reason, lost)
        self._discard([segment])

    def _take_back(self, segment: Segment) -> None:
        """Undo what records that are about to be dropped stood for, unless the collector may have them all the same."""
        for position in positions_after(segment, self._acknowledged):
            record = self._read(segment, position)
            if record is None:
                continue
            notes = Notes.unpack(record.notes)
            if record.sequence > self._handed_out:
                self._drops.tell_again(notes.told)
                self.ledger.give_back(notes.entries, booked=segment.on_disk)
            elif not segment.on_disk:
                self.ledger.book(notes.entries)

    def _in_memory(self) -> Iterator[Notes]:
        """Notes of the records that end with the agent."""
        for segment in [part for part in self._segments if not part.on_disk]:
            for position in positions_after(segment, self._acknowledged):
                record = segment.read(position)
                if record is not None and record.notes:
                    yield Notes.unpack(record.notes)

    def _book_memory(self, before: int) -> None:
        """Book what was acknowledged out of memory: no file says so."""
        for segment in [part for part in self._segments if not part.on_disk]:
            for position in positions_after(segment, before):
                record = self._read(segment, position)
                if record is not None and record.sequence <= self._acknowledged:
                    self.ledger.book(Notes.unpack(record.notes).entries)
                    self._unsaved = True

    def _is_done(self, segment: Segment) -> bool:
        return not count_after(segment, self._acknowledged)

    def _discard(self, segments: list[Segment]) -> None:
        """Remove segments. The state says so first: an agent killed in between must not send them again."""
        self._gone = tuple(part.path.name for part in segments if isinstance(part, DiskSegment))
        if self._gone:
            self._save(clean=False)
        for segment in segments:
            if segment is self._active:
                self._active = None
            self._segments.remove(segment)
            self._attempt("remove", segment.remove)
        self._gone = ()

    def _seal_active(self) -> None:
        if self._active is not None:
            sealed, self._active = self._active, None
            self._attempt("seal", lambda: sealed.seal(sync=self._settings.sync))

    def _disk_usable(self) -> bool:
        return self._folder_lock is not None and self._clock.monotonic_ns() >= self._retry_disk_at

    def _give_up_disk(self) -> None:
        self._seal_active()
        self._retry_disk_at = self._clock.monotonic_ns() + _RETRY_DISK_NS
        log.warning(
            "spool %s takes no records; up to %d bytes are kept in memory and the disk is tried again in %d s",
            self._settings.folder, self._settings.memory_bytes, _RETRY_DISK_NS // 10**9,
        )  # fmt: skip

    def _read_after(self, after: int, limit: int) -> list[Record]:
        found: list[Record] = []
        for segment in self._segments:
            for position in positions_after(segment, after):
                if len(found) >= limit:
                    return found
                record = self._read(segment, position)
                if record is not None:
                    found.append(record)
        return found

    def _read(self, segment: Segment, position: int) -> Record | None:
        try:
            record = segment.read(position)
        except OSError as error:
            self._counters.add(Count.SPOOL_ERRORS, errorcode.get(error.errno or 0, "unknown"))
            log.warning("spool: cannot read: %s", error)
            record = None
        sequence = segment.sequences[position]
        if record is None and sequence not in self._unreadable:
            self._unreadable.add(sequence)
            self._count_drop("unreadable", 1)
        return record

    def _save(self, *, clean: bool) -> None:
        if self._folder_lock is None:
            return
        self._saved_at = self._clock.monotonic_ns()
        self._unsaved = self._drops.unsaved = False
        if self._saved_at - self._pruned_at >= _PRUNE_EVERY_NS:
            self._pruned_at = self._saved_at
            self.ledger.prune(lives)
            self._unreadable = {number for number in self._unreadable if number > self._acknowledged}
        self._generation += 1
        dropped, untold = self._drops.totals(), self._drops.untold()
        for notes in self._in_memory():
            untold.update(notes.told)
        state = SpoolState(
            self.epoch,
            self._next,
            self._acknowledged,
            clean=clean,
            generation=self._generation,
            may_be_sent=self._may_be_sent,
            booked=self._booked,
            boot=self._boot,
            accounts=self.ledger.accounts(),
            dropped=dropped,
            untold=untold,
            gone=self._gone,
        )
        self._attempt("save", lambda: states.save(self._settings.folder, state, self._files, sync=clean))

    def _count_drop(self, reason: str, amount: int) -> None:
        self._counters.add(Count.RECORDS_DROPPED, reason, amount)
        self.note_dropped(reason, amount)

    def _attempt(self, what: str, action: Callable[[], None]) -> bool:
        try:
            action()
        except OSError as error:
            self._counters.add(Count.SPOOL_ERRORS, errorcode.get(error.errno or 0, "unknown"))
            log.warning("spool: cannot %s: %s", what, error)
            return False
        return True
