"""`pivotscope flame`: where the time goes, as a picture or for other tools."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.reports.flame import Flame, FlameFrame, FlameStack, collapsed, speedscope
from pivotscope_collector.reports.flame_page import page


class FlameFormat(StrEnum):
    """Forms of a flame graph."""

    HTML = "html"
    SPEEDSCOPE = "speedscope"
    COLLAPSED = "collapsed"


class FlameMode(StrEnum):
    """Modes of samples; they are never added up."""

    BEST = "best"
    ACTIVE = "active"
    GIL = "gil"
    NATIVE = "native"


WIRE_MODES = {
    FlameMode.BEST: agent_pb2.MODE_UNSPECIFIED,
    FlameMode.ACTIVE: agent_pb2.MODE_ACTIVE,
    FlameMode.GIL: agent_pb2.MODE_GIL,
    FlameMode.NATIVE: agent_pb2.MODE_NATIVE,
}
RENDERERS = {FlameFormat.HTML: page, FlameFormat.SPEEDSCOPE: speedscope, FlameFormat.COLLAPSED: collapsed}


def flame(
    *,
    service: options.ServiceOption = "",
    environment: options.EnvironmentOption = "",
    release: options.VersionOption = "",
    since: options.Since = "1h",
    until: options.Until = "now",
    mode: Annotated[
        FlameMode,
        typer.Option(help="Kind of samples; best: the one that splits the CPU (gil in Python, active in Ruby)."),
    ] = FlameMode.BEST,
    form: Annotated[FlameFormat, typer.Option("--format", "-f", help="Form to write.")] = FlameFormat.HTML,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: standard output.")] = None,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Write a flame graph: an HTML page that needs nothing else, speedscope JSON, or collapsed stacks.

    For example:

        pivotscope flame --service shop --out flame.html

        pivotscope flame --since 24h --format speedscope --out shop.speedscope.json

        pivotscope flame --format collapsed | flamegraph.pl > flame.svg
    """
    request = query_pb2.GetFlameRequest(
        selection=options.selection(since, until, service, environment, release), mode=WIRE_MODES[mode]
    )
    answer = ask(
        collector, token_file, lambda stub, call: stub.GetFlame(request, metadata=call.metadata, timeout=call.timeout)
    )
    if not answer.stacks:
        raise NotFoundError("nothing was sampled in this range; widen --since or check `pivotscope agents list`")
    text = RENDERERS[form](_flame(answer, service or "all services"))
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_file(out, text)
        typer.echo(f"{out}: {len(answer.stacks):,} stacks, mode {answer.mode}", err=True)


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, "utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _flame(answer: query_pb2.GetFlameResponse, title: str) -> Flame:
    return Flame(
        title,
        answer.mode,
        tuple(FlameFrame(frame.path, frame.qualified_name, frame.owner) for frame in answer.frames),
        tuple(
            FlameStack(tuple(stack.frames), stack.samples, stack.native_samples, stack.cpu_seconds)
            for stack in answer.stacks
        ),
        answer.pruned,
    )
