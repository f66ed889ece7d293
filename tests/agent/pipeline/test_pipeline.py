from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Protocol

import pytest
from pivotscope.profile.language import Language
from pivotscope.profile.window import Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.errors import SettingsError
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.channel import Endpoint
from pivotscope_agent.pipeline.export import Identity
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.pipeline import Pipeline
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.targets.runtime_kind import Runtime
from pivotscope_agent.targets.selector import Labels
from pivotscope_agent.targets.target import Target
from pivotscope_agent.telemetry.counters import Count, Counters

Eventually = Callable[[Callable[[], object]], Awaitable[None]]
Make = Callable[..., Pipeline]


class Collector(Protocol):
    """The fixture, as these tests use it."""

    batches: list[pb.Batch]


@pytest.fixture
async def make(tmp_path: Path, open_: Callable[..., Spool], counters: Counters) -> AsyncIterator[Make]:
    made: list[Pipeline] = []

    def build(address: str = f"unix:{tmp_path}/collector.sock") -> Pipeline:
        one = Pipeline(
            Endpoint(address),
            Identity("agent-1", "0.1.0", "host-1"),
            open_(),
            counters=counters,
            clock=SystemClock(),
            random=Random(7),
            targets=lambda: 0,
            on_command=print,
        )
        one.start()
        made.append(one)
        return one

    yield build
    for one in made:
        await one.close(0)


async def test_what_is_offered_close_together_travels_together(
    collector: Collector, make: Make, window: Callable[..., Window], eventually: Eventually
) -> None:
    pipeline = make()
    pipeline.offer([window()])
    pipeline.offer([window(), window()])
    await eventually(lambda: collector.batches)
    assert [len(batch.windows) for batch in collector.batches] == [3]


async def test_closing_hands_over_what_was_just_offered(
    collector: Collector, make: Make, window: Callable[..., Window]
) -> None:
    pipeline = make()
    pipeline.offer([window()])
    assert await pipeline.close(10) == 0
    assert len(collector.batches) == 1


async def test_closing_without_a_collector_leaves_it_on_disk(
    make: Make, open_: Callable[..., Spool], window: Callable[..., Window]
) -> None:
    pipeline = make()
    pipeline.offer([window()])
    assert await pipeline.close(1) == 1
    assert open_().pending() == 1


async def test_what_cannot_be_encoded_is_counted_and_told(
    collector: Collector, make: Make, window: Callable[..., Window], counters: Counters
) -> None:
    pipeline = make()
    pipeline.offer([window(), window(gap_cpu_ns=-1)])
    await pipeline.close(10)
    assert counters.get(Count.ITEMS_DROPPED, "unencodable") == 1
    assert dict(collector.batches[0].dropped) == {"unencodable": 1}


async def test_an_unprotected_address_is_refused_at_once(make: Make) -> None:
    with pytest.raises(SettingsError, match="not on this machine"):
        make("collector:4170")


async def test_the_account_of_a_process_is_saved_before_it_has_a_window(
    make: Make, window: Callable[..., Window], tmp_path: Path, eventually: Eventually
) -> None:
    target = Target(window().process, 5, Runtime(Language.PYTHON, "CPython", "3.11.7"), Labels())

    def saved() -> object:
        state = states.load(tmp_path / "spool", Files())
        return state is not None and dict(state.accounts) == {(42, 5): 700}

    assert make().begin(target, 700) == 700
    await eventually(saved)
