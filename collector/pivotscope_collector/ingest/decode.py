"""Batches of many streams as rows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain

import numpy as np
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.counts import rows
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.names import LANGUAGES
from pivotscope_collector.ingest.stacks import Stacks
from pivotscope_collector.ingest.windows import Windows, columns
from pivotscope_collector.store.rows import U32, U64, WINDOW, Row, Rows, Samples, chained, u32

_MS = 1_000_000
_NONE: U64 = np.empty(0, np.uint64)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a batch: with its sequence, its name for ever."""

    agent: str
    epoch: int


@dataclass(slots=True)
class Received:
    """A batch, the dictionary of its stream, when it came (unix time), and rows of agents to be stored with it.

    `defined` are the stacks that the stream brought since the batch before.
    """

    batch: pb.Batch
    dictionary: Dictionary
    origin: Origin
    now_ns: int = 0
    agents: Sequence[Row] = ()
    defined: Sequence[U32] = ()

    def __len__(self) -> int:
        return rows(self.batch)


@dataclass(slots=True)
class _Samples:
    """Samples of windows: stacks as ids and as numbers of the streams' dictionaries, an array of each a stream."""

    ids: list[U64] = field(default_factory=list)
    numbers: list[U32] = field(default_factory=list)
    owners: list[Dictionary] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    natives: list[int] = field(default_factory=list)

    def resolve(self, stacks: list[int], dictionary: Dictionary) -> bool:
        """Add the stacks of a stream's windows; False where one is beyond its dictionary."""
        if stacks and max(stacks) >= len(dictionary.stack_ids):
            return False
        self.add(u32(stacks), dictionary)
        return True

    def add(self, numbers: U32, dictionary: Dictionary) -> None:
        """Add stacks that the dictionary has room for."""
        self.numbers.append(numbers)
        self.ids.append(dictionary.stack_ids[numbers])
        self.owners.append(dictionary)


def decode(received: Sequence[Received], limits: Limits | None = None) -> Rows | None:
    """Rows of batches, those of a stream together. With `limits`: nothing where anything is not plainly within them.

    Batches that `validate.check` passed need no limits. It is the judge: this only tells quickly that all is well.
    """
    windows, taken = Windows(), _Samples()
    streams: dict[int, list[Received]] = {}
    for one in received:
        streams.setdefault(id(one.dictionary), []).append(one)
    for batches in streams.values():
        stacks: list[int] = []
        if not all(_take(one, windows, taken, stacks, limits) for one in batches):
            return None
        if not taken.resolve(stacks, batches[0].dictionary):
            return None
    found = columns(windows, limits)
    if found is None:
        return None
    counts, natives, lines = u32(taken.counts), u32(taken.natives), u32(taken.lines)
    many = len(windows.messages)
    window = np.repeat(np.arange(many), windows.lengths)
    sums = np.bincount(window, counts, many).astype(np.int64)
    ids = np.concatenate([_NONE, *taken.ids])
    if limits and len(counts) and not (
        counts.all()
        and (natives <= counts).all()
        and sums.max() <= limits.samples_per_window
        and (sums <= limits.sampled_ns // np.maximum(1, np.array(found["period_ns"], np.int64))).all()
        and lines.max() <= limits.line
        and ids.all()
    ):  # fmt: skip
        return None
    for one in received:
        for numbers in one.defined:
            taken.add(numbers, one.dictionary)
    offered = np.concatenate([_NONE, *taken.ids])
    found["samples"] = sums.tolist()
    found["native_samples"] = np.bincount(window, natives, many).astype(np.int64).tolist()
    return replace(
        _others(received),
        windows=list(zip(*(found[name] for name in WINDOW), strict=True)) if many else [],
        samples=Samples(window=window, stack_id=ids, line=lines, count=counts, native=natives),
        defined=offered[len(ids) :],
        stacks=Stacks(offered, taken.numbers, taken.owners),
        functions=chained([one.dictionary.functions for one in received]),
    )


def _others(received: Sequence[Received]) -> Rows:
    """Points and facts: they come seldom."""
    points: list[Row] = []
    series: dict[int, Row] = {}
    for one in received:
        offset = one.batch.clock_offset_ns
        for point in one.batch.points:
            known = one.dictionary.series[point.series]
            series[known.series_id] = known.row
            at, start = (max(0, ns + offset) // _MS for ns in (point.unix_ns, point.start_unix_ns))
            points.append((known.service, known.series_id, at, start, point.value, point.count, list(point.buckets)))
    files = chain.from_iterable(one.batch.files for one in received)
    codebases = chain.from_iterable(one.batch.codebases for one in received)
    return Rows(
        series=series,
        points=points,
        code_functions=[row for file in files for row in _code(file)],
        agents=[row for one in received for row in one.agents],
        codebases=[(facts.codebase, facts.total_files, facts.total_lines) for facts in codebases],
    )


def window_prefix(origin: Origin, sequence: int) -> bytes:
    """What the windows of a batch hash together with their position in it."""
    agent = origin.agent.encode()
    return len(agent).to_bytes(4, "big") + agent + origin.epoch.to_bytes(8, "big") + sequence.to_bytes(8, "big")


def _take(one: Received, windows: Windows, samples: _Samples, stacks: list[int], limits: Limits | None) -> bool:
    """Take a batch's windows apart; False where what they refer to is not known, or the batch is beyond the limits."""
    batch, places = one.batch, one.dictionary.places
    offset, sequence = batch.clock_offset_ns, batch.sequence
    if limits and not (sequence and abs(offset) <= limits.amount and len(batch.windows) <= limits.parts):
        return False
    messages = batch.windows[:]
    prefix = window_prefix(one.origin, sequence)
    for position, message in enumerate(messages):
        place = places.get(message.process)
        numbers, lines = message.stacks[:], message.lines[:]
        counts, natives = message.counts[:], message.native_counts[:]
        many = len(numbers)
        if place is None or not len(lines) == len(counts) == len(natives) == many:
            return False
        key = int.from_bytes(blake2b(prefix + position.to_bytes(4, "big"), digest_size=8).digest(), "big")
        windows.messages.append(message)
        windows.places.append(place)
        windows.identities.append((key, one.origin.agent, one.origin.epoch, sequence, position))
        windows.offsets.append(offset)
        windows.came_ns.append(one.now_ns - offset)
        windows.lengths.append(many)
        stacks += numbers
        samples.lines += lines
        samples.counts += counts
        samples.natives += natives
    return True


def _code(file: pb.FileFacts) -> list[Row]:
    return [
        (
            file.codebase,
            LANGUAGES[file.language],
            file.path,
            function.qualified_name,
            function.first_line,
            function.last_line,
            function.complexity,
            function.loops,
            function.loop_depth,
            function.parameters,
            function.calls,
            function.attributes,
            function.subscripts,
            function.arithmetic,
            function.awaits,
            function.strings,
            function.keyed,
            file.content_hash,
        )
        for function in file.functions
    ]
