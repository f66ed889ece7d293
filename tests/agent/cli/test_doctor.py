"""What the status of a stream that says nothing means."""

import grpc
import pytest
from pivotscope_agent.checks import State
from pivotscope_agent.cli.doctor import judge_answer


@pytest.mark.parametrize("code", list(grpc.StatusCode))
def test_only_a_complaint_about_the_silence_is_an_answer(code: grpc.StatusCode) -> None:
    check = judge_answer("host:1", code, "")
    fine = code in {grpc.StatusCode.OK, grpc.StatusCode.FAILED_PRECONDITION}
    assert (check.state is State.OK) == fine
    assert bool(check.fix) != fine
