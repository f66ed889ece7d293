"""Whatever is set wrongly, the error names the key, the value and the form expected."""

from typing import Any

import pytest
from pivotscope_agent.errors import SettingsError
from pivotscope_agent.merging import Merged, merge
from pivotscope_agent.settings import VARIABLES, explain, parse

_KEYS = [one.key for one in explain(Merged({"collector": {"tls": {}}}))[1]]
_WRONG = ["no\nsuch", "", 1.5, -1, True, [1], {"a": 1}]


def tree(key: str, value: object) -> dict[str, Any]:
    made = Merged()
    table, _, name = key.rpartition(".")
    made.put((table, name), value, "test")
    return made.values


def messages(key: str) -> list[str]:
    """What is said of each wrong value of a key; some take some of them."""
    found = []
    for value in _WRONG:
        try:
            parse(tree(key, value))
        except SettingsError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize("key", _KEYS)
def test_an_error_names_key_value_and_form(key: str) -> None:
    said = messages(key)
    assert len(said) >= 3
    # Certificate and key are a pair; a key of an array of tables is named with the position of the table.
    starts = (f"{key} = ", f"{key}[", f"{key}: ", "collector.tls: certificate and key are given together")
    assert [text for text in said if not text.startswith(starts)] == []
    assert [text for text in said if not any(part in text for part in (" is not ", "expected", "together"))] == []


@pytest.mark.parametrize(("variable", "place"), list(VARIABLES.items()))
def test_a_variable_sets_its_key(variable: str, place: tuple[str, str]) -> None:
    table, key = place
    merged = merge(None, VARIABLES, {variable: "127.0.0.1:99"}, {})
    assert merged.origin(f"{table}.{key}") == f"environment {variable}"
    assert f"{table}.{key}" in _KEYS


def test_a_table_that_is_no_table_is_said() -> None:
    with pytest.raises(SettingsError, match="collector = 3 is not a table"):
        Merged({"collector": 3}).put(("collector.tls", "ca"), "x", "test")


def test_a_key_that_nobody_asked_for_is_said() -> None:
    with pytest.raises(SettingsError, match=r"log\.levl is not a setting; expected one of format, level"):
        parse({"log": {"levl": "info"}})
