"""Domain values as a receiver would read them from the wire."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from pivotscope.profile.facts import CodebaseFacts, FileFacts, FunctionFacts
from pivotscope.profile.function import Function
from pivotscope.profile.metric import MetricPoint, MetricSeries
from pivotscope.profile.window import Process, Sample, Usage, Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline.enums import LANGUAGES, METRIC_KINDS, METRIC_ROLES, MODES, OUTCOMES, OWNERS, reverse

Item = Window | MetricPoint | FileFacts | CodebaseFacts
Decode = Callable[[pb.Definitions, pb.Batch], list[Item]]

_LANGUAGES = reverse(LANGUAGES)
_OWNERS = reverse(OWNERS)
_MODES = reverse(MODES)
_OUTCOMES = reverse(OUTCOMES)
_KINDS = reverse(METRIC_KINDS)
_ROLES = reverse(METRIC_ROLES)


@dataclass(frozen=True, slots=True)
class _Names:
    processes: dict[int, Process]
    stacks: dict[int, tuple[Function, ...]]
    series: dict[int, MetricSeries]


def _names(definitions: pb.Definitions) -> _Names:
    functions = {
        one.id: Function(one.codebase, _LANGUAGES[one.language], one.path, one.qualified_name, _OWNERS[one.owner])
        for one in definitions.functions
    }
    processes = {
        one.id: Process(
            one.service,
            one.environment,
            one.version,
            one.variant,
            one.instance,
            one.host,
            one.pid,
            one.started_unix_ns,
            _LANGUAGES[one.language],
            one.runtime_version,
            one.container,
        )
        for one in definitions.processes
    }
    series = {
        one.id: MetricSeries(
            one.service,
            one.environment,
            one.version,
            one.variant,
            one.instance,
            one.name,
            _KINDS[one.kind],
            _ROLES[one.role],
            one.unit,
            tuple(sorted(one.labels.items())),
            tuple(one.bounds),
        )
        for one in definitions.series
    }
    stacks = {one.id: tuple(functions[number] for number in one.functions) for one in definitions.stacks}
    return _Names(processes, stacks, series)


def _window(message: pb.Window, names: _Names) -> Window:
    usage = message.usage
    rows = zip(message.stacks, message.lines, message.counts, message.native_counts, strict=True)
    return Window(
        process=names.processes[message.process],
        mode=_MODES[message.mode],
        outcome=_OUTCOMES[message.outcome],
        started_unix_ns=message.started_unix_ns,
        duration_ns=message.duration_ns,
        usage=Usage(
            usage.cpu_user_ns,
            usage.cpu_system_ns,
            usage.resident_bytes,
            usage.proportional_bytes,
            usage.read_bytes,
            usage.written_bytes,
            usage.threads,
            usage.run_delay_ns,
        ),
        rate_hz=message.rate_hz,
        ticks=message.ticks,
        late=message.late,
        errors=message.errors,
        gap_cpu_ns=message.gap_cpu_ns,
        sampler_cpu_ns=message.sampler_cpu_ns,
        stopped_ns=message.stopped_ns,
        left_out_ns=message.left_out_ns,
        samples=tuple(Sample(names.stacks[stack], line, count, native) for stack, line, count, native in rows),
        reason=message.reason,
    )


def _file(message: pb.FileFacts) -> FileFacts:
    functions = tuple(
        FunctionFacts(
            one.qualified_name,
            one.first_line,
            one.last_line,
            one.complexity,
            one.loops,
            one.loop_depth,
            one.parameters,
            one.calls,
            one.attributes,
            one.subscripts,
            one.arithmetic,
            one.awaits,
            one.strings,
        )
        for one in message.functions
    )
    return FileFacts(
        message.codebase,
        _LANGUAGES[message.language],
        message.path,
        message.content_hash,
        message.lines,
        functions,
    )


@pytest.fixture(scope="session")
def decode() -> Decode:
    """Read a batch with its definitions; windows first, then points, files and codebases."""

    def read(definitions: pb.Definitions, batch: pb.Batch) -> list[Item]:
        names = _names(definitions)
        points = [
            MetricPoint(
                names.series[one.series],
                one.unix_ns,
                one.start_unix_ns,
                one.value,
                one.count,
                tuple(one.buckets),
            )
            for one in batch.points
        ]
        codebases = [CodebaseFacts(one.codebase, one.total_files, one.total_lines) for one in batch.codebases]
        windows = [_window(one, names) for one in batch.windows]
        return [*windows, *points, *map(_file, batch.files), *codebases]

    return read
