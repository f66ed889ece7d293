"""One agent in words: what it does with each process and why, what it costs, what it had to give up."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.cli.format import counted, moment, percent
from pivotscope_collector.reports.table import Column, Table

_DROPS = {"records_dropped": "records", "items_dropped": "items", "series_refused": "series"}
"""Counters of the agent that count what did not get through, and what they count."""
_MEGA = 1_000_000

COLUMNS = (
    Column("pid", "pid", right=True),
    Column("service", "service"),
    Column("instance", "instance"),
    Column("runtime", "runtime"),
    Column("state", "state"),
    Column("rate_hz", "Hz", right=True),
    Column("mode", "mode"),
    Column("sampler_cores", "sampler CPU", percent, right=True),
    Column("stopped_ratio", "stopped", lambda value: "-" if value is None else f"{100 * value:.2f} %", right=True),
    Column("windows", "windows", right=True),
    Column("reason", "why"),
)


def document(answer: query_pb2.GetAgentResponse, now_ns: int) -> dict[str, Any]:
    """Everything that is known of an agent, as flat as it can be; for programs. Times are unix seconds."""
    agent, status = answer.agent, answer.status
    known = answer.HasField("status")
    return {
        "agent_id": agent.agent_id,
        "host": agent.host,
        "version": agent.version,
        "collector_version": answer.collector_version,
        "tools": dict(status.tools),
        "abilities": list(agent.abilities),
        "services": list(agent.services),
        "connected": agent.connected,
        "connected_since": _seconds(status.stream.since_unix_ns + status.stream.clock_offset_ns) if known else None,
        "started": _seconds(status.started_unix_ns + status.stream.clock_offset_ns) if known else None,
        "first_seen": _seconds(agent.first_seen_unix_ns),
        "last_seen": _seconds(agent.last_seen_unix_ns),
        "status_age_seconds": (now_ns - answer.received_unix_ns) / 1e9 if known else None,
        "clock_offset_seconds": agent.clock_offset_seconds,
        "problems": list(status.problems),
        "cpu_cores": _cores(status.usage.cpu_ns, status) if known else None,
        "children_cpu_cores": _cores(status.usage.children_cpu_ns, status) if known else None,
        "resident_bytes": status.usage.resident_bytes,
        "spool": {
            "records": status.spool.records,
            "bytes": status.spool.bytes,
            "max_bytes": status.spool.max_bytes,
            "oldest_age_seconds": status.spool.oldest_age_ns / 1e9,
            "on_disk": status.spool.on_disk,
        },
        "governor": {
            "cpu_budget": status.governor.cpu_budget,
            "cpu_used": status.governor.cpu_used,
            "scale": status.governor.scale,
            "stop_budget": status.governor.stop_budget if status.governor.HasField("stop_budget") else None,
            "reason": status.governor.reason,
        },
        "dropped": drops(status.counts),
        "counts": [{"name": one.name, "labels": list(one.labels), "value": one.value} for one in status.counts],
        "target_states": dict(sorted(status.target_states.items())),
        "targets": [target(one) for one in status.targets],
    }


def target(status: agent_pb2.TargetStatus) -> dict[str, Any]:
    """One process as a row."""
    process = status.process
    return {
        "pid": process.pid,
        "service": process.service,
        "environment": process.environment,
        "version": process.version,
        "variant": process.variant,
        "instance": process.instance,
        "container": process.container,
        "runtime": status.runtime,
        "state": _name(agent_pb2.TargetState, status.state, "TARGET_STATE_"),
        "reason_code": status.reason_code,
        "reason": status.reason,
        "asked_hz": status.asked_hz,
        "rate_hz": status.rate_hz,
        "mode": _name(agent_pb2.Mode, status.mode, "MODE_"),
        "outcome": _name(agent_pb2.Outcome, status.outcome, "OUTCOME_"),
        "window_ended": _seconds(status.window_ended_unix_ns),
        "window_seconds": status.window_ns / 1e9,
        "windows": status.windows,
        "complete_windows": status.complete_windows,
        "sampler_cores": status.sampler_cores,
        "sampler_cpu_seconds": status.sampler_cpu_ns / 1e9,
        "stopped_ratio": status.stopped_ratio if status.HasField("stopped_ratio") else None,
    }


def table(found: Mapping[str, Any]) -> Table:
    """The same for people, from `document`."""
    hidden = sum(found["target_states"].values()) - len(found["targets"])
    notes = (
        (f"{counted(hidden, 'more process', 'more processes')}; those above are the ones to look at.",)
        if hidden > 0
        else ()
    )
    return Table(COLUMNS, found["targets"], title="\n".join(_lines(found)), notes=notes)


def drops(counts: Iterable[agent_pb2.AgentCount]) -> dict[str, dict[str, int]]:
    """What did not get through since the agent's start, by kind and reason."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for count in counts:
        if count.name in _DROPS and count.value:
            found[_DROPS[count.name]][" ".join(count.labels) or "unknown"] = count.value
    return dict(found)


