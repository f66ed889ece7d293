"""Reads one table of a configuration file: each value checked, and an error for every key nobody asked for."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pivotscope_agent.errors import SettingsError


class Section:
    """A table of the configuration. Each getter names key, value and the form expected when it refuses.

    `name` is the table's name for messages, empty for the top level. `close` refuses what was not read. `seen` takes
    every value that was read, defaults too, by its dotted key.
    """

    def __init__(self, name: str, values: Mapping[str, Any], seen: dict[str, object] | None = None) -> None:
        self._name = name
        self._values = dict(values)
        self._seen = {} if seen is None else seen
        self._known: set[str] = set()

    def section(self, key: str) -> "Section":
        """A table within this one; empty where it is not given."""
        return Section(self._path(key), self._typed(key, dict, {}, "a table"), self._seen)

    def sections(self, key: str) -> "list[Section]":
        """An array of tables."""
        items = self._typed(key, list, [], f"an array of tables, [[{self._path(key)}]]")
        if not all(isinstance(item, dict) for item in items):
            raise self.error(key, items, f"an array of tables, [[{self._path(key)}]]")
        self.note(key, items)
        return [Section(f"{self._path(key)}[{number}]", item) for number, item in enumerate(items)]

    def text(self, key: str, default: str = "", *, choices: tuple[str, ...] = ()) -> str:
        """A string, one of `choices` where there are any."""
        form = "one of " + ", ".join(choices) if choices else "a string"
        value: str = self._typed(key, str, default, form)
        if choices and value not in choices:
            raise self.error(key, value, form)
        self.note(key, value)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        items = self._typed(key, list, [], "a list of strings")
        if not all(isinstance(item, str) for item in items):
            raise self.error(key, items, "a list of strings")
        self.note(key, items)
        return tuple(items)

    def path(self, key: str, default: Path | None = None) -> Path | None:
        """A path, with ~ expanded; None or `default` where it is empty."""
        value = self.text(key)
        path = Path(value).expanduser() if value else default
        self.note(key, str(path or ""))
        return path

    def flag(self, key: str, *, default: bool) -> bool:
        """A truth value; from the environment true, false, 1, 0, yes, no."""
        form = "true or false"
        value = self._raw(key, default)
        if isinstance(value, str):
            value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(value.lower())
        if not isinstance(value, bool):
            raise self.error(key, self._values[key], form)
        self.note(key, value)
        return value

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number within bounds."""
        form = f"a whole number from {low} to {high}"
        value = self._number(key, default, form)
        if value != int(value) or not low <= value <= high:
            raise self.error(key, self._values[key], form)
        self.note(key, int(value))
        return int(value)

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """A number within bounds."""
        form = f"a number from {low:g} to {high:g}"
        value = self._number(key, default, form)
        if not low <= value <= high:
            raise self.error(key, self._values[key], form)
        self.note(key, value)
        return value

    def pattern(self, key: str) -> re.Pattern[str] | None:
        """A regular expression; None where it is empty."""
        value = self.text(key)
        try:
            return re.compile(value) if value else None
        except re.error as problem:
            raise self.error(key, value, f"a regular expression ({problem})") from None

    def note(self, key: str, value: object) -> None:
        """Say which value of a key takes effect, where it is not the one that was read."""
        self._seen[self._path(key)] = value

    def has(self, key: str) -> bool:
        """Whether the table holds this key."""
        return key in self._values

    def raw(self) -> Mapping[str, Any]:
        """Everything in the table, for a reader that checks it itself."""
        self._known.update(self._values)
        return self._values

    def close(self) -> None:
        """Refuse keys that were not asked for: a misspelt setting must not be ignored."""
        unknown = sorted(set(self._values) - self._known)
        if unknown:
            known = ", ".join(sorted(self._known))
            message = f"{self._path(unknown[0])} is not a setting; expected one of {known}"
            raise SettingsError(message)

    def error(self, key: str, value: object, form: str) -> SettingsError:
        """An error that names key, value and form."""
        return SettingsError(f"{self._path(key)} = {value!r} is not {form}")

    def _path(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key

    def _raw(self, key: str, default: Any) -> Any:  # noqa: ANN401 - TOML values have no common type
        self._known.add(key)
        return self._values.get(key, default)

    def _typed(self, key: str, kind: type, default: Any, form: str) -> Any:  # noqa: ANN401 - as above
        value = self._raw(key, default)
        if not isinstance(value, kind):
            raise self.error(key, value, form)
        return value

    def _number(self, key: str, default: float, form: str) -> float:
        value = self._raw(key, default)
        if isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                raise self.error(key, value, form) from None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, value, form)
        return float(value)
