from itertools import count
from pathlib import Path

import pytest
from pivotscope.profile.language import Language
from pivotscope_agent.facts.codebase import CodebaseSize, measure_codebase
from pivotscope_agent.targets.inside import RootFolder

PYTHON, RUBY = Language.PYTHON, Language.RUBY


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "shop/main.py": "a\nb\n",
        "shop/app/pricing.py": "a\nb\nc",
        "shop/app/empty.py": "",
        "shop/app/report.rb": "a\n",
        "shop/Rakefile": "a\n",
        "shop/lib/bundle/x.rb": "a\n",
        "shop/vendor/bundle/ruby/3.1.0/gems/puma-5.6.5/lib/puma.rb": "a\n",
        "shop/.venv/lib/x.py": "a\n",
        "shop/python/pyvenv.cfg": "",
        "shop/python/lib/x.py": "a\n",
        "shop/node_modules/x.py": "a\n",
        "shop/__pycache__/x.py": "a\n",
        "shop/x.egg-info/x.py": "a\n",
        "shop/.git/x.py": "a\n",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "shop/link.py").symlink_to(tmp_path / "shop/main.py")
    (tmp_path / "shop/up").symlink_to(tmp_path)
    return tmp_path


def measure(tree: Path, *languages: Language, **bounds: float) -> CodebaseSize:
    with RootFolder(str(tree)) as folder:
        return measure_codebase(folder, "/shop", languages, clock=count().__next__, **bounds)  # type: ignore[arg-type]


def test_the_teams_own_files_are_counted(tree: Path) -> None:
    assert measure(tree, PYTHON, max_seconds=1e6) == CodebaseSize(3, 5)
    assert measure(tree, RUBY, max_seconds=1e6) == CodebaseSize(2, 2)
    assert measure(tree, PYTHON, RUBY, max_seconds=1e6) == CodebaseSize(5, 7)


def test_the_count_is_bounded_in_entries_and_time(tree: Path) -> None:
    assert not measure(tree, PYTHON, max_seconds=1e6, max_entries=5).complete
    assert not measure(tree, PYTHON, max_seconds=5).complete


def test_a_missing_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        measure(tmp_path, PYTHON)
