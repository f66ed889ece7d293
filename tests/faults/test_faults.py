"""A short look at every fault; `python -m tests.faults` takes the long one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.show import Script, run


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.engine
@pytest.mark.python_target
def test_nothing_is_lost_twice_or_left_behind(tmp_path: Path, measured: Callable[[str], None]) -> None:
    claims = run(Script(kills=2, partition=5.0, ruby=False), tmp_path, print)
    for claim in claims:
        measured(f"{claim.claim}: {claim.seen}")
    missed = [claim for claim in claims if not claim.held]
    assert missed == []
