"""Arms read back from the real engine."""

import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from pivotscope.profile.function import function_id, stack_id
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.impact.answer import answer
from pivotscope_collector.impact.comparison import Comparison, MetricResult
from pivotscope_collector.impact.question import Question, Side
from pivotscope_collector.impact.verdict import Verdict
from pivotscope_collector.store.client import Client, Columns
from pivotscope_collector.store.impact import ImpactReader

pytestmark = pytest.mark.engine

SECOND = 1_000_000_000
START = int(time.time()) // 60 * 60 - 3600
SPAN = 600
BOUNDS = [0.01, 0.02, 0.04, 0.08]
OLD = function_id("shop", "python", "commission.py", "calculate")
NEW = function_id("shop", "python", "native.py", "calculate_native")
MAIN = function_id("shop", "python", "app.py", "main")


def table(rows: list[dict[str, object]]) -> Columns:
    return {key: [row[key] for row in rows] for key in rows[0]}


def window(at: int, pid: int, cpu: float, variant: str, number: int, **more: object) -> dict[str, object]:
    return {
        "minute": at - at % 60, "service": "shop", "environment": "prod", "version": "1", "variant": variant,
        "language": "python", "mode": "gil", "window_id": number, "agent": "a", "epoch": 1, "sequence": number,
        "position": 0, "instance": "i", "host": "h", "pid": pid, "process_started_at": START * 1000,
        "runtime_version": "3.11", "container": "", "outcome": "complete", "reason": "",
        "started_at": at * 1000, "agent_started_at": at * 1000, "received_at": at * 1_000_000,
        "duration_ns": 10 * SECOND, "rate_hz": 100, "ticks": 1000, "late": 0, "errors": 0, "samples": 0,
        "native_samples": 0, "period_ns": 10_000_000, "cpu_user_ns": int(cpu * SECOND), "cpu_system_ns": 0,
        "gap_cpu_ns": 0, "sampler_cpu_ns": 0, "resident_bytes": pid * 2**20, "proportional_bytes": 0,
        "read_bytes": 0, "written_bytes": 0, "threads": 1, "run_delay_ns": 0, **more,
    }  # fmt: skip


def series(key: int, variant: str, role: str, kind: str) -> dict[str, object]:
    return {
        "series_id": key, "service": "shop", "environment": "prod", "version": "1", "variant": variant,
        "instance": "i", "name": f"app_{role}", "kind": kind, "role": role, "unit": "s" if role == "latency" else "",
        "labels": {"route": "/"}, "bounds": BOUNDS if kind == "histogram" else [], "seen_at": START,
    }  # fmt: skip


