"""Domain values to the wire's messages. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pivotscope.profile.facts import CodebaseFacts, FileFacts, FunctionFacts
from pivotscope.profile.metric import MetricPoint
from pivotscope.profile.window import Mode, Outcome, Usage, Window
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.pipeline.dictionary import Dictionary, text
from pivotscope_agent.pipeline.enums import LANGUAGES, MODES, OUTCOMES

Item = Window | MetricPoint | FileFacts | CodebaseFacts

MAX_ITEMS = 4_000
"""Windows, points and facts in one batch; the collector takes no more than 4,096."""

_OVERSIZED = "samples left out: more stacks than one message holds"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch without a sequence, and the definitions of every id in it: sendable on its own."""

    definitions: pb.Definitions
    batch: pb.Batch


@dataclass(slots=True)
class Encoding:
    """What became of a list of items: records, and one message for each item that could not be encoded."""

    records: list[Encoded] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def encode(items: Iterable[Item], *, clock_offset_ns: int, max_batch_bytes: int) -> Encoding:
    """Encode items, in order, into as few self-contained records as fit.

    No batch is larger than `max_batch_bytes`; definitions are messages of their own and can be cut anywhere.
    A window that alone exceeds the limit is sent without its samples and as failed, so that its CPU
    is still accounted for. An item with a value out of its field's range is refused and named.
    """
    result = Encoding()
    builder = _Builder(clock_offset_ns)
    for item in items:
        try:
            size = builder.add(item)
            if builder.items > 1 and (builder.size > max_batch_bytes or builder.items > MAX_ITEMS):
                builder.remove_last()
                result.records.append(builder.build())
                builder = _Builder(clock_offset_ns)
                size = builder.add(item)
            if size > max_batch_bytes:
                builder = _Builder(clock_offset_ns)
                if not isinstance(item, Window):
                    result.refused.append(f"{_name(item)}: {size} bytes, at most {max_batch_bytes} fit a message")
                    continue
                builder.add(without_samples(item))
        except (ValueError, TypeError, KeyError) as error:
            result.refused.append(f"{_name(item)}: {error}")
    if builder.items:
        result.records.append(builder.build())
    return result


def without_samples(window: Window) -> Window:
    """The same window as a failed one: resource use stays, samples go."""
    return replace(window, outcome=Outcome.SAMPLER_FAILED, mode=Mode.NONE, samples=(), reason=_OVERSIZED)


class _Builder:
    """A record in the making; `size` follows the batch's serialised size from above."""

    def __init__(self, clock_offset_ns: int) -> None:
        self._dictionary = Dictionary()
        self._batch = pb.Batch(clock_offset_ns=clock_offset_ns)
        # Sequence and drop counts are set later; their room is taken now.
        self.size = 512
        self.items = 0
        self._last: tuple[str, int] = ("", 0)

    def add(self, item: Item) -> int:
        """Add an item; returns the bytes that it takes in the batch."""
        batch = self._batch
        message: pb.Window | pb.MetricPoint | pb.FileFacts | pb.CodebaseFacts
        match item:
            case Window():
                column, message = "windows", encode_window(item, self._dictionary)
                batch.windows.append(message)
            case MetricPoint():
                column, message = "points", encode_point(item, self._dictionary)
                batch.points.append(message)
            case FileFacts():
                column, message = "files", encode_file(item)
                batch.files.append(message)
            case CodebaseFacts():
                column, message = "codebases", encode_codebase(item)
                batch.codebases.append(message)
        size = message.ByteSize() + 6
        self.size += size
        self.items += 1
        self._last = column, size
        return size

    def remove_last(self) -> None:
        """Take the last item out again; definitions that only it needed stay and do no harm."""
        column, size = self._last
        del getattr(self._batch, column)[-1]
        self.size -= size
        self.items -= 1

    def build(self) -> Encoded:
        return Encoded(definitions=self._dictionary.definitions, batch=self._batch)


