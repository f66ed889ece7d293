import pytest
from pivotscope.profile.language import Language
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.runtime_kind import Runtime, classify, runtime_of


def unknown(path: str, language: Language, series: str) -> str:  # noqa: ARG001 - a file without a version
    return ""


@pytest.mark.parametrize(
    ("executable", "mapped", "language", "version"),
    [
        ("/usr/bin/python3.11", (), Language.PYTHON, "3.11"),
        ("/opt/bin/python", ("/opt/lib/libpython3.12.so.1.0",), Language.PYTHON, "3.12"),
        ("/opt/bin/python3.7m", (), Language.PYTHON, "3.7"),
        ("/usr/sbin/uwsgi", ("/usr/lib/libc.so.6", "/usr/lib/libpython3.10.so.1.0"), Language.PYTHON, "3.10"),
        ("/usr/bin/ruby3.1", ("/usr/lib/libruby-3.1.so.3.1.7",), Language.RUBY, "3.1.7"),
        ("/opt/bin/ruby", ("/opt/lib/libruby.so.3.4.1",), Language.RUBY, "3.4.1"),
    ],
)
def test_known_interpreters(executable: str, mapped: tuple[str, ...], language: Language, version: str) -> None:
    runtime = classify(executable, mapped, unknown)
    assert runtime is not None
    assert (runtime.language, runtime.version, runtime.unsupported) == (language, version, "")


@pytest.mark.parametrize(
    ("executable", "mapped"),
    [("/usr/bin/bash", ()), ("/usr/bin/node", ("/lib/libc.so.6",)), ("/usr/bin/python-config", ())],
)
def test_other_programs(executable: str, mapped: tuple[str, ...]) -> None:
    assert classify(executable, mapped, unknown) is None


@pytest.mark.parametrize(
    ("executable", "mapped", "name"),
    [
        ("/usr/bin/pypy3", (), "PyPy"),
        ("/opt/bin/python3", ("/opt/lib/libpypy3.10-c.so",), "PyPy"),
        ("/usr/bin/mruby", (), "mruby"),
        ("/opt/truffleruby/bin/truffleruby", (), "TruffleRuby"),
    ],
)
def test_interpreters_that_cannot_be_sampled(executable: str, mapped: tuple[str, ...], name: str) -> None:
    runtime = classify(executable, mapped, unknown)
    assert runtime is not None
    assert runtime.name == name
    assert f"{name} is not supported" in runtime.unsupported


def test_a_version_that_the_sampler_does_not_know() -> None:
    runtime = classify("/usr/bin/python3.99", (), unknown)
    assert runtime is not None
    assert runtime.unsupported.startswith("CPython 3.99 is not supported by the sampler; supported are 2.7, 3.3")


def test_the_full_version_is_read_from_the_file_that_holds_the_interpreter() -> None:
    asked: list[tuple[str, Language, str]] = []

    def read(path: str, language: Language, series: str) -> str:
        asked.append((path, language, series))
        return "3.12.4"

    runtime = classify("/opt/bin/python", ("/opt/lib/libpython3.12.so.1.0",), read)
    assert runtime == Runtime(Language.PYTHON, "CPython", "3.12.4")
    assert asked == [("/opt/lib/libpython3.12.so.1.0", Language.PYTHON, "3.12")]


def test_a_process_whose_files_are_hidden_is_told_by_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, "executable", lambda _: "")
    monkeypatch.setattr(procfs, "mapped_files", lambda _: ())
    monkeypatch.setattr(procfs, "cmdline", lambda _: ("/usr/bin/python3", "web.py"))
    runtime = runtime_of(4_194_304)
    assert runtime is not None
    assert (runtime.language, runtime.version, runtime.unsupported) == (Language.PYTHON, "3", "")
