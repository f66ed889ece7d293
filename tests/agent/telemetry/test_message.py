"""The message that the collector gets."""

from collections.abc import Callable

from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.status import Reason, TargetState
from pivotscope_agent.telemetry.message import encode
from pivotscope_agent.telemetry.report import MOST_TARGETS, Report

from tests.agent.telemetry.conftest import NOW, SECOND, sampled, unsupported

MakeReport = Callable[..., Report]


def test_a_report_is_said_whole(report: MakeReport) -> None:
    message = encode(report(problems=("stuck",), warnings=("no listener",)))
    assert message == pb.AgentStatus.FromString(message.SerializeToString())
    assert message.sent_unix_ns == NOW
    assert {(one.name, *one.labels): one.value for one in message.counts}["windows", "complete", "cpu_budget"] == 1
    assert (message.usage.cpu_ns, message.spool.records, message.spool.oldest_age_ns) == (4 * SECOND, 2, 3_500_000_000)
    assert message.stream.clock_offset_ns == 3_000_000
    assert (message.governor.scale, message.governor.stop_budget) == (0.5, 0.005)
    assert list(message.problems) == ["stuck", "no listener"]
    first, second = message.targets
    assert (first.process.pid, first.state) == (8, pb.TARGET_STATE_UNSUPPORTED)
    assert (first.reason_code, first.reason) == ("unsupported_runtime", "PyPy is not supported")
    assert not first.HasField("stopped_ratio")
    assert (second.state, second.rate_hz, second.asked_hz, second.mode) == (
        pb.TARGET_STATE_SAMPLING,
        5,
        10,
        pb.MODE_GIL,
    )
    assert (second.reason_code, second.sampler_cores, second.stopped_ratio) == ("cpu_budget", 0.01, 0.002)
    assert dict(message.target_states) == {"sampling": 1, "unsupported": 1}


def test_every_state_can_be_said() -> None:
    assert {f"TARGET_STATE_{state.name}" for state in TargetState} == set(pb.TargetState.keys()) - {
        "TARGET_STATE_UNSPECIFIED"
    }


def test_the_message_is_bounded(report: MakeReport) -> None:
    targets = [unsupported(pid) for pid in range(1, 1001)]
    for status in targets:
        status.reason = "x" * 5000
    message = encode(report(targets=(*targets, sampled())))
    assert len(message.targets) == MOST_TARGETS
    assert sum(message.target_states.values()) == 1001
    assert message.ByteSize() < 256 * 1024


def test_codes_are_short() -> None:
    assert all(len(code) <= 32 and code == code.lower() for code in Reason)
