from collections.abc import Callable

from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language
from pivotscope_agent.naming.libraries import Location
from pivotscope_agent.naming.roots import Roots


def files(*paths: str) -> Callable[[str], bool]:
    return frozenset(paths).__contains__


def roots(*present: str, cwd: str = "/srv/shop/web", root: str = "", language: Language = Language.PYTHON) -> Roots:
    return Roots("shop", language, cwd=cwd, root=root, exists=files(*present))


def application(path: str, file: str) -> Location:
    return Location("shop", path, Owner.APPLICATION, file)


def test_a_configured_root_comes_first() -> None:
    found = roots("/srv/shop/web/pyproject.toml", root="/srv/")
    assert found.primary == "/srv"
    assert found.locate("/srv/shop/web/app.py") == application("shop/web/app.py", "/srv/shop/web/app.py")


def test_a_root_within_site_packages_is_the_applications() -> None:
    found = roots(root="/usr/lib/python3/dist-packages/shop")
    file = "/usr/lib/python3/dist-packages/shop/pricing.py"
    assert found.locate(file) == application("pricing.py", file)
    assert found.locate("/usr/lib/python3/dist-packages/flask/app.py").owner is Owner.LIBRARY


def test_an_environment_within_the_root_stays_a_library() -> None:
    found = roots(root="/srv/shop")
    assert found.locate("/srv/shop/.venv/lib/python3.11/site-packages/flask/app.py").codebase == "flask"


def test_the_nearest_marker_above_the_working_directory() -> None:
    found = roots("/srv/shop/pyproject.toml", "/srv/.git")
    assert found.primary == "/srv/shop"
    assert found.locate("/srv/shop/web/app.py") == application("web/app.py", "/srv/shop/web/app.py")
    assert found.locate("/srv/shop/core/app.py") == application("core/app.py", "/srv/shop/core/app.py")


def test_ruby_has_its_own_markers() -> None:
    found = roots("/srv/shop/web/pyproject.toml", "/srv/shop/Gemfile", language=Language.RUBY)
    assert found.primary == "/srv/shop"


def test_without_a_marker_the_working_directory_is_the_root() -> None:
    assert roots().primary == "/srv/shop/web"


def test_relative_paths_are_taken_from_the_working_directory() -> None:
    assert roots().locate("./app.py") == application("app.py", "/srv/shop/web/app.py")
    assert roots("/srv/shop/.git").locate("../x/app.py") == application("x/app.py", "/srv/shop/x/app.py")


def test_a_file_elsewhere_has_the_name_of_its_own_root_in_front() -> None:
    found = roots("/srv/shop/web/setup.py", "/opt/pricing/setup.py")
    assert found.locate("/opt/pricing/lib/app.py") == application("pricing/lib/app.py", "/opt/pricing/lib/app.py")


def test_a_file_elsewhere_without_a_marker_keeps_its_whole_path() -> None:
    assert roots().locate("/opt/x/app.py") == application("opt/x/app.py", "/opt/x/app.py")


def test_the_root_of_the_file_system_can_be_the_working_directory() -> None:
    found = roots(cwd="/")
    assert found.primary == ""
    assert found.locate("/srv/app.py") == application("srv/app.py", "/srv/app.py")
    assert found.locate("app.py") == application("app.py", "/app.py")


def test_code_without_a_file_is_nobodys() -> None:
    assert roots().locate("<string>") == Location("python-core", "<string>", Owner.RUNTIME)
    assert roots().locate("") == Location("python-core", "", Owner.RUNTIME)


def test_markers_are_looked_for_once_a_folder() -> None:
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return False

    found = Roots("shop", Language.RUBY, cwd="/srv", exists=exists)
    for file in ("/opt/a/x.rb", "/opt/a/y.rb", "/opt/b/x.rb"):
        found.locate(file)
    assert len(asked) == len(set(asked))
