"""`pivotscope-agent config`."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from pivotscope_agent.cli.options import add_settings, explained_from
from pivotscope_agent.cli.output import Output, add_output, document, say
from pivotscope_agent.settings import Setting, Settings

SECRET_FILES = frozenset({"collector.token_file", "collector.tls.key"})
"""Settings whose file holds a secret: the file is named and tried, and nothing of what it holds is shown."""
_TOKEN = "collector.token"  # noqa: S105 - a key, not a token


def add_options(parser: ArgumentParser) -> None:
    """What settings depend on, and the form of the answer."""
    add_settings(parser)
    add_output(parser)


def call(
    *,
    config: Path | None,
    select: list[str] | None,
    collector: str | None,
    token_file: Path | None,
    spool: Path | None,
    output: Output,
) -> int:
    """Show the configuration as it takes effect, and where each value came from.

    What it prints is a configuration file with the same effect; secrets are never shown.
    """
    found = shown(*explained_from(config, select, collector, token_file, spool))
    say(document([asdict(one) for one in found]) if output is Output.JSON else "\n".join(lines(found)))
    return 0


def shown(settings: Settings, values: Iterable[Setting]) -> list[Setting]:
    """What may be shown: of the environment's token that it is there, of files with secrets whether they open."""
    found = [Setting(one.key, one.value, one.origin + _trouble(one)) for one in values]
    if settings.collector.token:
        found.append(Setting(_TOKEN, "(secret)", "environment PIVOTSCOPE_TOKEN"))
    return found


def _trouble(setting: Setting) -> str:
    if setting.key not in SECRET_FILES or not setting.value:
        return ""
    try:
        Path(str(setting.value)).open("rb").close()
    except OSError as problem:
        return f"; cannot be read: {problem.strerror}"
    return ""


def lines(values: Iterable[Setting]) -> list[str]:
    """Lines of TOML with the origin as a comment; what stands for a secret is a comment as a whole."""
    texts = [
        (f"{'# ' if one.key == _TOKEN else ''}{one.key} = {toml(one.value)}", one.origin)
        for one in sorted(values, key=lambda one: one.key)
    ]
    width = min(60, max(len(text) for text, _ in texts))
    return [f"{text:<{width}}  # {origin}" for text, origin in texts]


def toml(value: object) -> str:
    """A value in TOML's notation, on one line. Strings of TOML may be written as those of JSON."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(str(key))} = {toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
