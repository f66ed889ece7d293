"""What lies beneath functions, and who calls them: proportions, from raw rows of as many minutes as tell them well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.native import numbers, ragged
from pivotscope_collector.store.rows import U64, distinct
from pivotscope_collector.store.selection import MINUTE, Selection

F64 = NDArray[np.float64]
Indices = NDArray[np.int64]

_SAMPLES = 2_000_000
"""Of a service, at most, but for the fewest minutes: a part of one in a thousand is then known to about 5 %."""
_FEWEST, _MOST = 12, 120
"""Minutes that are read where not all are; they travel in the statement."""
_CALLERS = 5


@dataclass(frozen=True, slots=True)
class Beneath:
    """Leaves beneath a function, which ascend, and sampled nanoseconds of each: all, and native ones."""

    leaves: U64
    y: F64
    native_y: F64


@dataclass(frozen=True, slots=True)
class Surroundings:
    """By function: what lies beneath it, and up to five callers, those seen most first. Unseen ones are in neither."""

    beneath: Mapping[int, Beneath]
    callers: Mapping[int, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Sampled:
    """Stacks: the functions of each, root first, end at `ends[i]`; its sampled nanoseconds, all and native."""

    ends: Indices
    functions: U64
    y: F64
    native_y: F64


def surroundings(
    client: Client, selection: Selection, roots: Sequence[int], *, language: str, mode: str, minutes: Sequence[int] = ()
) -> Surroundings:
    """Of functions of one service, in one language and mode; from some minutes of the selection, else from all.

    Raises StoreError.
    """
    bound = {"roots": list(roots), "language": language, "mode": mode, "minutes": list(minutes)}
    sources = reader.Sources()
    text = reader.render("evidence_stacks", selection, sources)
    found = client.arrays(text, reader.bind(selection, sources, bound))
    if found:
        functions = ragged(found["functions"])
        y, native_y = (numbers(found[name]).astype(np.float64) for name in ("y", "native_y"))
        sampled = Sampled(functions.ends.astype(np.int64), functions.values, y, native_y)
        return around(sampled, np.array(roots, np.uint64))
    # Whatever works for a minute now and then may have done so in none of these.
    return surroundings(client, selection, roots, language=language, mode=mode) if minutes else Surroundings({}, {})


def around(sampled: Sampled, roots: U64) -> Surroundings:
    """A function that recurs in a stack counts once in it; its caller is that of the outermost call. Pure."""
    roots = distinct(roots)
    place = np.minimum(np.searchsorted(roots, sampled.functions), len(roots) - 1)
    at = np.flatnonzero(roots[place] == sampled.functions)
    stack = np.searchsorted(sampled.ends, at, side="right")
    # The first of each root in a stack: positions ascend.
    _, first = np.unique(stack * len(roots) + place[at], return_index=True)
    at, stack = at[first], stack[first]
    root = place[at]
    beneath = _summed(root, sampled.functions[sampled.ends[stack] - 1], sampled.y[stack], sampled.native_y[stack])
    called = at > np.append(0, sampled.ends)[stack]
    callers = _summed(root[called], sampled.functions[at[called] - 1], sampled.y[stack[called]])
    return Surroundings(
        {int(roots[one]): Beneath(others, *sums) for one, others, sums in beneath},
        {
            int(roots[one]): others[np.argsort(-sums[0], kind="stable")[:_CALLERS]].tolist()
            for one, others, sums in callers
        },
    )


def _summed(root: Indices, other: U64, *values: F64) -> list[tuple[int, U64, list[F64]]]:
    """Of each root: the others beside it, which ascend, and sums of the values of each."""
    others, number = np.unique(other, return_inverse=True)
    pairs, pair = np.unique(root * len(others) + number, return_inverse=True)
    sums: list[F64] = [np.bincount(pair, one, len(pairs)).astype(np.float64, copy=False) for one in values]
    owners = pairs // max(1, len(others))
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    ends = np.append(starts[1:], len(pairs))
    return [
        (int(owners[a]), others[pairs[a:b] % len(others)], [one[a:b] for one in sums])
        for a, b in zip(starts.tolist(), ends.tolist(), strict=False)
    ]


def telling(first: int, last: int, samples: int) -> list[int]:
    """Minutes (unix seconds) between two moments that tell enough of `samples` spread over them; none: read them all.

    Raw rows of a day grow with the fleet, and a plan is made anew every half minute. One minute of each stretch of
    equal length, drawn by its hash: the same for as long as the stretches are, and in step with nothing that recurs.
    """
    count = (last - first) // MINUTE
    if samples <= _SAMPLES or count <= _FEWEST:
        return []
    chosen = max(_FEWEST, min(_MOST, count * _SAMPLES // samples))
    size = -(-count // chosen)
    begin = first // (size * MINUTE) * size
    drawn = [(start + _hash(start) % size) * MINUTE for start in range(begin, last // MINUTE, size)]
    return [minute for minute in drawn if first <= minute < last]


def _hash(number: int) -> int:
    return int.from_bytes(blake2b(number.to_bytes(8, "big"), digest_size=8).digest(), "big")
