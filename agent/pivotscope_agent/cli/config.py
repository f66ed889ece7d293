"""`pivotscope-agent config`."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import typer

from pivotscope_agent.cli.options import (
    CollectorOption,
    ConfigOption,
    SelectOption,
    SpoolOption,
    TokenFileOption,
    settings_from,
)
from pivotscope_agent.cli.output import Output, OutputOption, document

SECRETS = frozenset({"token", "token_file", "key"})
"""Secrets, and settings whose file holds one: it is said whether there is one, nothing of what it is."""


def config(
    *,
    config: ConfigOption = None,
    select: SelectOption = None,
    collector: CollectorOption = None,
    token_file: TokenFileOption = None,
    spool: SpoolOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the configuration as it takes effect: file, environment and options together."""
    tree = plain(settings_from(config, select, collector, token_file, spool))
    typer.echo(document(tree) if output is Output.JSON else "\n".join(_lines("", tree)))


def plain(value: object, name: str = "") -> object:
    """A setting as tables, lists, strings and numbers."""
    if name in SECRETS:
        return _secret(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), field.name) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, re.Pattern):
        return value.pattern
    return str(value) if isinstance(value, Path) else value


def _secret(value: object) -> str:
    if not isinstance(value, Path):
        return "set" if value else "unset"
    try:
        value.open("rb").close()
    except OSError as problem:
        return f"set, but {value} cannot be read: {problem.strerror}"
    return f"set, from {value}"


def _lines(path: str, value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _lines(f"{path}.{key}" if path else key, item)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from _lines(f"{path}[{number}]", item)
    elif value not in {None, ""} if not isinstance(value, list) else value:
        yield f"{path} = {value}"
