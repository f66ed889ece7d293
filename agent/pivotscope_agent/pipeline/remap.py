"""The stream's dictionary: a record's own ids become the stream's, and only what is new is defined."""

from array import array
from collections.abc import Iterable, MutableSequence
from typing import TypeVar

from pivotscope.v1 import agent_pb2 as pb

_Defined = TypeVar("_Defined", pb.Process, pb.Function, pb.MetricSeries)


class UnreadableRecordError(Exception):
    """A record refers to an id that it does not define."""


class StreamDictionary:
    """Ids that hold for one stream, dense from 1 in each kind.

    Values are recognised by content: the serialised message without its id, and for a stack the stream's ids
    of its functions. So two records that name the same stack differently send it once.
    """

    def __init__(self) -> None:
        self._processes: dict[bytes, int] = {}
        self._functions: dict[bytes, int] = {}
        self._stacks: dict[bytes, int] = {}
        self._series: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._processes) + len(self._functions) + len(self._stacks) + len(self._series)

    def translate(self, definitions: pb.Definitions, batch: pb.Batch, *, repeat: bool = False) -> pb.Definitions:
        """Rewrite the batch's ids in place; returns the definitions to send before it.

        These are the new ones, or with `repeat` all that the record needs, under the ids the stream knows
        already. Raises UnreadableRecordError; the batch is then of no use.
        """
        fresh = pb.Definitions()
        processes = _define(self._processes, definitions.processes, fresh.processes, repeat=repeat)
        functions = _define(self._functions, definitions.functions, fresh.functions, repeat=repeat)
        series = _define(self._series, definitions.series, fresh.series, repeat=repeat)
        stacks: dict[int, int] = {}
        for stack in definitions.stacks:
            ids = _translated(functions, stack.functions, "function")
            known, new = _intern(self._stacks, array("I", ids).tobytes())
            stacks[stack.id] = known
            if new or repeat:
                fresh.stacks.add(id=known, functions=ids)
        for window in batch.windows:
            (window.process,) = _translated(processes, (window.process,), "process")
            window.stacks[:] = _translated(stacks, window.stacks, "stack")
        for point in batch.points:
            (point.series,) = _translated(series, (point.series,), "series")
        return fresh


def _define(
    table: dict[bytes, int], messages: Iterable[_Defined], into: MutableSequence[_Defined], *, repeat: bool
) -> dict[int, int]:
    """Intern messages by content; those to be sent go to `into`. Returns the stream's id for each of the record's."""
    ids: dict[int, int] = {}
    for message in messages:
        local, message.id = message.id, 0
        known, new = _intern(table, message.SerializeToString(deterministic=True))
        message.id = ids[local] = known
        if new or repeat:
            into.append(message)
    return ids


def _intern(table: dict[bytes, int], key: bytes) -> tuple[int, bool]:
    known = table.get(key)
    if known is not None:
        return known, False
    table[key] = fresh = len(table) + 1
    return fresh, True


def _translated(table: dict[int, int], ids: Iterable[int], kind: str) -> list[int]:
    try:
        return [table[number] for number in ids]
    except KeyError as error:
        raise UnreadableRecordError(f"{kind} {error} is used but not defined") from error
