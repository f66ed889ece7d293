"""Options that several commands share, and the settings that they lead to."""

import os
from argparse import ArgumentParser
from pathlib import Path

from pivotscope_agent.merging import merge
from pivotscope_agent.settings import (
    DEFAULT_COLLECTOR,
    VARIABLES,
    SamplingSettings,
    Setting,
    Settings,
    explain,
    parse_selector,
)

CONFIG_VARIABLE = "PIVOTSCOPE_AGENT_CONFIG"


def add_config(parser: ArgumentParser) -> None:
    """Where the configuration is."""
    parser.add_argument(
        "--config",
        "-c",
        type=Path,
        metavar="FILE",
        help=f"configuration file (TOML); also by {CONFIG_VARIABLE} in the environment",
    )


def add_select(parser: ArgumentParser) -> None:
    """Which processes to look at."""
    parser.add_argument(
        "--select",
        action="append",
        metavar="KEY=VALUE[,…]",
        help="processes to sample: cmdline=REGEX, env=NAME=VALUE, user=NAME, cgroup=TEXT, pid=NUMBER, "
        "tree=PID (a process and all that it starts). "
        "All conditions of one --select must hold; several add up. service=, environment=, version=, variant=, "
        "instance=, codebase= and root= name what it finds. Replaces the selectors of the file.",
    )


def add_collector(parser: ArgumentParser) -> None:
    """Who is told, and where records wait until then."""
    parser.add_argument("--collector", metavar="HOST:PORT", help=f"the collector (default: {DEFAULT_COLLECTOR})")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="file that holds the collector's token")
    parser.add_argument(
        "--spool",
        type=Path,
        metavar="FOLDER",
        help="folder where records wait for the collector (default: ~/.local/state/pivotscope-agent)",
    )


def add_settings(parser: ArgumentParser) -> None:
    """What the settings of a command that looks at processes and talks to a collector depend on."""
    for add in (add_config, add_select, add_collector):
        add(parser)


def add_sampling(parser: ArgumentParser) -> None:
    """How closely to look."""
    default = SamplingSettings()
    for name, unit, about, value in (
        ("--window", "SECONDS", "length of a window", default.window_seconds),
        ("--rate", "HZ", "looks at a process a second", default.rate_hz),
    ):
        parser.add_argument(name, type=int, metavar=unit, help=f"{about} (default: {value})")


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
    named = os.environ.get(CONFIG_VARIABLE)
    file = config or (Path(named) if named else None)
    merged = merge(file, VARIABLES, os.environ, flags)
    return explain(merged, token=os.environ.get("PIVOTSCOPE_TOKEN", ""))
