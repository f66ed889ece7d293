"""Asking something of agents: pauses, rates, limits and facts, kept in the store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pivotscope.profile.window import Mode
from pivotscope.v1 import agent_pb2, control_pb2

from pivotscope_collector.api.agents import CONNECTED_NS, RECENT_NS
from pivotscope_collector.api.selection import require_service
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.ingest.desired import SECONDS
from pivotscope_collector.store import catalogue, controls
from pivotscope_collector.store.client import Client, rows
from pivotscope_collector.store.controls import Kind, Standing

MODES = {agent_pb2.MODE_ACTIVE: Mode.ACTIVE, agent_pb2.MODE_GIL: Mode.GIL, agent_pb2.MODE_NATIVE: Mode.NATIVE}
KINDS = {
    "pause": Kind.PAUSE,
    "resume": Kind.PAUSE,
    "rate_hz": Kind.RATE,
    "max_targets": Kind.TARGETS,
    "modes": Kind.MODES,
    "facts": Kind.FACTS,
}
LONGEST_PAUSE_S = 366 * 86_400
HIGHEST_HZ = 1000
MOST_TARGETS = 100_000
TEXT = 200
_SECOND = 1_000_000_000

Agents = Sequence[Mapping[str, Any]]


def change_controls(
    client: Client, request: control_pb2.ChangeControlsRequest, now_ns: int
) -> control_pb2.ChangeControlsResponse:
    """Write the change, and say whom it concerns and what stands for them now."""
    agents: Agents = list(rows(catalogue.agents(client, now_ns - RECENT_NS)))
    agent, service = _agent_of(agents, request.audience.agent_id), request.audience.service
    require_service(client, service)
    _require_codebase(client, request.facts.codebase)
    asked = _asked(request, agent, service, now_ns)
    before = [one for one in controls.standing(client, now_ns) if one.kind is asked.kind]
    if _is_taken_back(request):
        within = [one for one in before if one.lies_within(agent, service)]
        controls.write(client, [replace(one, asked_ns=now_ns) for one in within], active=False)
    else:
        controls.write(client, [asked], active=True)
    after = [one for one in controls.standing(client, now_ns) if one.kind is asked.kind]
    return control_pb2.ChangeControlsResponse(
        agents=[row["agent"] for row in agents if _concerned(row, agent, service, now_ns)],
        standing=[_message(one) for one in after if one.touches(agent, service)],
        seconds=2 * SECONDS,
    )


def list_controls(client: Client, now_ns: int) -> control_pb2.ListControlsResponse:
    """Everything that is asked now, by kind and audience."""
    return control_pb2.ListControlsResponse(standing=[_message(one) for one in controls.standing(client, now_ns)])


def _asked(request: control_pb2.ChangeControlsRequest, agent: str, service: str, now_ns: int) -> Standing:
    """What the request asks for, checked."""
    change = request.WhichOneof("change")
    if change is None:
        raise UsageError("nothing was asked: give a pause, a rate, a limit, or facts")
    if len(request.by) > TEXT or len(request.note) > TEXT:
        raise UsageError(f"a name or a note of more than {TEXT} characters")
    for name, value, highest in (
        ("a pause in seconds", request.pause, LONGEST_PAUSE_S),
        ("a rate in Hz", request.rate_hz, HIGHEST_HZ),
        ("a number of targets", request.max_targets, MOST_TARGETS),
    ):
        if value > highest:
            raise UsageError(f"{value} as {name}: expected at most {highest}")
    if any(mode not in MODES for mode in request.modes.modes):
        raise UsageError("modes: expected active, gil or native")
    return Standing(
        KINDS[change],
        agent,
        service,
        codebase=request.facts.codebase,
        amount=request.rate_hz or request.max_targets,
        modes=tuple(sorted({MODES[mode] for mode in request.modes.modes})),
        until_ns=now_ns + request.pause * _SECOND if request.pause else 0,
        asked_by=request.by,
        note=request.note,
        asked_ns=now_ns,
    )


def _require_codebase(client: Client, name: str) -> None:
    """Raise where no function or fact of this codebase was ever received; the message lists those that are known."""
    if name and name not in (known := catalogue.codebases(client)):
        raise NotFoundError(f"unknown codebase {name!r}; known: {', '.join(known) or 'none yet'}")


def _is_taken_back(request: control_pb2.ChangeControlsRequest) -> bool:
    match request.WhichOneof("change"):
        case "resume":
            return True
        case "rate_hz":
            return not request.rate_hz
        case "max_targets":
            return not request.max_targets
        case "modes":
            return not request.modes.modes
        case _:
            return False


def _agent_of(agents: Agents, name: str) -> str:
    """The id of an agent that is named by its id or, where there is one on it, by its host."""
    ids = [str(row["agent"]) for row in agents]
    if not name or name in ids:
        return name
    on_host = [str(row["agent"]) for row in agents if row["host"] == name]
    if len(on_host) > 1:
        raise UsageError(f"{len(on_host)} agents ran on {name!r}; name one: {', '.join(on_host)}")
    if not on_host:
        raise NotFoundError(f"unknown agent {name!r}; known: {', '.join(ids) or 'none yet'}")
    return on_host[0]


def _concerned(row: Mapping[str, Any], agent: str, service: str, now_ns: int) -> bool:
    connected = now_ns - row["last_seen_ms"] * 10**6 < CONNECTED_NS
    return connected and agent in {"", row["agent"]} and (not service or service in row["services"])


def _message(one: Standing) -> control_pb2.Standing:
    made = control_pb2.Standing(
        audience=control_pb2.Audience(agent_id=one.agent, service=one.service),
        by=one.asked_by,
        note=one.note,
        asked_unix_ns=one.asked_ns,
        ends_unix_ns=one.ends_ns,
    )
    match one.kind:
        case Kind.PAUSE:
            made.pause.unix_ns = one.until_ns
            made.pause.SetInParent()
        case Kind.RATE:
            made.rate_hz = one.amount
        case Kind.TARGETS:
            made.max_targets = one.amount
        case Kind.MODES:
            made.modes.modes.extend(number for number, mode in MODES.items() if mode in one.modes)
        case Kind.FACTS:
            made.facts.codebase = one.codebase
            made.facts.SetInParent()
    return made
