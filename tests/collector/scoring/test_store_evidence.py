"""Evidence out of a real store: windows of a Python service, a Ruby service, libraries and facts."""

from collections import defaultdict
from collections.abc import Sequence

import pytest
from pivotscope.profile.function import Function, Owner, function_id, stack_id
from pivotscope.profile.language import Language
from pivotscope_collector.scoring.evidence import Evidence, ServiceEvidence
from pivotscope_collector.scoring.rank import rank
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.evidence import read
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.surroundings import surroundings

pytestmark = pytest.mark.engine

SECOND = 10**9
START = 1_800_000_000 // 60 * 60
PERIOD = 50_000_000
APP, LIB = Owner.APPLICATION, Owner.LIBRARY


def named(name: str, owner: Owner = APP, language: Language = Language.PYTHON) -> Function:
    codebase = "shop" if owner is APP else "site-packages"
    return Function(codebase, language, f"{name}.py", name, owner)


def key(function: Function) -> int:
    return function_id(function.codebase, function.language, function.path, function.qualified_name)


class Recorder:
    """Writes windows of ten seconds back to back, and the names that they use."""

    def __init__(self, client: Client, service: str, language: Language) -> None:
        self.client = client
        self.pool = {"service": service, "environment": "", "version": "1", "variant": "", "language": language.value}
        self.windows = 0
        self.rows: dict[str, list[dict[str, object]]] = defaultdict(list)

    def window(
        self,
        mode: str,
        stacks: Sequence[tuple[Sequence[Function], int, int]],
        cpu_seconds: float,
        outcome: str = "complete",
    ) -> None:
        started = START + self.windows * 10
        self.windows += 1
        identity = hash((self.pool["service"], self.windows)) % 2**63
        common = {"minute": started // 60 * 60, **self.pool, "mode": mode, "window_id": identity}
        samples = sum(count for _, count, _ in stacks)
        self._insert(
            "windows",
            {
                **common,
                "outcome": outcome,
                "started_at": started * 1000,
                "received_at": (started + 11) * 10**6,
                "duration_ns": 10 * SECOND,
                "samples": samples,
                "native_samples": sum(native for _, _, native in stacks),
                "period_ns": PERIOD,
                "cpu_user_ns": int(cpu_seconds * SECOND),
                "cpu_system_ns": 0,
                "stack_ids": [stack_id([key(function) for function in functions]) for functions, _, _ in stacks],
                "lines": [0] * len(stacks),
                "counts": [count for _, count, _ in stacks],
                "natives": [native for _, _, native in stacks],
            },
        )
        for functions, _, _ in stacks:
            ids = [key(function) for function in functions]
            self._insert("stacks", {"stack_id": stack_id(ids), "functions": ids, "seen_at": started})
            for function in functions:
                self._insert(
                    "functions",
                    {
                        "function_id": key(function),
                        "codebase": function.codebase,
                        "language": function.language.value,
                        "path": function.path,
                        "qualified_name": function.qualified_name,
                        "owner": function.owner.value,
                        "seen_at": started,
                    },
                )

    def facts(self, function: Function, **counts: int) -> None:
        values = {"codebase": function.codebase, "language": function.language.value, "path": function.path}
        names = {"qualified_name": function.qualified_name, "first_line": 1, "last_line": 12, "seen_at": START}
        self._insert("code_functions", {**values, **names, **counts})

    def write(self) -> None:
        """Insert everything, one statement a table."""
        for table, rows in self.rows.items():
            self.client.insert(table, {name: [row[name] for row in rows] for name in rows[0]})

    def _insert(self, table: str, row: dict[str, object]) -> None:
        self.rows[table].append(row)


@pytest.fixture(scope="module")
def evidence(module_store: Client) -> Evidence:
    run, handler, hot, dumps = named("run", LIB), named("handler"), named("hot"), named("dumps", LIB)
    walk = named("walk")
    shop = Recorder(module_store, "shop", Language.PYTHON)
    held = [((run, handler, hot), 60, 0), ((run, handler), 10, 0), ((walk, walk), 10, 0)]
    for number in range(24):
        if number % 4 == 3:
            shop.window("active", [*held, ((run, handler, dumps), 45, 0)], 6.25)
        else:
            shop.window("gil", [*held, ((run, handler, dumps), 20, 0)], 6.25)
    shop.window("none", [], 6.25, outcome="sampler_failed")
    shop.facts(hot, complexity=5, loops=2, loop_depth=2, subscripts=4, arithmetic=4, keyed=3)
    shop.write()
    module_store.insert(
        "codebases", {"codebase": ["shop"], "total_files": [40], "total_lines": [9000], "seen_at": [START]}
    )
    ruby = Recorder(module_store, "billing", Language.RUBY)
    total = named("total", language=Language.RUBY)
    for _ in range(12):
        ruby.window("active", [((total,), 100, 40)], 5.0)
    ruby.write()
    return read(module_store, Selection(START * SECOND, (START + 600) * SECOND))


def service(evidence: Evidence, name: str) -> ServiceEvidence:
    return next(entry for entry in evidence.services if entry.service == name)


def test_core_hours_are_measured_cpu_over_the_time_observed(evidence: Evidence) -> None:
    shop = service(evidence, "shop")
    assert shop.observed_seconds == pytest.approx(250.0)
    assert shop.core_hours_per_year == pytest.approx(0.625 * 8760.0)
    assert shop.unattributed == pytest.approx(1 / 25)


def test_shares_are_of_all_cpu_and_recursion_counts_once(evidence: Evidence) -> None:
    shop = service(evidence, "shop")
    shares = {entry.function.qualified_name: entry for entry in shop.functions}
    covered = 24 / 25
    # Under the lock 5 of 6.25 CPU-seconds; the rest is what active windows see beyond: dumps beneath the handler.
    assert shares["hot"].total_share.estimate == pytest.approx(0.6 * 0.8 * covered, rel=1e-6)
    assert shares["walk"].total_share.estimate == pytest.approx(0.1 * 0.8 * covered, rel=1e-6)
    assert shares["handler"].total_share.estimate == pytest.approx((0.9 * 0.8 + 0.2) * covered, rel=1e-3)
    assert shares["handler"].native == pytest.approx(0.2 / 0.92, rel=1e-3)
    assert shares["hot"].total_share.clusters == 18
    assert "run" not in shares


def test_composition_is_what_lies_beneath(evidence: Evidence) -> None:
    handler = next(entry for entry in service(evidence, "shop").functions if entry.function.qualified_name == "handler")
    beneath = {function.qualified_name: part for function, part in handler.beneath.items()}
    assert sum(beneath.values()) == pytest.approx(handler.total_share.estimate * (1 - handler.native))
    assert beneath["hot"] / beneath["dumps"] == pytest.approx(3.0)
    hot = next(entry for entry in service(evidence, "shop").functions if entry.function.qualified_name == "hot")
    assert [caller.qualified_name for caller in hot.callers] == ["handler"]


@pytest.mark.usefixtures("evidence")
def test_composition_is_taken_from_minutes_that_are_named_unless_nothing_was_sampled_in_them(
    module_store: Client,
) -> None:
    handler = key(named("handler"))

    def sampled(*minutes: int) -> float:
        selection = Selection(START * SECOND, (START + 600) * SECOND, service="shop")
        found = surroundings(module_store, selection, [handler], language="python", mode="gil", minutes=minutes)
        return float(found.beneath[handler].y.sum()) / PERIOD

    assert sampled() == 18 * 90
    assert sampled(START, START + 120) == 10 * 90
    assert sampled(START + 540) == sampled()


def test_ruby_tells_native_time_by_its_leaves(evidence: Evidence) -> None:
    total = service(evidence, "billing").functions[0]
    assert total.native_known
    assert total.native == pytest.approx(0.4)
    assert sum(total.beneath.values()) == pytest.approx(0.6)


def test_facts_and_sizes_come_along(evidence: Evidence) -> None:
    hot = next(entry for entry in service(evidence, "shop").functions if entry.function.qualified_name == "hot")
    assert hot.facts is not None
    assert hot.facts.loops == 2
    assert [(entry.codebase, entry.total_files) for entry in evidence.codebases] == [("shop", 40)]


def test_it_ranks(evidence: Evidence) -> None:
    candidates = [entry for entry in rank(evidence, ScoringSettings()) if entry.service == "shop"]
    assert candidates[0].root.qualified_name == "hot"


def test_nothing_selected_is_nothing(module_store: Client) -> None:
    empty = read(module_store, Selection(START * SECOND, (START + 60) * SECOND, service="no such service"))
    assert empty.services == ()


def test_a_long_range_counts_the_hours_observed_and_no_more(module_store: Client, evidence: Evidence) -> None:
    """Over a day read from hours: the same core-hours, because a day without an agent says nothing."""
    day = read(module_store, Selection((START - 43_200) * SECOND, (START + 43_200) * SECOND))
    assert service(day, "shop").core_hours_per_year == service(evidence, "shop").core_hours_per_year
    assert service(day, "shop").observed_seconds == pytest.approx(250.0)
