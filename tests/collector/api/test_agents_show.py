"""How an agent fares, from its message to what people and programs read."""

import csv
import io
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1 import query_pb2
from pivotscope_collector.api.agents import get_agent, list_agents
from pivotscope_collector.cli.agent_status import document, table
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.reports.table import Output, write
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.writer import Writer

NOW_MS = 1_795_000_000_000
NOW_NS = NOW_MS * 1_000_000

MakeStatus = Callable[..., pb.AgentStatus]


@pytest.fixture
def status() -> MakeStatus:
    def make(**fields: Any) -> pb.AgentStatus:
        made = pb.AgentStatus(
            sent_unix_ns=NOW_NS,
            started_unix_ns=NOW_NS - 100 * 10**9,
            agent_version="0.1.0",
            tools={"py-spy": "0.4.3"},
            counts=[
                pb.AgentCount(name="records_dropped", labels=["spool_full"], value=12),
                pb.AgentCount(name="items_dropped", labels=["backlog"], value=3),
                pb.AgentCount(name="windows", labels=["complete", ""], value=9),
            ],
            usage=pb.AgentUsage(cpu_ns=4 * 10**8, children_cpu_ns=8 * 10**8, resident_bytes=48_000_000),
            spool=pb.SpoolStatus(
                bytes=5_000_000, records=7, oldest_age_ns=3 * 10**9, on_disk=True, max_bytes=256 << 20
            ),
            stream=pb.StreamStatus(since_unix_ns=NOW_NS - 60 * 10**9, clock_offset_ns=10**9),
            governor=pb.GovernorStatus(cpu_budget=0.02, cpu_used=0.012, scale=0.5, stop_budget=0.005, reason="half"),
            target_states={"sampling": 1, "unsupported": 1, "skipped": 3},
        )
        made.targets.add(
            process=pb.Process(service="shop", pid=7, instance="a"),
            runtime="PyPy",
            state=pb.TARGET_STATE_UNSUPPORTED,
            reason_code="unsupported_runtime",
            reason="PyPy is not supported; CPython and CRuby are",
            outcome=pb.OUTCOME_UNSUPPORTED_RUNTIME,
        )
        made.targets.add(
            process=pb.Process(service="shop", pid=8, instance="b"),
            runtime="CPython 3.11.7",
            state=pb.TARGET_STATE_SAMPLING,
            reason_code="cpu_budget",
            reason="CPU budget: 5 of 10 Hz",
            asked_hz=10,
            rate_hz=5,
            mode=pb.MODE_GIL,
            windows=4,
            sampler_cores=0.012,
            stopped_ratio=0.002,
        )
        made.MergeFrom(pb.AgentStatus(**fields))
        return made

    return make


def store_agent(store: Client, name: str, *statuses: pb.AgentStatus) -> None:
    writer = Writer(store, Reception(store, SystemClock()), Counters(), 30.0)
    agent: tuple[object, ...] = (name, 1, "web-1", "0.1.0", ["python"], 5, 10**9, NOW_MS, NOW_MS, {})
    rows = [
        (name, NOW_MS + number, dict(one.target_states), b64encode(one.SerializeToString()).decode())
        for number, one in enumerate(statuses)
    ]
    writer.write(Rows(agents=[agent], statuses=rows))


@pytest.mark.engine
def test_the_newest_status_counts_and_is_found_by_the_beginning_of_a_name(store: Client, status: MakeStatus) -> None:
    store_agent(store, "web-1-aaaa", status(), status(problems=["newer"]))
    store_agent(store, "web-1-bbbb")
    answer = get_agent(store, "web-1-a", NOW_NS)
    assert answer.agent.agent_id == "web-1-aaaa"
    assert list(answer.status.problems) == ["newer"]
    assert answer.received_unix_ns == NOW_NS + 10**6
    assert answer.agent.connected
    assert not get_agent(store, "web-1-bbbb", NOW_NS).HasField("status")
    states = {agent.agent_id: dict(agent.target_states) for agent in list_agents(store, NOW_NS).agents}
    assert states == {"web-1-aaaa": {"sampling": 1, "unsupported": 1, "skipped": 3}, "web-1-bbbb": {}}
    with pytest.raises(UsageError, match="begins several agents: web-1-aaaa, web-1-bbbb"):
        get_agent(store, "web-1", NOW_NS)
    with pytest.raises(NotFoundError, match="no agent 'x'; known: web-1-aaaa, web-1-bbbb"):
        get_agent(store, "x", NOW_NS)


def answer_of(status: pb.AgentStatus | None) -> query_pb2.GetAgentResponse:
    agent = query_pb2.Agent(
        agent_id="web-1-aaaa",
        host="web-1",
        version="0.1.0",
        connected=True,
        first_seen_unix_ns=NOW_NS,
        last_seen_unix_ns=NOW_NS,
    )
    return query_pb2.GetAgentResponse(agent=agent, status=status, received_unix_ns=NOW_NS - 12 * 10**9)


def text_of(answer: query_pb2.GetAgentResponse, output: Output = Output.TABLE) -> str:
    file = io.StringIO()
    write(table(document(answer, NOW_NS)), output, file)
    return file.getvalue()


def test_people_read_what_it_chose_why_and_what_was_lost(status: MakeStatus) -> None:
    text = text_of(answer_of(status(problems=["the disk under the spool does not answer"])))
    for part in (
        "web-1-aaaa on web-1, version 0.1.0 (py-spy 0.4.3)",
        "what follows is 12 s old",
        "0.4 % of a core since its start, 48 MB; samplers 0.8 %",
        "1.2 % of a core used of 2.0 %, processes stopped for at most 0.5 % of the time; half",
        "7 records, 5.0 of 268 MB, oldest 3 s, on disk",
        "records: 12 spool_full; items: 3 backlog",
        "1 sampling, 3 skipped, 1 unsupported",
        "problem: the disk under the spool does not answer",
        "PyPy is not supported; CPython and CRuby are",
        "CPU budget: 5 of 10 Hz",
        "3 more processes",
    ):
        assert part in text, part


def test_programs_read_numbers(status: MakeStatus) -> None:
    found = json.loads(json.dumps(document(answer_of(status()), NOW_NS), allow_nan=False))
    assert found["status_age_seconds"] == 12.0
    assert found["connected_since"] == NOW_NS / 1e9 - 59
    assert found["dropped"] == {"records": {"spool_full": 12}, "items": {"backlog": 3}}
    assert found["governor"]["stop_budget"] == 0.005
    first, second = found["targets"]
    assert (first["state"], first["reason_code"], first["stopped_ratio"]) == (
        "unsupported",
        "unsupported_runtime",
        None,
    )
    assert (second["state"], second["mode"], second["rate_hz"], second["asked_hz"]) == ("sampling", "gil", 5, 10)
    rows = list(csv.DictReader(io.StringIO(text_of(answer_of(status()), Output.CSV))))
    assert [row["pid"] for row in rows] == ["7", "8"]


def test_an_agent_that_never_told_is_said() -> None:
    assert "never said how it fares" in text_of(answer_of(None))
    assert document(answer_of(None), NOW_NS)["cpu_cores"] is None


def test_a_newer_agents_state_is_shown_as_it_came(status: MakeStatus) -> None:
    made = status()
    made.targets[0].state = 99  # type: ignore[assignment]
    assert document(answer_of(made), NOW_NS)["targets"][0]["state"] == "99"
