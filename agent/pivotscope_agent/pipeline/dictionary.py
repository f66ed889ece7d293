"""Interning: values that repeat become dense ids, and each is defined once."""

from collections.abc import Iterable

from pivotscope.profile.function import Function
from pivotscope.profile.metric import MetricSeries
from pivotscope.profile.window import Process
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.pipeline.enums import LANGUAGES, METRIC_KINDS, METRIC_ROLES, OWNERS

# What the collector takes; one value beyond would cost the batch.
MAX_TEXT = 4096
MAX_DEPTH = 4096


class Dictionary:
    """Ids of processes, functions, stacks and series, dense from 1 in each kind.

    `definitions` holds the messages of everything interned so far, in the order of the ids; a function
    stands before the stacks that use it because the kinds are applied in the order of their fields.
    """

    def __init__(self) -> None:
        self.definitions = pb.Definitions()
        self._processes: dict[Process, int] = {}
        self._functions: dict[Function, int] = {}
        # Resolvers hand out the same object for the same function, and to look at its address costs a tenth of hashing
        # it. The objects are kept, so that an address stays its own.
        self._numbers: dict[int, int] = {}
        self._alive: list[Function] = []
        self._stacks: dict[tuple[int, ...], int] = {}
        self._series: dict[MetricSeries, int] = {}

    def process(self, process: Process) -> int:
        """Id of a process."""
        known = self._processes.get(process)
        if known is None:
            known = self._processes[process] = len(self._processes) + 1
            self.definitions.processes.append(encode_process(process, known))
        return known

    def function(self, function: Function) -> int:
        """Id of a function."""
        known = self._functions.get(function)
        if known is None:
            known = self._functions[function] = len(self._functions) + 1
            self.definitions.functions.append(encode_function(function, known))
        self._numbers[id(function)] = known
        self._alive.append(function)
        return known

    def stack(self, functions: tuple[Function, ...]) -> int:
        """Id of a stack, given root first."""
        number = self._numbers.get
        ids = tuple([number(id(function)) or self.function(function) for function in shortened(functions)])
        known = self._stacks.get(ids)
        if known is None:
            known = self._stacks[ids] = len(self._stacks) + 1
            self.definitions.stacks.add(id=known, functions=ids)
        return known

    def series(self, series: MetricSeries) -> int:
        """Id of a metric series."""
        known = self._series.get(series)
        if known is None:
            known = self._series[series] = len(self._series) + 1
            self.definitions.series.append(encode_series(series, known))
        return known


def encode_process(process: Process, number: int) -> pb.Process:
    """The wire's form of a process."""
    return pb.Process(
        id=number,
        service=text(process.service),
        environment=text(process.environment),
        version=text(process.version),
        variant=text(process.variant),
        instance=text(process.instance),
        host=text(process.host),
        pid=process.pid,
        started_unix_ns=process.started_unix_ns,
        language=LANGUAGES[process.language],
        runtime_version=text(process.runtime_version),
        container=text(process.container),
    )


def encode_function(function: Function, number: int) -> pb.Function:
    """The wire's form of a function."""
    return pb.Function(
        id=number,
        codebase=text(function.codebase),
        language=LANGUAGES[function.language],
        path=text(function.path),
        qualified_name=text(function.qualified_name),
        owner=OWNERS[function.owner],
    )


def encode_series(series: MetricSeries, number: int) -> pb.MetricSeries:
    """The wire's form of a metric series."""
    return pb.MetricSeries(
        id=number,
        service=text(series.service),
        environment=text(series.environment),
        version=text(series.version),
        variant=text(series.variant),
        instance=text(series.instance),
        name=text(series.name),
        kind=METRIC_KINDS[series.kind],
        role=METRIC_ROLES[series.role],
        unit=text(series.unit),
        labels=labels(series.labels),
        bounds=series.bounds,
    )


def labels(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Labels as the wire has them."""
    return {text(name): text(value) for name, value in pairs}


def shortened(functions: tuple[Function, ...]) -> tuple[Function, ...]:
    """A stack of at most MAX_DEPTH functions: of a deeper one, its two ends. Recursion is what makes them so deep."""
    half = MAX_DEPTH // 2
    return functions if len(functions) <= MAX_DEPTH else functions[:half] + functions[-half:]


def text(value: str) -> str:
    r"""A string that protobuf takes: bytes of a path that are not UTF-8 are written as `\udcNN`.

    Such bytes reach Python as lone surrogates, which protobuf refuses together with the whole message. What is
    longer than MAX_TEXT characters is cut.
    """
    value = value[:MAX_TEXT]
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")[:MAX_TEXT]
