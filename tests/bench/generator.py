"""A fleet's windows, the same for the same seed: many processes, the same stacks again and again.

20 services with 200 instances in each of 3 versions, one window of 10 s a process and message. All draw from 20,000
stacks over 3,000 functions, of depth 15 to 60, whose popularity follows a Zipf law: about 50 distinct ones a window.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pivotscope.v1 import agent_pb2 as pb

SERVICES, INSTANCES, VERSIONS = 20, 200, 3
FUNCTIONS, STACKS = 3_000, 20_000
DEPTH = (15, 60)
ROWS = 50
EXPONENT = 1.1
SECOND = 10**9
WINDOWS_A_MINUTE = 6
AGENTS = 40
"""Each has half of the instances of a service, in all versions."""
PROCESSES = SERVICES * INSTANCES * VERSIONS // AGENTS
_ROOTS = 7
_DEFINITIONS_A_MESSAGE = 2_000


@dataclass(frozen=True, slots=True)
class Code:
    """Stacks as arrays of function numbers, and the cumulative popularity of stacks."""

    stacks: tuple[NDArray[np.int64], ...]
    popularity: NDArray[np.float64]


@cache
def code() -> Code:
    """The code that the whole fleet runs. Stacks share their roots, and any function can come above."""
    random = np.random.default_rng(7)
    depths = random.integers(*DEPTH, STACKS, endpoint=True)
    roots = np.arange(1, _ROOTS + 1)
    stacks = tuple(
        np.concatenate([roots, random.integers(_ROOTS + 1, FUNCTIONS + 1, depth - _ROOTS)]) for depth in depths
    )
    weights = np.arange(1, STACKS + 1, dtype=np.float64) ** -EXPONENT
    return Code(stacks, np.cumsum(weights) / weights.sum())


@dataclass(frozen=True, slots=True)
class Generator:
    """Messages of one agent, as bytes."""

    agent: int
    epoch: int = 1
    processes: int = PROCESSES

    def hello(self, now_ns: int) -> bytes:
        """The first message."""
        hello = pb.Hello(agent_id=f"bench-{self.agent}", epoch=self.epoch, host="bench", sent_unix_ns=now_ns)
        return pb.StreamRequest(hello=hello).SerializeToString()

    def definitions(self, stacks: Sequence[int]) -> Iterator[bytes]:
        """What batches with these stacks refer to."""
        first = pb.Definitions()
        service = f"service-{self.agent % SERVICES}"
        for number in range(1, self.processes + 1):
            instance = self.agent // SERVICES * self.processes // VERSIONS + number // VERSIONS
            first.processes.add(
                id=number, service=service, environment="production", version=f"v{number % VERSIONS}",
                instance=f"{service}-{instance}", host=f"host-{instance % 97}", pid=1000 + number,
                started_unix_ns=1_700_000_000 * SECOND + number, language=pb.LANGUAGE_PYTHON, runtime_version="3.11.7",
            )  # fmt: skip
        for number in range(1, FUNCTIONS + 1):
            first.functions.add(
                id=number, codebase="fleet", language=pb.LANGUAGE_PYTHON,
                path=f"package_{number % 97}/module_{number % 401}.py",
                qualified_name=f"Class{number % 801}.method_{number}",
                owner=pb.OWNER_APPLICATION if number % 3 else pb.OWNER_LIBRARY,
            )  # fmt: skip
        yield pb.StreamRequest(definitions=first).SerializeToString()
        for begin in range(0, len(stacks), _DEFINITIONS_A_MESSAGE):
            part = pb.Definitions()
            for number in stacks[begin : begin + _DEFINITIONS_A_MESSAGE]:
                part.stacks.add(id=number, functions=code().stacks[number - 1].tolist())
            yield pb.StreamRequest(definitions=part).SerializeToString()

    def batches(self, minute_ns: int, count: int, first: int = 1) -> tuple[list[bytes], list[int]]:
        """`count` messages of one window each, process after process from `minute_ns` on, and the stacks in them."""
        random = np.random.default_rng([self.agent, self.epoch, first])
        used: set[int] = set()
        messages = []
        for sequence in range(first, first + count):
            step, process = divmod(sequence - 1, self.processes)
            chosen = np.unique(np.searchsorted(code().popularity, random.random(90)))
            stacks = random.permutation(chosen)[:ROWS] + 1
            used.update(stacks.tolist())
            messages.append(_message(random, stacks, sequence, process, minute_ns + step * 10 * SECOND))
        return messages, sorted(used)


def rows(messages: Sequence[bytes]) -> int:
    """Stack rows of messages."""
    return sum(
        len(window.stacks) for message in messages for window in pb.StreamRequest.FromString(message).batch.windows
    )


def _message(
    random: np.random.Generator, stacks: NDArray[np.int64], sequence: int, process: int, start_ns: int
) -> bytes:
    """One window: 20 Hz in most, ticks lost and time stopped as they come."""
    many = len(stacks)
    ticks = int(random.integers(190, 201))
    cpu = int(random.integers(2 * SECOND, 9 * SECOND))
    batch = pb.Batch(sequence=sequence, clock_offset_ns=1_234_567)
    batch.windows.add(
        process=process + 1,
        mode=pb.MODE_ACTIVE if sequence % 4 == 0 else pb.MODE_GIL,
        outcome=pb.OUTCOME_COMPLETE,
        started_unix_ns=start_ns + int(random.integers(0, 9 * SECOND)),
        duration_ns=10 * SECOND + int(random.integers(0, 20_000_000)),
        rate_hz=20,
        ticks=ticks,
        late=int(random.integers(0, 3)),
        gap_cpu_ns=int(random.integers(0, 10_000_000)),
        sampler_cpu_ns=int(random.integers(30_000_000, 90_000_000)),
        usage=pb.Usage(
            cpu_user_ns=cpu, cpu_system_ns=cpu // 9, resident_bytes=int(random.integers(1 << 28, 1 << 29)) >> 12 << 12,
            threads=8, read_bytes=4096, written_bytes=8192, run_delay_ns=int(random.integers(0, 50_000_000)),
        ),
        stacks=stacks.tolist(),
        # A leaf spends its time on a few lines.
        lines=(stacks * 37 % 400 + random.integers(1, 4, many)).tolist(),
        counts=np.minimum(random.geometric(0.35, many), 60).tolist(),
        native_counts=[0] * many,
    )  # fmt: skip
    return pb.StreamRequest(batch=batch).SerializeToString()