def encode_window(window: Window, dictionary: Dictionary) -> pb.Window:
    """A window with its samples as columns of equal length.

    A row without functions or samples stands for nothing and is left out, as are the rows of a window that is
    not complete: the collector refuses a whole batch for one of them.
    """
    complete = window.outcome is Outcome.COMPLETE and window.mode is not Mode.NONE
    samples = [sample for sample in window.samples if complete and sample.stack and sample.count]
    stack = dictionary.stack
    return pb.Window(
        process=dictionary.process(window.process),
        mode=MODES[window.mode],
        outcome=OUTCOMES[window.outcome],
        started_unix_ns=window.started_unix_ns,
        duration_ns=window.duration_ns,
        rate_hz=window.rate_hz,
        ticks=window.ticks,
        late=window.late,
        errors=window.errors,
        usage=encode_usage(window.usage),
        gap_cpu_ns=window.gap_cpu_ns,
        sampler_cpu_ns=window.sampler_cpu_ns,
        stopped_ns=window.stopped_ns,
        left_out_ns=window.left_out_ns,
        stacks=[stack(sample.stack) for sample in samples],
        lines=[sample.line for sample in samples],
        counts=[sample.count for sample in samples],
        native_counts=[min(sample.native, sample.count) for sample in samples],
        reason=text(window.reason),
    )


def encode_usage(usage: Usage) -> pb.Usage:
    """Resource use of a window."""
    return pb.Usage(
        cpu_user_ns=usage.cpu_user_ns,
        cpu_system_ns=usage.cpu_system_ns,
        resident_bytes=usage.resident_bytes,
        proportional_bytes=usage.proportional_bytes,
        read_bytes=usage.read_bytes,
        written_bytes=usage.written_bytes,
        threads=usage.threads,
        run_delay_ns=usage.run_delay_ns,
    )


def encode_point(point: MetricPoint, dictionary: Dictionary) -> pb.MetricPoint:
    """A point of a metric series."""
    return pb.MetricPoint(
        series=dictionary.series(point.series),
        unix_ns=point.unix_ns,
        start_unix_ns=point.start_unix_ns,
        value=point.value,
        count=point.count,
        buckets=point.buckets,
    )


def encode_file(file: FileFacts) -> pb.FileFacts:
    """Facts of a source file."""
    return pb.FileFacts(
        codebase=text(file.codebase),
        language=LANGUAGES[file.language],
        path=text(file.path),
        content_hash=text(file.content_hash),
        lines=file.lines,
        functions=[encode_function_facts(function) for function in file.functions],
    )


def encode_function_facts(facts: FunctionFacts) -> pb.FunctionFacts:
    """Facts of a function."""
    return pb.FunctionFacts(
        qualified_name=text(facts.qualified_name),
        first_line=facts.first_line,
        last_line=facts.last_line,
        complexity=facts.complexity,
        loops=facts.loops,
        loop_depth=facts.loop_depth,
        parameters=facts.parameters,
        calls=facts.calls,
        attributes=facts.attributes,
        subscripts=facts.subscripts,
        arithmetic=facts.arithmetic,
        awaits=facts.awaits,
        strings=facts.strings,
        keyed=facts.keyed,
    )


def encode_codebase(facts: CodebaseFacts) -> pb.CodebaseFacts:
    """The size of a codebase."""
    return pb.CodebaseFacts(codebase=text(facts.codebase), total_files=facts.total_files, total_lines=facts.total_lines)


def cut(definitions: pb.Definitions, max_bytes: int) -> Iterator[pb.Definitions]:
    """The same definitions in messages of at most `max_bytes`, in an order in which each can be applied.

    A single definition above the limit is yielded alone; the receiver's limit then speaks.
    """
    if definitions.ByteSize() <= max_bytes:
        yield definitions
        return
    part, size = pb.Definitions(), 0
    for column in ("processes", "functions", "stacks", "series"):
        for message in getattr(definitions, column):
            needed = message.ByteSize() + 6
            if size and size + needed > max_bytes:
                yield part
                part, size = pb.Definitions(), 0
            getattr(part, column).append(message)
            size += needed
    if size:
        yield part


def _name(item: Item) -> str:
    match item:
        case Window():
            return f"window of process {item.process.pid} of {item.process.service}"
        case MetricPoint():
            return f"point of series {item.series.name} of {item.series.service}"
        case FileFacts():
            return f"facts of {item.path} in {item.codebase}"
        case CodebaseFacts():
            return f"facts of codebase {item.codebase}"
