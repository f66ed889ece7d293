"""A short look at every fault; `python -m tests.faults` takes the long one."""

from pathlib import Path

import pytest

from tests.faults.show import Script, run


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.engine
@pytest.mark.python_target
def test_nothing_is_lost_twice_or_left_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def say(text: str) -> None:
        with capsys.disabled():
            print(f"[{text}]", end=" ", flush=True)  # noqa: T201

    claims = run(Script(kills=2, partition=5.0, ruby=False), tmp_path, say)
    missed = [claim for claim in claims if not claim.held]
    assert missed == []
