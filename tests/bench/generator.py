"""An agent's stream as a production service would fill it: many windows, the same stacks again and again."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pivotscope.v1 import agent_pb2 as pb

ROWS = 50
"""Stack rows a window."""
FUNCTIONS, STACKS = 4_000, 2_000
DEPTH = (15, 60)
EXPONENT = 1.2
"""Of the Zipf law by which stacks come up."""
MINUTES, SERVICES, PROCESSES = 10, 4, 8
_NS = 10**9


@dataclass(frozen=True, slots=True)
class Generator:
    """Messages of one agent, the same for the same `agent` and `seed`."""

    agent: int
    seed: int = 1

    def hello(self) -> pb.StreamRequest:
        """The first message."""
        return pb.StreamRequest(
            hello=pb.Hello(agent_id=f"bench-{self.agent}", epoch=1, host="bench", sent_unix_ns=time.time_ns())
        )

    def definitions(self) -> pb.StreamRequest:
        """The stream's dictionary: processes, functions and stacks. Services, not agents, differ in their code."""
        random = np.random.default_rng(self.seed + self.agent % SERVICES)
        service = f"service-{self.agent % SERVICES}"
        made = pb.Definitions()
        for number in range(1, PROCESSES + 1):
            made.processes.add(
                id=number, service=service, host=f"host-{self.agent}", pid=number, language=pb.LANGUAGE_PYTHON
            )
        for number in range(1, FUNCTIONS + 1):
            made.functions.add(
                id=number,
                codebase=service,
                language=pb.LANGUAGE_PYTHON,
                path=f"package_{number % 97}/module_{number % 401}.py",
                qualified_name=f"Class{number % 801}.method_{number}",
                owner=pb.OWNER_APPLICATION if number % 3 else pb.OWNER_LIBRARY,
            )
        for number in range(1, STACKS + 1):
            depth = int(random.integers(*DEPTH, endpoint=True))
            # Stacks of one service share their roots.
            root = list(range(1, 8))
            made.stacks.add(
                id=number, functions=[*root, *map(int, random.integers(8, FUNCTIONS + 1, depth - len(root)))]
            )
        return pb.StreamRequest(definitions=made)

    def batches(self, count: int, first: int = 1) -> Iterator[pb.StreamRequest]:
        """One window a message, spread over the last closed minutes."""
        random = np.random.default_rng([self.seed, self.agent, first])
        weights = np.arange(1, STACKS + 1, dtype=np.float64) ** -EXPONENT
        weights /= weights.sum()
        newest = time.time_ns() // (60 * _NS) * 60 * _NS - 60 * _NS
        for sequence in range(first, first + count):
            stacks: NDArray[np.int64] = random.choice(STACKS, ROWS, replace=False, p=weights) + 1
            counts = random.integers(1, 9, ROWS)
            minute = newest - sequence % MINUTES * 60 * _NS
            batch = pb.Batch(sequence=sequence)
            batch.windows.add(
                process=sequence % PROCESSES + 1,
                mode=pb.MODE_GIL if sequence % 4 else pb.MODE_ACTIVE,
                outcome=pb.OUTCOME_COMPLETE,
                started_unix_ns=minute + int(random.integers(0, 50)) * _NS,
                duration_ns=10 * _NS,
                rate_hz=50,
                ticks=500,
                usage=pb.Usage(cpu_user_ns=8 * _NS, resident_bytes=1 << 28, threads=4),
                stacks=map(int, stacks),
                # A leaf spends its time on a few lines.
                lines=map(int, stacks * 37 % 400 + random.integers(1, 4, ROWS)),
                counts=map(int, counts),
                native_counts=[0] * ROWS,
            )
            yield pb.StreamRequest(batch=batch)
