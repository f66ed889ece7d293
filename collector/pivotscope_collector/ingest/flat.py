"""The samples of a batch as flat arrays, made once for checking and decoding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pivotscope.v1 import agent_pb2 as pb


@dataclass(frozen=True, slots=True)
class Flat:
    """Rows of all windows that have any, window after window.

    `sampled` are the positions of those windows, `starts` where the rows of each begin, `owner` the position of each
    row's window. `stacks` are the agent's numbers.
    """

    sampled: list[int]
    starts: NDArray[np.int64]
    owner: NDArray[np.int64]
    stacks: NDArray[np.uint32]
    lines: NDArray[np.uint32]
    counts: NDArray[np.uint32]
    natives: NDArray[np.uint32]


def flatten(windows: Sequence[pb.Window]) -> Flat:
    """Join the columns of windows whose columns are equally long."""
    sampled = [number for number, window in enumerate(windows) if window.stacks]
    chosen = [windows[number] for number in sampled]
    lengths = np.array([len(window.stacks) for window in chosen], np.int64)
    return Flat(
        sampled=sampled,
        starts=np.cumsum(lengths) - lengths,
        owner=np.repeat(np.array(sampled, np.int64), lengths),
        stacks=_joined([window.stacks for window in chosen]),
        lines=_joined([window.lines for window in chosen]),
        counts=_joined([window.counts for window in chosen]),
        natives=_joined([window.native_counts for window in chosen]),
    )


def _joined(columns: Sequence[Sequence[int]]) -> NDArray[np.uint32]:
    """A slice of a repeated field is a list, which costs less than going over the field."""
    values: list[int] = []
    for column in columns:
        values += column[:]
    return np.array(values, np.uint32)