def _lines(found: Mapping[str, Any]) -> list[str]:
    tools = ", ".join(f"{name} {version}" for name, version in sorted(found["tools"].items()))
    lines = {"agent": f"{found['agent_id']} on {found['host']}, version {found['version']}{tools and f' ({tools})'}"}
    state = "connected" if found["connected"] else "silent"
    since = found["connected_since"]
    lines["stream"] = state + (f" since {moment(round(since * 1e9))}" if found["connected"] and since else "")
    lines["stream"] += f", last seen {moment(round(found['last_seen'] * 1e9))}"
    if found["status_age_seconds"] is None:
        return [*_aligned(lines), "It never said how it fares; agents before this version do not."]
    lines["stream"] += f"; what follows is {found['status_age_seconds']:.0f} s old"
    lines["clock"] = f"{found['clock_offset_seconds']:+.3f} s to the collector's"
    lines["itself"] = (
        f"{percent(found['cpu_cores'])} of a core since its start, {found['resident_bytes'] / _MEGA:.0f} MB; "
        f"samplers {percent(found['children_cpu_cores'])}"
    )
    lines["governor"] = _governor(found["governor"])
    spool = found["spool"]
    lines["spool"] = (
        f"{spool['records']} records, {spool['bytes'] / _MEGA:.1f} of {spool['max_bytes'] / _MEGA:.0f} MB, "
        f"oldest {spool['oldest_age_seconds']:.0f} s, {'on disk' if spool['on_disk'] else 'in memory'}"
    )
    dropped = (
        f"{kind}: {', '.join(f'{count} {reason}' for reason, count in sorted(reasons.items()))}"
        for kind, reasons in found["dropped"].items()
    )
    lines["dropped"] = "; ".join(dropped) or "nothing"
    states = (f"{count} {state}" for state, count in found["target_states"].items())
    lines["processes"] = ", ".join(states) or "none selected"
    return [*_aligned(lines), *(f"problem: {text}" for text in found["problems"]), ""]


def _governor(found: Mapping[str, Any]) -> str:
    text = f"{percent(found['cpu_used'])} of a core used of {percent(found['cpu_budget'])}"
    if found["stop_budget"] is not None:
        text += f", processes stopped for at most {100 * found['stop_budget']:g} % of the time"
    return f"{text}; {found['reason'] or percent(found['scale']) + ' of the sampling asked for'}"


def _aligned(lines: Mapping[str, str]) -> list[str]:
    width = max(map(len, lines))
    return [f"{name:<{width}}  {text}" for name, text in lines.items()]


def _cores(cpu_ns: int, status: agent_pb2.AgentStatus) -> float:
    return cpu_ns / max(1, status.sent_unix_ns - status.started_unix_ns)


def _seconds(unix_ns: int) -> float:
    return unix_ns / 1e9


def _name(kind: Any, value: int, prefix: str) -> str:  # noqa: ANN401 - enums of protobuf have no common type
    """The name of an enum's value, as words of this house have it; its number where a newer agent sent it."""
    try:
        name: str = kind.Name(value)
    except ValueError:
        return str(value)
    name = name.removeprefix(prefix).lower()
    return "" if name == "unspecified" else name
