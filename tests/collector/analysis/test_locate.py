"""Paths as profilers print them, on this machine and on others."""

from pathlib import Path

import pytest
from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language
from pivotscope_collector.analysis.codebase import Codebase
from pivotscope_collector.analysis.locate import Locator

HERE = Codebase("shop", Path("/home/me/shop"), ("app.py", "core/__init__.py", "core/sales.py", "web/sales.py"), 0)


@pytest.mark.parametrize(
    ("printed", "file"),
    [
        ("/home/me/shop/core/sales.py", "core/sales.py"),
        ("core/sales.py", "core/sales.py"),
        ("./app.py", "app.py"),
        ("app.py", "app.py"),
        ("/srv/container/core/sales.py", "core/sales.py"),
        ("/srv/container/app.py", "app.py"),
    ],
)
def test_files_of_the_codebase(printed: str, file: str) -> None:
    found = Locator([HERE]).locate(printed, Language.PYTHON)
    assert (found.codebase, found.path, found.owner) == ("shop", file, Owner.APPLICATION)
    assert found.source == HERE.root / file


@pytest.mark.parametrize(
    ("printed", "owner"),
    [
        ("/usr/lib/python3.11/json/encoder.py", Owner.STANDARD),
        ("<frozen importlib._bootstrap>", Owner.STANDARD),
        ("<internal:kernel>", Owner.STANDARD),
        ("/usr/lib/ruby/3.1.0/json/common.rb", Owner.STANDARD),
        ("/opt/venv/lib/python3.11/site-packages/flask/app.py", Owner.LIBRARY),
        ("/var/lib/gems/3.1.0/gems/puma-5.6.5/lib/puma/server.rb", Owner.LIBRARY),
        ("json/__init__.py", Owner.LIBRARY),
        ("sales.py", Owner.LIBRARY),  # two files are called so
        ("", Owner.RUNTIME),
        ("~", Owner.RUNTIME),
    ],
)
def test_files_of_others(printed: str, owner: Owner) -> None:
    assert Locator([HERE]).locate(printed, Language.PYTHON).owner is owner


def test_a_name_alone_is_a_guess() -> None:
    only = Codebase("shop", Path("/home/me/shop"), ("core/enum.py",), 0)
    found = Locator([only]).locate("enum.py", Language.PYTHON)
    assert found.guessed
    assert found.path == "core/enum.py"
