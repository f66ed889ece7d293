"""A stream's dictionary: the agent's small numbers, and what they stand for in the store."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.function import function_id, stack_id
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.names import LANGUAGES, METRIC_KINDS, METRIC_ROLES, OWNERS
from pivotscope_collector.ingest.refusal import Refusal, invalid, unknown
from pivotscope_collector.store.rows import Row


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

    `stack_ids` and `stack_leaves` are indexed by the agent's number of a stack: its 64-bit id, and the 64-bit id of
    its last function. They grow by doubling, so take them anew for every batch.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._wrong: dict[tuple[str, int], str] = {}
        self._function_ids: dict[int, int] = {}
        self.processes: dict[int, pb.Process] = {}
        self.functions: dict[int, Row] = {}
        self.series: dict[int, Series] = {}
        self.stacks: dict[int, NDArray[np.uint64]] = {}
        self.stack_ids: NDArray[np.uint64] = np.zeros(1024, np.uint64)
        self.stack_leaves: NDArray[np.uint64] = np.zeros(1024, np.uint64)
        self.stack_known: NDArray[np.bool_] = np.zeros(1024, np.bool_)

    def define(self, definitions: pb.Definitions) -> None:
        """Apply a message. What is wrong in it is kept as the reason for refusing what refers to it."""
        for process in definitions.processes:
            if self._accept("process", process.id, self._process(process)):
                self.processes[process.id] = process
        for function in definitions.functions:
            if self._accept("function", function.id, self._function(function)):
                self._add_function(function)
        for stack in definitions.stacks:
            if self._accept("stack", stack.id, self._stack(stack)):
                self._add_stack(stack)
        for series in definitions.series:
            if self._accept("series", series.id, self._series(series)):
                self.series[series.id] = _series(series)

    def missing(self, kind: str, number: int, where: str) -> Refusal:
        """The refusal of a reference that cannot be resolved: wrongly defined, or not defined yet."""
        reason = self._wrong.get((kind, number))
        return invalid(f"{where}: {kind} {number} was refused: {reason}") if reason else unknown(kind, number, where)

    def _accept(self, kind: str, number: int, problems: Iterator[str]) -> bool:
        problem = next(problems, "")
        if not 1 <= number <= self._limits.definitions:
            problem = f"id {number} is not within 1 and {self._limits.definitions}"
        if problem:
            if len(self._wrong) < 10_000:
                self._wrong[kind, number] = problem
            return False
        self._wrong.pop((kind, number), None)
        return True

    def _add_function(self, message: pb.Function) -> None:
        key = function_id(message.codebase, LANGUAGES[message.language], message.path, message.qualified_name)
        self._function_ids[message.id] = key
        self.functions[key] = (
            key,
            message.codebase,
            LANGUAGES[message.language],
            message.path,
            message.qualified_name,
            OWNERS[message.owner],
        )

    def _add_stack(self, message: pb.Stack) -> None:
        functions = tuple(self._function_ids[number] for number in message.functions)
        key = stack_id(functions)
        self.stacks[key] = np.array(functions, np.uint64)
        if message.id >= len(self.stack_ids):
            room = max(message.id + 1, 2 * len(self.stack_ids))
            self.stack_ids = np.concatenate([self.stack_ids, np.zeros(room - len(self.stack_ids), np.uint64)])
            self.stack_leaves = np.concatenate([self.stack_leaves, np.zeros(room - len(self.stack_leaves), np.uint64)])
            self.stack_known = np.concatenate([self.stack_known, np.zeros(room - len(self.stack_known), np.bool_)])
        self.stack_ids[message.id] = key
        self.stack_leaves[message.id] = functions[-1]
        self.stack_known[message.id] = True

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
        yield from (
            f"function {number} is not defined" for number in message.functions if number not in self._function_ids
        )

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
    key = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    row: Row = (key, *identity, METRIC_ROLES[message.role], message.unit, labels, bounds)
    return Series(
        series_id=key,
        row=row,
        service=message.service,
        histogram=message.kind == pb.METRIC_KIND_HISTOGRAM,
        counter=message.kind == pb.METRIC_KIND_COUNTER,
        buckets=len(bounds) + 1,
    )
