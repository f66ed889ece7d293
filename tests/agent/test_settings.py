from pathlib import Path

import pytest
from pivotscope_agent.errors import SettingsError
from pivotscope_agent.settings import Settings, load, parse, parse_selector
from pivotscope_agent.targets.selector import OPT_IN

FILE = """
host = "node-1"
[collector]
address = "localhost:4640"
[sampling]
rate_hz = 20
[python]
active_every = 2
[[select]]
cmdline = "gunicorn .*shop"
service = "shop"
codebase = "mono"
"""


def test_defaults() -> None:
    settings = load(None, {}, {})
    assert settings == Settings()
    assert settings.selectors == OPT_IN
    assert (settings.sampling.window_seconds, settings.sampling.rate_hz, settings.python.active_every) == (15, 10, 4)


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(FILE)
    environ = {"PIVOTSCOPE_RATE_HZ": "30", "PIVOTSCOPE_SLOTS": "3"}
    settings = load(file, environ, {("sampling", "slots"): 5, ("sampling", "window_seconds"): None})
    assert (settings.sampling.rate_hz, settings.sampling.slots, settings.sampling.window_seconds) == (30, 5, 15)
    assert settings.host == "node-1"
    assert settings.selectors[0].labels.codebase == "mono"
    assert str(settings.selectors[0]) == "cmdline=gunicorn .*shop"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sampling": {"rate_hz": 0}}, "sampling.rate_hz = 0 is not a whole number from 1 to 200"),
        ({"sampling": {"rate_hz": True}}, "sampling.rate_hz = True is not a whole number from 1 to 200"),
        ({"sampling": {"rate_hz": 1.5}}, "sampling.rate_hz = 1.5 is not a whole number from 1 to 200"),
        ({"budget": {"host_cpu": "much"}}, "budget.host_cpu = 'much' is not a number from 0.0005 to 1024"),
        (
            {"sampling": {"rat": 1}},
            "sampling.rat is not a setting; expected one of first",
        ),
        ({"sampling": 3}, "sampling = 3 is not a table"),
        ({"colector": {}}, "colector is not a setting"),
        ({"collector": {"address": "localhost"}}, "collector.address = 'localhost' is not HOST:PORT or unix:PATH"),
        ({"python": {"nonblocking": "perhaps"}}, "python.nonblocking = 'perhaps' is not true or false"),
        ({"select": [{"cmdline": "("}]}, r"select\[0\].cmdline = '\(' is not a regular expression"),
        ({"select": [{"service": "x"}]}, r"select\[0\].cmdline = '' is not a condition; give at least one of cmdline"),
        ({"select": [{"pid": "x"}]}, r"select\[0\].pid = 'x' is not a whole number"),
        ({"select": {"pid": 1}}, r"select = {'pid': 1} is not an array of tables, \[\[select\]\]"),
        ({"metrics": {"interval": 1}}, "metrics.interval"),
    ],
)
def test_errors_name_key_value_and_form(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse(values)


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load(tmp_path / "no.toml", {}, {})
    (tmp_path / "bad.toml").write_text("a = ")
    with pytest.raises(SettingsError, match="is not TOML"):
        load(tmp_path / "bad.toml", {}, {})


def test_the_token_does_not_travel_in_the_open() -> None:
    with pytest.raises(SettingsError, match="TLS"):
        parse({"collector": {"address": "collector.example:4640"}})
    assert parse({"collector": {"address": "collector.example:4640", "tls": {}}}).collector.tls is not None


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("pid=12", {"pid": 12}),
        ("cmdline=a{1,2},service=x", {"cmdline": "a{1,2}", "service": "x"}),
        ("env=A=b=c,user=www,cgroup=pod", {"env": "A=b=c", "user": "www", "cgroup": "pod"}),
        ("service=x,cmdline=a,b=c", {"service": "x", "cmdline": "a,b=c"}),
    ],
)
def test_selectors_of_the_command_line(text: str, table: dict[str, object]) -> None:
    assert parse_selector(text) == table


@pytest.mark.parametrize("text", ["", "gunicorn", "name=x"])
def test_selectors_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match="is not KEY=VALUE with KEY one of cmdline"):
        parse_selector(text)
