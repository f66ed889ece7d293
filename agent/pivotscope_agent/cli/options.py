"""Options that several commands share, and the settings that they lead to."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pivotscope_agent.merging import merge
from pivotscope_agent.settings import VARIABLES, Setting, Settings, explain, parse_selector

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="PIVOTSCOPE_AGENT_CONFIG", help="Configuration file (TOML).", dir_okay=False),
]
SelectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        metavar="KEY=VALUE[,…]",
        help="Processes to sample: cmdline=REGEX, env=NAME=VALUE, user=NAME, cgroup=TEXT, pid=NUMBER, "
        "tree=PID (a process and all that it starts). "
        "All conditions of one --select must hold; several add up. service=, environment=, version=, variant=, "
        "instance=, codebase= and root= name what it finds. Replaces the selectors of the file.",
    ),
]
CollectorOption = Annotated[str | None, typer.Option("--collector", metavar="HOST:PORT", help="The collector.")]
TokenFileOption = Annotated[Path | None, typer.Option("--token-file", help="File that holds the collector's token.")]
SpoolOption = Annotated[Path | None, typer.Option("--spool", help="Folder where records wait for the collector.")]


HttpOption = Annotated[
    str | None,
    typer.Option("--http-listen", metavar="HOST:PORT", help="Where /metrics and /healthz are; off: nowhere."),
]


def settings_from(
    config: Path | None = None,
    select: list[str] | None = None,
    collector: str | None = None,
    token_file: Path | None = None,
    spool: Path | None = None,
    **others: object,
) -> Settings:
    """Settings from file, environment and the options given. Raises SettingsError."""
    return explained_from(config, select, collector, token_file, spool, **others)[0]


def explained_from(
    config: Path | None = None,
    select: list[str] | None = None,
    collector: str | None = None,
    token_file: Path | None = None,
    spool: Path | None = None,
    **others: object,
) -> tuple[Settings, list[Setting]]:
    """Settings, and every value of them with its origin. Raises SettingsError.

    `others` are values of keys, `sampling__rate_hz` for rate_hz in [sampling].
    """
    flags: dict[tuple[str, str], object] = {
        ("", "select"): [parse_selector(text) for text in select] if select else None,
        ("collector", "address"): collector,
        ("collector", "token_file"): str(token_file) if token_file else None,
        ("spool", "folder"): str(spool) if spool else None,
    }
    for name, value in others.items():
        table, _, key = name.partition("__")
        flags[table, key] = value
    merged = merge(config, VARIABLES, os.environ, flags)
    return explain(merged, token=os.environ.get("PIVOTSCOPE_TOKEN", ""))