def points(key: int, rate: float, buckets: tuple[float, ...] = (), mean: float = 0.0) -> list[dict[str, object]]:
    rows = []
    wobble = np.random.default_rng(key).uniform(0.8, 1.2, SPAN // 5 + 2).cumsum()
    for k, level in enumerate(wobble):
        seen = round(5 * rate * level)
        rows.append(
            {
                "service": "shop", "series_id": key, "at": (START - 5 + 5 * k) * 1000, "start_at": (START - 900) * 1000,
                "value": seen * mean if buckets else float(seen), "count": seen if buckets else 0,
                "buckets": [round(seen * share) for share in buckets],
            }
        )  # fmt: skip
    return rows


def fill(store: Client, *, shared: bool) -> None:
    store.insert("series", table([
        series(key, variant, role, kind)
        for key, variant, role, kind in (
            (1, "old", "requests", "counter"), (2, "new", "requests", "counter"),
            (3, "old", "latency", "histogram"), (4, "new", "latency", "histogram"),
        )
    ]))  # fmt: skip
    rows = points(1, 50) + points(2, 50)
    rows += points(3, 50, (0.0, 0.1, 0.8, 0.1, 0.0), 0.03) + points(4, 50, (0.1, 0.8, 0.1, 0.0, 0.0), 0.015)
    store.insert("points", table(rows))
    windows = []
    stacks = {"old": stack_id([MAIN, OLD]), "new": stack_id([MAIN, NEW]), "rest": stack_id([MAIN])}
    random = np.random.default_rng(7)
    number = 0
    for at in range(START, START + SPAN, 10):
        for pid, variant, cpu in ((101, "old", 4.0), (102, "old", 4.0), (201, "new", 1.0), (202, "new", 1.0)):
            number += 1
            counts = {"old": random.poisson(240), "new": random.poisson(60), "rest": random.poisson(200)}
            seen = {
                "samples": sum(counts.values()),
                "stack_ids": [stacks[name] for name in counts],
                "lines": [0] * len(counts),
                "counts": list(counts.values()),
                "natives": [0] * len(counts),
            }
            windows.append(window(at, pid, cpu, "" if shared else variant, number, **seen))
    store.insert("windows", table(windows))
    store.insert("stacks", table([
        {"stack_id": stack_id(ids), "functions": ids, "seen_at": START} for ids in ([MAIN, OLD], [MAIN, NEW], [MAIN])
    ]))  # fmt: skip
    store.insert("functions", table([
        {"function_id": key, "codebase": "shop", "language": "python", "path": path, "qualified_name": name,
         "owner": "application", "seen_at": START}
        for key, path, name in (
            (OLD, "commission.py", "calculate"), (NEW, "native.py", "calculate_native"), (MAIN, "app.py", "main")
        )
    ]))  # fmt: skip


def ask(store: Client, function_a: str = "", function_b: str = "") -> Comparison:
    since, until = START * SECOND, (START + SPAN) * SECOND
    question = Question(
        "shop",
        None,
        Side("old", since, until, variant="old"),
        Side("new", since, until, variant="new"),
        function_a,
        function_b,
    )
    return answer(ImpactReader(store), question)


def result(comparison: Comparison, name: str) -> MetricResult:
    return next(m for m in comparison.metrics if m.metric.name == name)


@pytest.fixture(scope="module")
def separate(clean_stores: Callable[[], Client]) -> Client:
    store = clean_stores()
    fill(store, shared=False)
    return store


@pytest.fixture(scope="module")
def together(clean_stores: Callable[[], Client]) -> Client:
    store = clean_stores()
    fill(store, shared=True)
    return store


def test_variants_in_processes_of_their_own(separate: Client) -> None:
    found = ask(separate)
    assert found.paired
    assert found.block_seconds == 30
    cpu = result(found, "cpu_per_request").effect
    assert cpu is not None
    assert cpu.a.estimate == pytest.approx(8.0 / 500, rel=0.03)
    assert cpu.change.low < 0.25 < cpu.change.high
    assert result(found, "latency_p50").judgement.verdict is Verdict.BETTER
    mean = result(found, "latency_mean").effect
    assert mean is not None
    assert mean.change.estimate == pytest.approx(0.5, rel=0.01)
    memory = result(found, "memory_mean").effect
    assert memory is not None
    assert memory.change.estimate == 100 * 2**20
    requests = found.a.requests
    assert requests is not None
    assert math.isclose(requests, 50 * SPAN, rel_tol=0.03)


def test_variants_in_one_process_need_functions(together: Client) -> None:
    found = ask(together)
    judgement = result(found, "cpu_per_request").judgement
    assert judgement.verdict is Verdict.NOT_COMPARABLE
    assert "shared process" in judgement.reason
    assert "shared process" in result(found, "memory_mean").judgement.reason


def test_the_functions_share_of_a_shared_process(together: Client) -> None:
    found = ask(together, function_a="calculate", function_b="calculate_native")
    assert found.speedup is not None
    assert found.speedup.low < 4.0 < found.speedup.high
    assert found.speedup.high / found.speedup.low < 1.3
    cpu = result(found, "cpu_per_request").effect
    assert cpu is not None
    # 60 windows × 10 CPU-s, 240 of 500 samples, over 30,000 requests.
    assert cpu.a.estimate == pytest.approx(600 * 0.48 / 30_000, rel=0.05)


def test_an_unknown_function_and_an_unknown_service(together: Client) -> None:
    with pytest.raises(NotFoundError, match="nothing_like_it"):
        ask(together, function_a="calculate", function_b="nothing_like_it")
    with pytest.raises(UsageError, match="both arms"):
        ask(together, function_a="calculate")
    empty = Question("none", None, Side("a", 0, SECOND, variant="a"), Side("b", 0, SECOND, variant="b"))
    with pytest.raises(NotFoundError, match="neither processes nor metrics"):
        answer(ImpactReader(together), empty)


def test_before_and_after_are_observational(separate: Client) -> None:
    middle = START + SPAN // 2
    question = Question(
        "shop",
        "prod",
        Side("before", START * SECOND, middle * SECOND),
        Side("after", middle * SECOND, (START + SPAN) * SECOND),
    )
    found = answer(ImpactReader(separate), question)
    assert found.grade.value == "C"
    assert not found.paired
    assert result(found, "cpu_per_request").effect is not None
    assert result(found, "memory_mean").judgement.verdict is Verdict.NOT_COMPARABLE


def test_thinned_points_lose_nothing(separate: Client) -> None:
    reader = ImpactReader(separate)
    where = {"service": "shop", "environment": "", "version": "", "variant": "", "since_ns": START * SECOND,
             "until_ns": (START + SPAN) * SECOND}  # fmt: skip
    every, thin = reader.points(where, [1], 0), reader.points(where, [1], 60 * SECOND)
    assert len(every["value"]) == SPAN // 5
    assert len(thin["value"]) == SPAN // 60
    assert thin["value"][-1] == every["value"][-1]
    assert set(thin["at_ns"]) <= set(every["at_ns"])
