"""An agent's messages, made by hand."""

from collections.abc import Callable

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits

NOW_NS = 1_795_000_000_000_000_000

MakeBatch = Callable[..., pb.Batch]
MakeWindow = Callable[..., pb.Window]


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def definitions() -> pb.Definitions:
    """One process, functions 1 to 3, stacks 1 (1, 2), 2 (1, 3) and 3 (1, 2, 1), a counter and a histogram."""
    made = pb.Definitions()
    made.processes.add(
        id=1, service="shop", version="v1", host="h", pid=7, started_unix_ns=NOW_NS, language=pb.LANGUAGE_PYTHON
    )
    for number in (1, 2, 3):
        made.functions.add(
            id=number,
            codebase="shop",
            language=pb.LANGUAGE_PYTHON,
            path="app.py",
            qualified_name=f"f{number}",
            owner=pb.OWNER_APPLICATION,
        )
    for number, functions in ((1, (1, 2)), (2, (1, 3)), (3, (1, 2, 1))):
        made.stacks.add(id=number, functions=functions)
    made.series.add(
        id=1,
        service="shop",
        name="orders",
        kind=pb.METRIC_KIND_COUNTER,
        role=pb.METRIC_ROLE_REQUESTS,
        labels={"a": "b"},
    )
    made.series.add(
        id=2, service="shop", name="took", kind=pb.METRIC_KIND_HISTOGRAM, role=pb.METRIC_ROLE_LATENCY, bounds=[0.1, 1.0]
    )
    return made


@pytest.fixture
def dictionary(definitions: pb.Definitions, limits: Limits) -> Dictionary:
    filled = Dictionary(limits)
    filled.define(definitions)
    return filled


@pytest.fixture
def window() -> MakeWindow:
    """Makes a complete window of process 1, with four samples in three rows; keywords replace fields."""

    def make(**fields: object) -> pb.Window:
        values: dict[str, object] = {
            "process": 1,
            "mode": pb.MODE_GIL,
            "outcome": pb.OUTCOME_COMPLETE,
            "started_unix_ns": NOW_NS,
            "duration_ns": 10_000_000_000,
            "rate_hz": 20,
            "ticks": 200,
            "usage": pb.Usage(cpu_user_ns=3_000_000_000, cpu_system_ns=1_000_000_000, run_delay_ns=2_000_000_000),
            "gap_cpu_ns": 5,
            "stacks": [1, 2, 1],
            "lines": [10, 20, 11],
            "counts": [1, 2, 1],
            "native_counts": [0, 1, 0],
        }
        return pb.Window(**{**values, **fields})  # type: ignore[arg-type]

    return make


@pytest.fixture
def batch(window: MakeWindow) -> MakeBatch:
    """Makes a batch with one such window; keywords replace fields."""

    def make(**fields: object) -> pb.Batch:
        return pb.Batch(**{"sequence": 1, "windows": [window()], **fields})  # type: ignore[arg-type]

    return make
