"""Which processes are looked at without being stopped."""

import pytest
from pivotscope.profile.language import Language
from pivotscope_agent.asking import MOST_STOPPED, are_too_many


@pytest.mark.parametrize(
    ("threads", "language", "many"),
    [
        (1, Language.PYTHON, False),
        (MOST_STOPPED, Language.PYTHON, False),
        (MOST_STOPPED + 1, Language.PYTHON, True),
        (MOST_STOPPED + 1, Language.RUBY, False),
    ],
)
def test_python_processes_with_many_threads_are_not_stopped(threads: int, language: Language, *, many: bool) -> None:
    assert are_too_many(threads, language) == many
