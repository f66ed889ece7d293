"""A report as the collector gets it. Pure."""

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.status import TargetStatus
from pivotscope_agent.telemetry.report import Report

_TEXT = 300
"""Characters of a reason that are sent."""
_MODES = {mode: pb.Mode.Value(f"MODE_{mode.name}") for mode in Mode}
_OUTCOMES = {outcome: pb.Outcome.Value(f"OUTCOME_{outcome.name}") for outcome in Outcome}
_LANGUAGES = {language: pb.Language.Value(f"LANGUAGE_{language.name}") for language in Language}


def encode(report: Report) -> pb.AgentStatus:
    """The message; bounded by the number of targets that are told and of reasons that are counted."""
    spool, stream, governor = report.spool, report.stream, report.governor
    return pb.AgentStatus(
        sent_unix_ns=report.sent_unix_ns,
        started_unix_ns=report.started_unix_ns,
        agent_version=report.version,
        tools=report.tools,
        counts=[
            pb.AgentCount(name=name, labels=labels, value=value) for (name, labels), value in report.counts.items()
        ],
        usage=pb.AgentUsage(
            cpu_ns=report.usage.cpu_ns,
            children_cpu_ns=report.usage.children_cpu_ns,
            resident_bytes=report.usage.resident_bytes,
        ),
        spool=pb.SpoolStatus(
            bytes=spool.size_bytes,
            records=spool.records,
            oldest_age_ns=round(spool.oldest_age_s * 1e9),
            on_disk=spool.on_disk,
            max_bytes=spool.max_bytes,
        ),
        stream=pb.StreamStatus(
            since_unix_ns=stream.since_unix_ns,
            acknowledged_unix_ns=stream.acknowledged_unix_ns,
            clock_offset_ns=stream.clock_offset_ns,
            in_flight=stream.in_flight,
        ),
        governor=pb.GovernorStatus(
            cpu_budget=governor.cpu_budget,
            cpu_used=governor.cpu_used,
            scale=governor.scale,
            stop_budget=governor.stop_budget,
            reason=governor.reason[:_TEXT],
        ),
        targets=[_target(target) for target in report.told],
        target_states={state.value: count for state, count in report.states.items()},
        problems=[text[:_TEXT] for text in (*report.problems, *report.warnings)],
    )


def _target(status: TargetStatus) -> pb.TargetStatus:
    process = status.process
    return pb.TargetStatus(
        process=pb.Process(
            service=process.service,
            environment=process.environment,
            version=process.version,
            variant=process.variant,
            instance=process.instance,
            host=process.host,
            pid=process.pid,
            started_unix_ns=process.started_unix_ns,
            language=_LANGUAGES[process.language],
            runtime_version=process.runtime_version,
            container=process.container,
        ),
        runtime=status.runtime,
        state=pb.TargetState.Value(f"TARGET_STATE_{status.state.name}"),
        reason_code=status.code,
        reason=status.reason[:_TEXT],
        asked_hz=status.asked_hz,
        rate_hz=status.rate_hz,
        mode=_MODES[status.mode],
        outcome=pb.OUTCOME_UNSPECIFIED if status.outcome is None else _OUTCOMES[status.outcome],
        window_ended_unix_ns=status.window_ended_unix_ns,
        window_ns=status.window_ns,
        windows=sum(status.windows.values()),
        complete_windows=status.windows[Outcome.COMPLETE],
        sampler_cores=status.sampler_cores,
        sampler_cpu_ns=sum(status.sampler_cpu_ns.values()),
        stopped_ratio=status.stopped_ratio,
    )
