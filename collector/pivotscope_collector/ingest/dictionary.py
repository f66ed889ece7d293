"""A stream's dictionary: the agent's small numbers, and what they stand for in the store."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.function import Owner, function_id
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.errors import UsageError
from pivotscope_collector.ingest.cardinality import OTHER, FunctionRow, Names, other_function
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.names import LANGUAGES, METRIC_KINDS, METRIC_ROLES, OWNERS
from pivotscope_collector.ingest.refusal import Refusal, cardinality, forbidden, invalid, unknown
from pivotscope_collector.security.grant import ANYONE, Grant
from pivotscope_collector.store.rows import U32, U64, Row, u32

_MS = 1_000_000
Vouch = Callable[[int], None]
"""Takes the id of a function."""
_REASONS = 10_000
"""Definitions that are remembered as wrong, or not allowed, with what is wrong with them."""
_NAMED_BYTES = 512
"""What a definition with names takes beside their text."""
_SHARED_BYTES = 512
_MATERIAL = np.dtype([("size", ">u4"), ("id", ">u8")])


@dataclass(frozen=True, slots=True)
class Series:
    """A defined series: its id, its row, and what its points must look like."""

    series_id: int
    row: Row
    service: str
    histogram: bool
    counter: bool
    buckets: int


class Dictionary:
    """Grows with the stream, and dies with it. Ids are the agent's; a wrong definition spoils only batches that use it.

    `stack_ids` is indexed by the agent's number of a stack: its 64-bit id, 0 where not known. It grows by doubling,
    so take it anew for every batch. Stacks keep the agent's numbers of their functions, two bytes each where that does.
    `vouch` is told of each function that is the application's own by the word of who may write its codebase.
    """

    def __init__(
        self, limits: Limits, grant: Grant = ANYONE, names: Names | None = None, vouch: Vouch | None = None
    ) -> None:
        self._limits = limits
        self._names = names
        self._vouch = vouch
        self.grant = grant
        self._forbidden: dict[tuple[str, int], str] = {}
        self._wrong: dict[tuple[str, int], str] = {}
        self._too_many: dict[tuple[str, int], str] = {}
        self._defined = self._bytes = self._members = 0
        self._function_ids: U64 = np.zeros(1024, np.uint64)
        self.places: dict[int, Row] = {}
        self.functions: dict[int, Row] = {}
        self.series: dict[int, Series] = {}
        self.stack_ids: U64 = np.zeros(1024, np.uint64)
        # Where the functions of a stack are: the number of a chunk, and the place in it.
        self._chunks: list[U32 | NDArray[np.uint16]] = []
        self._spans: NDArray[np.uint32] = np.zeros((1024, 3), np.uint32)

    def define(self, definitions: pb.Definitions) -> U32:
        """Apply a message; numbers of the stacks that it brought.

        What is wrong in it is kept as the reason for refusing what refers to it. Raises UsageError where a stream
        defines more than it has numbers for: it defines the same again and again, and all of it is kept.
        """
        named = len(definitions.processes) + len(definitions.functions) + len(definitions.series)
        self._defined += named + len(definitions.stacks)
        self._bytes += definitions.ByteSize() + named * _NAMED_BYTES
        if self._defined > self._limits.defined:
            raise UsageError(f"more than {self._limits.defined} definitions on one stream; open a new stream")
        if self._bytes > self._limits.definition_bytes:
            raise UsageError(f"definitions of more than {self._limits.definition_bytes} bytes; open a new stream")
        for process in definitions.processes:
            if self._accept("process", process.id, self._process(process), process.service):
                self.places[process.id] = _place(self._names.process(process) if self._names else process)
        for function in definitions.functions:
            if self._accept("function", function.id, self._function(function)):
                self._add_function(function)
        stacks = self._define_stacks(definitions.stacks)
        for series in definitions.series:
            if self._accept("series", series.id, self._series(series), series.service):
                self._add_series(series)
        return stacks

    def missing(self, kind: str, number: int, where: str) -> Refusal:
        """The refusal of a reference that cannot be resolved: wrongly defined, or not defined yet."""
        if (kind, number) in self._forbidden:
            return forbidden(where, self._forbidden[kind, number], self.grant.rights)
        if (kind, number) in self._too_many:
            return cardinality(f"{where}: {self._too_many[kind, number]}")
        reason = self._wrong.get((kind, number))
        return invalid(f"{where}: {kind} {number} was refused: {reason}") if reason else unknown(kind, number, where)

    def _accept(self, kind: str, number: int, problems: Iterator[str], service: str = "") -> bool:
        problem = next(problems, "")
        if not problem and service and not self.grant.may_write(service):
            if len(self._forbidden) < _REASONS:
                self._forbidden[kind, number] = service
            return False
        if not 1 <= number <= self._limits.definitions:
            problem = f"id {number} is not within 1 and {self._limits.definitions}"
        if problem:
            if len(self._wrong) < _REASONS:
                self._wrong[kind, number] = problem
            return False
        self._wrong.pop((kind, number), None)
        return True

    def functions_of(self, number: int) -> U64:
        """Function ids of a known stack, root first."""
        chunk, begin, end = self._spans[number].tolist()
        ids: U64 = self._function_ids[self._chunks[chunk][begin:end]]
        return ids

    def _add_function(self, message: pb.Function) -> None:
        names = (message.codebase, LANGUAGES[message.language], message.path, message.qualified_name)
        # What is shared is bounded by its number: long names are not.
        row_of = _shared_row if message.ByteSize() <= _SHARED_BYTES else _function_row
        row = row_of(*names, OWNERS[message.owner])
        if self._names:
            row = self._names.function(row)
        self._function_ids = _grown(self._function_ids, message.id)
        self._function_ids[message.id] = key = row[0]
        self.functions[key] = row
        if self._vouch and row[5] == Owner.APPLICATION and self.grant.may_write(row[1]):
            self._vouch(key)

    def _define_stacks(self, messages: Sequence[pb.Stack]) -> U32:
        own, numbers, lengths = _members(messages)
        fit = self._fit(own, numbers, lengths)
        if not fit.all():
            for place in np.flatnonzero(~fit)[: _REASONS - len(self._wrong)].tolist():
                self._accept("stack", messages[place].id, self._stack(messages[place]))
            messages = [messages[place] for place in np.flatnonzero(fit).tolist()]
            own, numbers, lengths = _members(messages)
        if self._wrong:
            for number in own.tolist():
                self._wrong.pop(("stack", number), None)
        if messages:
            self._add_stacks(own, numbers, lengths)
            beyond = self._names.stacks_beyond(self.stack_ids[own].tolist()) if self._names else []
            if beyond:
                self._fold([messages[position] for position in beyond])
        return own

    def _fit(self, own: U32, numbers: U32, lengths: Sequence[int]) -> NDArray[np.bool_]:
        """Of each stack, whether it is right; what is wrong with it is `_stack` to say."""
        limits, known = self._limits, self._function_ids
        many = np.array(lengths, np.int64)
        unknown = (numbers >= len(known)) | (known[np.minimum(numbers, len(known) - 1)] == 0)
        before, ends = np.append(0, np.cumsum(unknown)), np.cumsum(many)
        fit: NDArray[np.bool_] = (before[ends] == before[ends - many]) & (many >= 1) & (many <= limits.stack_depth)
        fit &= (own >= 1) & (own <= limits.definitions)
        return fit

    def _add_stacks(self, own: U32, numbers: U32, lengths: Sequence[int]) -> None:
        """Ids are `stack_id` of the profile model: a hash over length-delimited function ids."""
        self._members += len(numbers)
        if self._members > self._limits.members:
            raise UsageError(f"stacks of more than {self._limits.members} functions on one stream; open a new stream")
        ends = np.cumsum(lengths)
        material = np.empty(len(numbers), _MATERIAL)
        material["size"] = 8
        material["id"] = self._function_ids[numbers]
        data = memoryview(material.tobytes())
        bounds = (ends * _MATERIAL.itemsize).tolist()
        digests = [blake2b(data[a:b], digest_size=8).digest() for a, b in pairwise([0, *bounds])]
        self.stack_ids = _grown(self.stack_ids, int(own.max()))
        self._spans = _grown(self._spans, int(own.max()))
        self._spans[own, 0] = len(self._chunks)
        self._spans[own, 1] = np.concatenate([[0], ends[:-1]])
        self._spans[own, 2] = ends
        self._chunks.append(numbers.astype(np.uint16) if numbers.max() < 1 << 16 else numbers)
        self.stack_ids[own] = np.frombuffer(b"".join(digests), ">u8")

    def _fold(self, messages: Sequence[pb.Stack]) -> None:
        """Stacks that are too many keep their leaf, and with it self times, under what stands for callers."""
        bucket = self._limits.definitions + 1
        leaf = int(self._function_ids[messages[0].functions[-1]])
        self._function_ids = _grown(self._function_ids, bucket)
        row = other_function(OTHER, str(self.functions[leaf][2]))
        self._function_ids[bucket] = row[0]
        self.functions[row[0]] = row
        short = [pb.Stack(id=message.id, functions=[bucket, message.functions[-1]]) for message in messages]
        self._add_stacks(*_members(short))

    def _add_series(self, message: pb.MetricSeries) -> None:
        series = _series(message)
        problem = self._names.series(message, series.series_id) if self._names else ""
        if not problem:
            self.series[message.id] = series
        elif len(self._too_many) < _REASONS:
            self._too_many["series", message.id] = problem

    def _texts(self, values: Iterable[str]) -> Iterator[str]:
        longest = max(map(len, values))
        if longest > self._limits.text_length:
            yield f"text of {longest} characters, at most {self._limits.text_length}"

    def _process(self, message: pb.Process) -> Iterator[str]:
        if not message.service:
            yield "service is empty"
        if message.language not in LANGUAGES:
            yield f"language {message.language} is not known"
        if not 0 <= message.started_unix_ns < 2**62:
            yield f"started_unix_ns is {message.started_unix_ns}"
        names = (message.service, message.environment, message.version, message.variant, message.instance)
        yield from self._texts((*names, message.host, message.runtime_version, message.container))

    def _function(self, message: pb.Function) -> Iterator[str]:
        if not message.qualified_name:
            yield "qualified_name is empty"
        if message.language not in LANGUAGES:
            yield f"language {message.language} is not known"
        if message.owner not in OWNERS:
            yield f"owner {message.owner} is not known"
        yield from self._texts((message.codebase, message.path, message.qualified_name))

    def _stack(self, message: pb.Stack) -> Iterator[str]:
        if not 1 <= len(message.functions) <= self._limits.stack_depth:
            yield f"{len(message.functions)} functions, expected 1 to {self._limits.stack_depth}"
        known = self._function_ids
        for number in message.functions:
            if number >= len(known) or not known[number]:
                yield f"function {number} is not defined"

    def _series(self, message: pb.MetricSeries) -> Iterator[str]:
        if not message.service or not message.name:
            yield "service or name is empty"
        if message.kind not in METRIC_KINDS:
            yield f"kind {message.kind} is not known"
        if message.role not in METRIC_ROLES:
            yield f"role {message.role} is not known"
        if len(message.labels) > self._limits.labels:
            yield f"{len(message.labels)} labels, at most {self._limits.labels}"
        if len(message.bounds) > self._limits.buckets:
            yield f"{len(message.bounds)} bounds, at most {self._limits.buckets}"
        if not all(low < high for low, high in pairwise([-inf, *message.bounds, inf])):
            yield "bounds do not ascend, or one of them is not finite"
        yield from self._texts(_names(message))


def _members(messages: Sequence[pb.Stack]) -> tuple[U32, U32, list[int]]:
    """Numbers of stacks, function numbers of them, one after the other, and how many each has."""
    own: list[int] = []
    numbers: list[int] = []
    lengths: list[int] = []
    for message in messages:
        own.append(message.id)
        # A slice of a repeated field is a list, which costs less than going over the field.
        functions = message.functions[:]
        numbers += functions
        lengths.append(len(functions))
    return u32(own), u32(numbers), lengths


def _place(process: pb.Process) -> Row:
    """Columns of windows that tell where they were taken."""
    return (
        process.service, process.environment, process.version, process.variant, LANGUAGES[process.language],
        process.instance, process.host, process.pid, process.started_unix_ns // _MS, process.runtime_version,
        process.container,
    )  # fmt: skip


def _function_row(codebase: str, language: str, path: str, name: str, owner: str) -> FunctionRow:
    """A row of functions."""
    return function_id(codebase, language, path, name), codebase, language, path, name, owner


_shared_row = lru_cache(maxsize=200_000)(_function_row)
"""The same, shared by streams that run the same code."""


def _grown(array: NDArray[Any], number: int) -> NDArray[Any]:
    """An array with room for this index: itself, or one at least twice as long."""
    if number < len(array):
        return array
    grown = np.zeros((max(number + 1, 2 * len(array)), *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown


def _names(message: pb.MetricSeries) -> Iterator[str]:
    yield from (
        message.service,
        message.name,
        message.environment,
        message.version,
        message.variant,
        message.instance,
        message.unit,
    )
    for name, value in message.labels.items():
        yield name
        yield value


def _series(message: pb.MetricSeries) -> Series:
    labels = dict(sorted(message.labels.items()))
    bounds = list(message.bounds)
    identity = (
        message.service,
        message.environment,
        message.version,
        message.variant,
        message.instance,
        message.name,
        METRIC_KINDS[message.kind],
    )
    text = json.dumps([identity, labels, bounds], separators=(",", ":"))
    key = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    row: Row = (key, *identity, METRIC_ROLES[message.role], message.unit, labels, bounds)
    return Series(
        series_id=key,
        row=row,
        service=message.service,
        histogram=message.kind == pb.METRIC_KIND_HISTOGRAM,
        counter=message.kind == pb.METRIC_KIND_COUNTER,
        buckets=len(bounds) + 1,
    )
