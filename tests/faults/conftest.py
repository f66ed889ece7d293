from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Processes of one test; all of them end with it."""
    with Stack(tmp_path) as started:
        yield started
