"""Send a collector what no agent would send: python -m tests.faults.malformed [--messages 10000].

Half are made from scratch with values at and beyond every bound, half are real messages with bytes or fields changed.
Each must be answered: stored, stored in part, refused with a reason, or its stream ended with a status. Beside them a
good agent sends, and one in whose batches bad windows stand beside good ones: all that is good must arrive. The
collector must not end, and its memory must not grow.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pivotscope.v1 import agent_pb2 as pb

from tests.e2e.stack import Stack
from tests.faults.collector_agents import SECOND, STACKS, Agent

METHOD = "/pivotscope.v1.AgentService/Stream"
_A_STREAM = 25
_TYPED = {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT}
_MEGABYTES = 150.0

_U32 = st.sampled_from([0, 1, 2, 3, 60, 2**16, 2**24, 2**31, 2**32 - 1])
_U64 = st.sampled_from([0, 1, 10**9, 10**16 + 1, 2**62, 2**63, 2**64 - 1])
_I64 = st.sampled_from([0, 1, -1, 10**10, 2**62, -(2**62), 2**63 - 1, -(2**63)])
_FLOAT = st.sampled_from([0.0, -1.0, 1.5, float("nan"), float("inf"), -float("inf"), 1e308])
_TEXT = st.sampled_from(["", "a", "x" * 5000, "\0", "é\u2028'\\", "../.."])
_ENUM = st.integers(0, 20)
_COLUMN = st.lists(_U32, max_size=4)

_USAGE = st.builds(pb.Usage, cpu_user_ns=_U64, cpu_system_ns=_U64, resident_bytes=_U64, threads=_U32, run_delay_ns=_U64)
_WINDOWS = st.builds(
    pb.Window, process=_U32, mode=_ENUM, outcome=_ENUM, started_unix_ns=_I64, duration_ns=_I64, rate_hz=_U32,
    ticks=_U32, errors=_U32, usage=_USAGE, gap_cpu_ns=_U64, sampler_cpu_ns=_U64, stopped_ns=_U64, stacks=_COLUMN,
    lines=_COLUMN, counts=_COLUMN, native_counts=_COLUMN, reason=_TEXT,
)  # fmt: skip
_POINTS = st.builds(
    pb.MetricPoint, series=_U32, unix_ns=_I64, start_unix_ns=_I64, value=_FLOAT, count=_U64,
    buckets=st.lists(_U64, max_size=3),
)  # fmt: skip
_FACTS = st.builds(pb.FunctionFacts, qualified_name=_TEXT, first_line=_U32, last_line=_U32, complexity=_U32)
_FILES = st.builds(pb.FileFacts, codebase=_TEXT, language=_ENUM, path=_TEXT, functions=st.lists(_FACTS, max_size=2))
_CODEBASES = st.builds(pb.CodebaseFacts, codebase=_TEXT, total_files=_U32, total_lines=_U64)
_BATCHES = st.builds(
    pb.Batch, sequence=_U64, clock_offset_ns=_I64, windows=st.lists(_WINDOWS, max_size=3),
    points=st.lists(_POINTS, max_size=2), files=st.lists(_FILES, max_size=1),
    codebases=st.lists(_CODEBASES, max_size=1),
    dropped=st.dictionaries(_TEXT, _U64, max_size=2),
)  # fmt: skip
_PROCESSES = st.builds(
    pb.Process, id=_U32, service=_TEXT, version=_TEXT, pid=_U32, started_unix_ns=_I64, language=_ENUM
)
_FUNCTIONS = st.builds(
    pb.Function, id=_U32, codebase=_TEXT, language=_ENUM, path=_TEXT, qualified_name=_TEXT, owner=_ENUM
)
_STACKS = st.builds(pb.Stack, id=_U32, functions=st.lists(_U32, max_size=5))
_SERIES = st.builds(
    pb.MetricSeries, id=_U32, service=_TEXT, name=_TEXT, kind=_ENUM, role=_ENUM,
    labels=st.dictionaries(_TEXT, _TEXT, max_size=2), bounds=st.lists(_FLOAT, max_size=3),
)  # fmt: skip
_DEFINITIONS = st.builds(
    pb.Definitions, processes=st.lists(_PROCESSES, max_size=2), functions=st.lists(_FUNCTIONS, max_size=2),
    stacks=st.lists(_STACKS, max_size=2), series=st.lists(_SERIES, max_size=2),
)  # fmt: skip
_REQUESTS = st.one_of(
    st.builds(pb.StreamRequest, batch=_BATCHES),
    st.builds(pb.StreamRequest, batch=_BATCHES),
    st.builds(pb.StreamRequest, definitions=_DEFINITIONS),
)


@dataclass(slots=True)
class Outcome:
    """How the messages were answered, and what else there is to tell."""

    messages: int
    answers: Counter[str] = field(default_factory=Counter)
    good: int = 0
    mixed: int = 0
    left_out: int = 0
    grown_mb: float = 0.0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        answers = ", ".join(f"{count:,} {name}" for name, count in self.answers.most_common())
        return (
            f"{self.messages:,} messages: {answers}; beside them {self.good:,} good batches, and {self.mixed:,} with "
            f"{self.left_out:,} bad windows; "
            f"memory {self.grown_mb:+.0f} MB over the second half; {self.seconds:.0f} s: "
            + ("; ".join(self.problems) or "each typed, all good ones there")
        )


def made(count: int, number: int, kind: st.SearchStrategy[Any] = _REQUESTS) -> list[bytes]:
    """Messages from scratch."""
    found: list[bytes] = []

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(kind)
    def collect(message: Message) -> None:
        found.append(message.SerializeToString())

    collect()
    return found


def mutated(count: int, number: int, real: Sequence[bytes]) -> list[bytes]:
    """Real messages with bytes flipped, cut out, doubled, or put together from two."""
    chance = random.Random(number)
    found = []
    for _ in range(count):
        data = bytearray(chance.choice(real))
        for _ in range(chance.randint(1, 4)):
            begin = chance.randrange(len(data) + 1)
            end = min(len(data), begin + chance.randint(0, 12))
            match chance.randrange(4):
                case 0:
                    data[begin:end] = chance.randbytes(end - begin)
                case 1:
                    del data[begin:end]
                case 2:
                    data[begin:begin] = data[begin:end]
                case _:
                    other = chance.choice(real)
                    data[begin:] = other[chance.randrange(len(other)) :]
        found.append(bytes(data))
    return found


class _Mixed(Agent):
    """An agent that puts bad windows beside the good ones that it counts."""

    def __init__(self, start_ns: int, address: Callable[[], str], seed: int, bad: Sequence[pb.Window]) -> None:
        super().__init__(2, start_ns, address, seed)
        self._bad = bad

    def make(self) -> pb.Batch:
        batch = super().make()
        windows = list(batch.windows)
        for _ in range(self._chance.randint(1, 3)):
            windows.insert(self._chance.randint(0, len(windows)), self._chance.choice(self._bad))
        del batch.windows[:]
        batch.windows.extend(windows)
        return batch


def bad_windows(count: int, number: int) -> list[pb.Window]:
    """Windows that no collector takes, whatever else is wrong with them; what they refer to is defined."""
    found = []
    for data in made(count, number, _WINDOWS):
        window = pb.Window.FromString(data)
        window.process = 1
        window.duration_ns = -1
        if any(not 1 <= stack <= STACKS for stack in window.stacks):
            del window.stacks[:]
        found.append(window)
    return found


def show(messages: int, number: int = 1) -> Outcome:
    """Run it."""
    began = time.monotonic()
    outcome = Outcome(messages)
    start_ns = time.time_ns() - 600 * SECOND
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        collector = stack.collector()
        agent = Agent(0, start_ns, lambda: stack.address, number)
        mixed = _Mixed(start_ns, lambda: stack.address, number, bad_windows(200, number))
        real = [pb.StreamRequest(batch=Agent(1, start_ns, str, number).make()).SerializeToString() for _ in range(20)]
        sent = made(messages // 2, number) + mutated(messages - messages // 2, number, real)
        random.Random(number).shuffle(sent)
        try:
            asyncio.run(_load(stack.address, collector.pid, (agent, mixed), sent, outcome))
        except TimeoutError:
            outcome.problems.append("the good agents' batches were not acknowledged")
        status = collector.stop()
        said, trace, rest = collector.said.partition("Traceback")
        if status != 0 or trace:
            outcome.problems.append(f"the collector ended with {status}: {said[-1000:]}{trace}{rest[:3000]}")
        for one, name in ((agent, "agent-0"), (mixed, "agent-2")):
            stored = _stored(Path(folder) / "data", name)
            if (stored["windows"], stored["samples"]) != (one.sums.windows, one.sums.samples):
                outcome.problems.append(f"of {name} {stored}, sent {one.sums.windows}, {one.sums.samples}")
    outcome.good, outcome.mixed, outcome.left_out = agent.sums.batches, mixed.sums.batches, mixed.left_out
    if not mixed.left_out:
        outcome.problems.append("nothing was left out of the batches with bad windows")
    if outcome.grown_mb > _MEGABYTES:
        outcome.problems.append(f"memory grew by {outcome.grown_mb:.0f} MB")
    outcome.seconds = time.monotonic() - began
    return outcome


def _stored(data: Path, agent: str) -> Any:
    program = [sys.executable, str(Path(__file__).parent / "collector_store.py"), str(data), agent]
    return json.loads(subprocess.run(program, check=True, capture_output=True, text=True, timeout=120).stdout)["raw"]


async def _load(address: str, pid: int, agents: Sequence[Agent], sent: Sequence[bytes], outcome: Outcome) -> None:
    ending = asyncio.Event()
    good = [asyncio.create_task(agent.run(ending, 0.02)) for agent in agents]
    groups = _groups(sent)
    resident = 0.0
    async with grpc.aio.insecure_channel(address) as channel:
        for number, group in enumerate(groups):
            if number == len(groups) // 2:
                resident = _resident(pid)
            await _stream(channel, agents[0], group, outcome)
        outcome.grown_mb = _resident(pid) - resident
    ending.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*good)


def _groups(sent: Sequence[bytes]) -> list[list[bytes]]:
    """Messages by stream: what cannot be read, and a second Hello, ends its stream."""
    alone: list[bytes] = []
    together: list[bytes] = []
    for message in sent:
        try:
            kind = pb.StreamRequest.FromString(message).WhichOneof("message")
        except DecodeError:
            kind = "hello"
        (alone if kind == "hello" else together).append(message)
    groups = [together[first : first + _A_STREAM] for first in range(0, len(together), _A_STREAM)]
    groups += [[message] for message in alone]
    random.Random(len(groups)).shuffle(groups)
    return groups


async def _stream(channel: Any, agent: Agent, group: Sequence[bytes], outcome: Outcome) -> None:
    """One stream of bad messages; counts how each was answered."""
    call = channel.stream_stream(METHOD)()
    answers: Counter[str] = Counter()
    try:
        async with asyncio.timeout(30):
            hello = pb.Hello(agent_id="bad", epoch=random.getrandbits(60), sent_unix_ns=time.time_ns())
            await call.write(pb.StreamRequest(hello=hello).SerializeToString())
            await call.read()
            await call.write(pb.StreamRequest(definitions=agent.definitions()).SerializeToString())
            for message in group:
                await call.write(message)
            await call.done_writing()
            while isinstance(answer := await call.read(), bytes):
                response = pb.StreamResponse.FromString(answer)
                if response.rejection.parts:
                    answers["in part"] += 1
                elif response.HasField("rejection"):
                    name = pb.RejectionReason.Name(response.rejection.reason)
                    answers[name.removeprefix("REJECTION_REASON_").lower()] += 1
            status = await call.code()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        status = await call.code()
    except TimeoutError:
        outcome.problems.append(f"no answer to {[message.hex()[:200] for message in group][:2]}")
        call.cancel()
        return
    outcome.answers.update(answers)
    if status is grpc.StatusCode.OK:
        outcome.answers["stored or passed over"] += len(group) - answers.total()
    elif status in _TYPED and len(group) == 1:
        outcome.answers[f"stream ended, {status.name}"] += 1
    else:
        outcome.problems.append(f"{status}: {await call.details()}")


def _resident(pid: int) -> float:
    """MB of a process's resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * 4096 / 1e6


def main() -> int:
    """Print one line; 1 where anything was not as it should be."""
    options = argparse.ArgumentParser(prog="python -m tests.faults.malformed", description=__doc__)
    options.add_argument("--messages", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    outcome = show(chosen.messages, chosen.seed)
    sys.stdout.write(f"{outcome}\n")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
