"""File, environment and command line as one tree of values, each with its origin."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pivotscope_agent.errors import SettingsError

DEFAULT = "default"

Place = tuple[str, str]
"""Table (dots between its names, empty: the top) and key."""


@dataclass(slots=True)
class Merged:
    """Values as the configuration file nests them, and where each came from, by its dotted key."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def put(self, place: Place, value: object, origin: str) -> None:
        """Set one value over what was there. Raises SettingsError where its table is something else."""
        table, key = place
        section = self.values
        names = table.split(".") if table else []
        for depth, name in enumerate(names, start=1):
            section = section.setdefault(name, {})
            if not isinstance(section, dict):
                message = f"{'.'.join(names[:depth])} = {section!r} is not a table"
                raise SettingsError(message)
        section[key] = value
        self.origins[f"{table}.{key}" if table else key] = origin

    def origin(self, key: str) -> str:
        """Where the value of a dotted key came from."""
        return self.origins.get(key, DEFAULT)


def merge(
    file: Path | None, variables: Mapping[str, Place], environ: Mapping[str, str], flags: Mapping[Place, object]
) -> Merged:
    """Read all three; the command line wins over the environment, that over the file. Raises SettingsError.

    `variables` are the environment's names and what they set; empty ones and flags that are None are not given.
    """
    merged = Merged()
    if file is not None:
        merged.values = read_file(file)
        merged.origins = dict.fromkeys(_keys("", merged.values), f"file {file}")
    for variable, place in variables.items():
        if environ.get(variable):
            merged.put(place, environ[variable], f"environment {variable}")
    for place, value in flags.items():
        if value is not None:
            merged.put(place, value, "command line")
    return merged


def read_file(file: Path) -> dict[str, Any]:
    """The values of a TOML file. Raises SettingsError."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as problem:
        message = f"the configuration {file} cannot be read: {problem.strerror}"
        raise SettingsError(message) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        message = f"the configuration {file} is not TOML: {problem}"
        raise SettingsError(message) from None


def _keys(path: str, values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        inner = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from _keys(inner, value)
        else:
            yield inner
