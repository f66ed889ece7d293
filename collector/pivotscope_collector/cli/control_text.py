"""What was asked of agents, in words and in rows."""

from collections.abc import Iterator
from typing import Any

from pivotscope.v1 import agent_pb2, control_pb2

from pivotscope_collector.cli.format import moment
from pivotscope_collector.reports.table import Column

COLUMNS = (
    Column("asked", "asked"),
    Column("service", "service", lambda name: name or "all"),
    Column("agent", "agent", lambda name: name or "all"),
    Column("by", "by"),
    Column("at", "at"),
    Column("note", "note"),
)


def row(one: control_pb2.Standing) -> dict[str, Any]:
    """A standing request as raw values; `asked` is what a person reads."""
    kind = one.WhichOneof("asked") or "unknown"
    values: dict[str, Any] = {
        "kind": {"rate_hz": "rate", "max_targets": "targets"}.get(kind, kind),
        "asked": _what(one),
        "service": one.audience.service,
        "agent": one.audience.agent_id,
        "by": one.by,
        "at": moment(one.asked_unix_ns),
        "asked_unix_ns": one.asked_unix_ns,
        "note": one.note,
        "rate_hz": one.rate_hz or None,
        "max_targets": one.max_targets or None,
        "modes": _modes(one.modes),
        "paused_until_unix_ns": one.pause.unix_ns or None,
        "ends_unix_ns": one.ends_unix_ns or None,
    }
    return values


def document(request: control_pb2.ChangeControlsRequest, answer: control_pb2.ChangeControlsResponse) -> dict[str, Any]:
    """The answer to a change, for programs."""
    return {
        "change": request.WhichOneof("change"),
        "service": request.audience.service,
        "agent": request.audience.agent_id,
        "connected_agents": list(answer.agents),
        "known_within_seconds": answer.seconds,
        "standing": [row(one) for one in answer.standing],
    }


def sentences(request: control_pb2.ChangeControlsRequest, answer: control_pb2.ChangeControlsResponse) -> Iterator[str]:
    """What will happen now, and what else stands for the same agents and services."""
    agents = len(answer.agents)
    whom = f"{agents} connected {'agent' if agents == 1 else 'agents'}"
    yield f"{_subject(request)} {_verb(request, answer)}."
    if agents:
        yield f"Told to {whom} within {answer.seconds:g} s; agents that connect later hear of it then."
    else:
        yield "No agent that is connected runs it now; agents that connect later hear of it then."
    own = (request.audience.service, request.audience.agent_id)
    for one in answer.standing:
        wider = (one.audience.service, one.audience.agent_id) != own
        if request.WhichOneof("change") == "resume":
            yield f"Still paused, for it was asked of more than this: {_whole(one)}."
        elif wider and request.WhichOneof("change") != "facts":
            yield f"Also stands: {_whole(one)}."


def _subject(request: control_pb2.ChangeControlsRequest) -> str:
    service = request.audience.service or "every service"
    return f"{service} on {request.audience.agent_id or 'every agent'}"


def _verb(request: control_pb2.ChangeControlsRequest, answer: control_pb2.ChangeControlsResponse) -> str:
    match request.WhichOneof("change"):
        case "pause":
            ends = [one.pause.unix_ns for one in answer.standing if one.audience.service == request.audience.service]
            until = f"until {moment(max(ends))}" if request.pause and ends else "until it is resumed"
            return f"is not sampled {until}; its CPU is measured on"
        case "resume":
            return "is sampled again" if not answer.standing else "stays paused"
        case "rate_hz":
            return (
                f"is sampled at {request.rate_hz} Hz, within each agent's own limits"
                if request.rate_hz
                else ("is sampled at the rate of each agent's settings")
            )
        case "max_targets":
            return (
                f"has at most {request.max_targets} processes sampled at once by an agent, in turn"
                if (request.max_targets)
                else "has as many processes sampled at once as each agent's settings allow"
            )
        case "modes":
            names = ", ".join(_modes(request.modes))
            return f"is sampled in these modes only: {names}" if names else "is sampled in the modes of the settings"
        case _:
            return f"is to send the facts of {request.facts.codebase or 'every codebase'} again"


def _whole(one: control_pb2.Standing) -> str:
    service, agent = one.audience.service or "every service", one.audience.agent_id or "every agent"
    note = f" ({one.note})" if one.note else ""
    return f"{_what(one)} for {service} on {agent}, asked by {one.by} at {moment(one.asked_unix_ns)}{note}"


def _what(one: control_pb2.Standing) -> str:
    match one.WhichOneof("asked"):
        case "pause":
            return f"paused until {moment(one.pause.unix_ns)}" if one.pause.unix_ns else "paused until resumed"
        case "rate_hz":
            return f"{one.rate_hz} Hz"
        case "max_targets":
            return f"at most {one.max_targets} at once"
        case "modes":
            return "modes " + ", ".join(_modes(one.modes))
        case "facts":
            until = f" until {moment(one.ends_unix_ns)}" if one.ends_unix_ns else ""
            return f"facts of {one.facts.codebase or 'every codebase'}{until}"
        case _:
            return "something of a newer version"


def _modes(modes: control_pb2.Modes) -> list[str]:
    return [agent_pb2.Mode.Name(mode).removeprefix("MODE_").lower() for mode in modes.modes]
