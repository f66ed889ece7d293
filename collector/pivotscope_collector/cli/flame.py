"""`pivotscope flame`: where the time goes, as a picture or for other tools."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import counted, percent
from pivotscope_collector.cli.writing import write_file
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
    variant: options.VariantOption = "",
    since: options.Since = "1h",
    until: options.Until = "now",
    mode: Annotated[
        FlameMode,
        typer.Option(help="Kind of samples; best: the one that splits the CPU (gil, else active)."),
    ] = FlameMode.BEST,
    least: Annotated[
        float, typer.Option("--min-share", min=0.0, max=1.0, help="Cut calls below this part of the samples; 0: none.")
    ] = 0.001,
    base_service: options.BaseService = "",
    base_environment: options.BaseEnvironment = "",
    base_release: options.BaseVersion = "",
    base_variant: options.BaseVariant = "",
    base_range: options.BaseRange = "",
    form: Annotated[FlameFormat, typer.Option("--format", "-f", help="Form to write.")] = FlameFormat.HTML,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: standard output.")] = None,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Write a flame graph: an HTML page that needs nothing else, speedscope JSON, or collapsed stacks.

    With a base (--base-…) it is a diff: red calls take a larger part of the CPU than in the base, blue ones a smaller.
    Collapsed stacks then have two counts, of the base and of the selection.

    For example:

        pivotscope flame --service shop --out flame.html

        pivotscope flame --since 24h --format speedscope --out shop.speedscope.json

        pivotscope flame --format collapsed | flamegraph.pl > flame.svg

        pivotscope flame --service shop --release 1.5.0 --base-release 1.4.0 --out diff.html
    """
    selection = options.selection(since, until, service, environment, release, variant=variant)
    request = query_pb2.GetFlameRequest(selection=selection, mode=WIRE_MODES[mode], min_share=least or -1.0)
    if any((base_service, base_environment, base_release, base_variant, base_range)):
        base = options.base_selection(
            selection,
            service=base_service,
            environment=base_environment,
            version=base_release,
            variant=base_variant,
            span=base_range,
        )
        request.base.CopyFrom(base)
        if form is FlameFormat.SPEEDSCOPE:
            raise UsageError("speedscope's form knows no diff: take html or collapsed")
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
        typer.echo(f"{out}: {counted(len(answer.stacks), 'stack')}, mode {answer.mode}", err=True)
    if answer.pruned > 0.0:
        typer.echo(
            f"pruned {percent(answer.pruned)}: samples of calls too small to show count as their callers'", err=True
        )


def _flame(answer: query_pb2.GetFlameResponse, title: str) -> Flame:
    return Flame(
        title,
        answer.mode,
        tuple(FlameFrame(frame.path, frame.qualified_name, frame.owner) for frame in answer.frames),
        tuple(
            FlameStack(
                tuple(stack.frames),
                stack.samples,
                stack.native_samples,
                stack.cpu_seconds,
                stack.base_samples,
                stack.base_cpu_seconds,
            )
            for stack in answer.stacks
        ),
        answer.pruned,
        answer.base_cpu_seconds,
    )
