"""Which files make a codebase."""

from pathlib import Path

import pytest
from pivotscope.profile.language import Language
from pivotscope_collector.analysis.codebase import root_of, survey
from pivotscope_collector.errors import UsageError


def test_files_of_the_wanted_languages_without_what_is_installed(shop: Path) -> None:
    assert survey(shop, [Language.PYTHON]).files == ("app.py", "core/sales.py")
    assert survey(shop, [Language.PYTHON, Language.RUBY]).files == ("app.py", "core/sales.py", "report.rb")


def test_lines_are_counted(shop: Path) -> None:
    assert survey(shop, [Language.PYTHON]).lines == 18 + 16


def test_links_are_not_followed(shop: Path) -> None:
    (shop / "again.py").symlink_to(shop / "app.py")
    (shop / "loop").symlink_to(shop)
    assert len(survey(shop, [Language.PYTHON]).files) == 2


def test_a_source_file_belongs_to_the_project_around_it(shop: Path) -> None:
    assert root_of(shop / "core" / "sales.py") == shop


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        survey(tmp_path / "nowhere", [Language.PYTHON])
