"""Windows of many batches as columns: a field of all of them costs a third of one window after another. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.names import MODES, OUTCOMES
from pivotscope_collector.store.rows import Row

_MS = 1_000_000
_SECOND = 1_000_000_000
_MINUTE = 60_000_000_000
_LONGEST_LEFT_OUT = 60 * _MINUTE


@dataclass(slots=True)
class Windows:
    """Windows one after the other, and of each: columns of its process, columns of its identity, its batch's clock.

    `places` are rows of a dictionary; `identities` are (window_id, agent, epoch, sequence, position); `offsets` lead
    from the agent's clock to ours, `came_ns` is when the batch came by the agent's clock; `lengths` are their stacks.
    """

    messages: list[pb.Window] = field(default_factory=list)
    places: list[Row] = field(default_factory=list)
    identities: list[tuple[int, str, int, int, int]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    came_ns: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)


def columns(windows: Windows, limits: Limits | None) -> dict[str, Sequence[object]] | None:
    """Columns of windows by name, without what is summed up from samples.

    Nothing where a mode or an outcome is not known or, given limits, anything is not plainly within them.
    """
    messages, lengths = windows.messages, windows.lengths
    if not messages:
        return {}
    modes, outcomes = [one.mode for one in messages], [one.outcome for one in messages]
    if not (MODES.keys() >= set(modes) and OUTCOMES.keys() >= set(outcomes)):
        return None
    usages = [one.usage for one in messages]
    began = [one.started_unix_ns for one in messages]
    started = [max(0, at + offset) for at, offset in zip(began, windows.offsets, strict=True)]
    durations = [one.duration_ns for one in messages]
    stopped = [one.stopped_ns for one in messages]
    rates, ticks = [one.rate_hz for one in messages], [one.ticks for one in messages]
    errors = [one.errors for one in messages]
    left_out = [one.left_out_ns for one in messages]
    looks = [many - failed for many, failed in zip(ticks, errors, strict=True)]
    periods = list(map(period_ns, durations, stopped, looks, rates, left_out))
    service, environment, version, variant, language, instance, host, pid, process_started, runtime, container = zip(
        *windows.places, strict=True
    )
    window_id, agent, epoch, sequence, position = zip(*windows.identities, strict=True)
    found: dict[str, Sequence[object]] = {
        "minute": [at // _MINUTE * 60 for at in started],
        "service": service,
        "environment": environment,
        "version": version,
        "variant": variant,
        "language": language,
        "mode": [MODES[mode] for mode in modes],
        "window_id": window_id,
        "agent": agent,
        "epoch": epoch,
        "sequence": sequence,
        "position": position,
        "instance": instance,
        "host": host,
        "pid": pid,
        "process_started_at": process_started,
        "runtime_version": runtime,
        "container": container,
        "outcome": [OUTCOMES[outcome] for outcome in outcomes],
        "reason": [one.reason for one in messages],
        "started_at": [at // _MS for at in started],
        "agent_started_at": [max(0, at) // _MS for at in began],
        "duration_ns": durations,
        "rate_hz": rates,
        "ticks": ticks,
        "late": [one.late for one in messages],
        "errors": errors,
        "period_ns": periods,
    }
    measured: dict[str, Sequence[int]] = {
        "cpu_user_ns": [one.cpu_user_ns for one in usages],
        "cpu_system_ns": [one.cpu_system_ns for one in usages],
        "gap_cpu_ns": [one.gap_cpu_ns for one in messages],
        "sampler_cpu_ns": [one.sampler_cpu_ns for one in messages],
        "resident_bytes": [one.resident_bytes for one in usages],
        "proportional_bytes": [one.proportional_bytes for one in usages],
        "read_bytes": [one.read_bytes for one in usages],
        "written_bytes": [one.written_bytes for one in usages],
        "threads": [one.threads for one in usages],
        "run_delay_ns": [one.run_delay_ns for one in usages],
    }
    if limits and not (
        min(durations) >= 0
        and max(durations) <= limits.duration_ns
        and min(stopped) >= 0
        and max(stopped) <= limits.duration_ns
        and _in_time(began, windows.came_ns, limits)
        and max(rates) <= limits.rate_hz
        and max(periods) <= limits.sampled_ns
        and max(len(one.reason) for one in messages) <= limits.text_length
        and all(max(values) <= _most(name, limits) for name, values in measured.items())
        and all(
            not many
            or (
                many <= limits.rows_per_window
                and outcome == pb.OUTCOME_COMPLETE
                and mode != pb.MODE_NONE
                and (rate > 0 or (count > 0 and duration > 0))
            )
            for many, outcome, mode, rate, count, duration in zip(
                lengths, outcomes, modes, rates, ticks, durations, strict=True
            )
        )
    ):
        return None
    return {**found, **measured}


def period_ns(duration_ns: int, stopped_ns: int, looks: int, rate_hz: int, left_out_ns: int = 0) -> int:
    """What one sample stands for: the time in which the process could run ÷ the looks that succeeded.

    A sampler holds the process for each look, at 200 Hz for a twentieth of the time. Where looks are not known (0) they
    came at the rate: 1 ÷ rate. 0 where nothing was sampled. A window also stands for the time before it, an hour at
    most, in which the process was left out by choice (Horvitz and Thompson, JASA 47 (1952), 663-685: the length of a
    pause is settled before the window that ends it is seen).
    """
    period = max(0, duration_ns - stopped_ns) // looks if looks > 0 else _SECOND // rate_hz if rate_hz else 0
    return period * (duration_ns + min(left_out_ns, _LONGEST_LEFT_OUT)) // duration_ns if duration_ns > 0 else period


def _in_time(began: Sequence[int], came_ns: Sequence[int], limits: Limits) -> bool:
    ages = [came - at for came, at in zip(came_ns, began, strict=True)]
    soonest = (limits.doubt_seconds - limits.future_seconds) * _SECOND
    return min(ages) >= soonest and max(ages) <= (limits.age_seconds - limits.doubt_seconds) * _SECOND


def _most(measured: str, limits: Limits) -> int:
    return limits.cpu_ns if measured.endswith("_ns") else limits.amount
