"""`pivotscope compare`: did it bring what was promised?"""

import json
import time
from typing import Annotated, Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.comparison_table import render
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.when import parse_range, parse_when
from pivotscope_collector.errors import UsageError
from pivotscope_collector.names import NONE, meant
from pivotscope_collector.reports.table import Output

Pair = tuple[str, str]


def compare(
    *,
    variant: Annotated[
        Pair | None,
        typer.Option("--variant", metavar="A B", help=f"Two variants, side by side; {NONE}: no variant."),
    ] = None,
    version: Annotated[Pair | None, typer.Option("--version", metavar="A B", help="Two versions, likewise.")] = None,
    before: Annotated[str, typer.Option("--before", metavar="T1..T2", help="The time before; with --after.")] = "",
    after: Annotated[str, typer.Option("--after", metavar="T3..T4", help="The time after.")] = "",
    function_a: Annotated[
        str, typer.Option("--function-a", help="The old function, where both variants run in one process.")
    ] = "",
    function_b: Annotated[
        str, typer.Option("--function-b", help="The function that calls the new code, likewise.")
    ] = "",
    randomised: Annotated[
        bool, typer.Option("--randomised", help="Users were assigned at random, salted and sticky.")
    ] = False,
    planned: Annotated[
        list[float] | None,
        typer.Option("--planned", help="Share of traffic that B was to get, 0 to 1; one, or one a stage."),
    ] = None,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", metavar="TIME", help="When that share was changed; several times.")
    ] = None,
    service: options.ServiceOption = "",
    environment: options.EnvironmentOption = "",
    since: options.Since = "1h",
    until: options.Until = "now",
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Hold B against A: latency, throughput, errors, CPU, memory and business, each with an interval and a verdict.

    For example:

        pivotscope compare --service shop --variant old new --since 2h

        pivotscope compare --service shop --variant '(none)' canary --since 2h

        pivotscope compare --service shop --version 1.4.0 1.5.0 --since 7d

        pivotscope compare --service shop --variant old new --since 6h --planned .05 --planned .5 --stage 3h

        pivotscope compare --service shop --before 3d..2d --after 1d..now --output json
    """
    request = query_pb2.CompareRequest(
        selection=options.selection(since, until, service, environment),
        function_a=function_a,
        function_b=function_b,
        randomised=randomised,
        planned_shares=planned or (),
        stage_unix_ns=sorted(parse_when(one, time.time_ns()) for one in stage or ()),
        **_arms(variant, version, before, after),
    )
    answer = ask(
        collector, token_file, lambda stub, call: stub.Compare(request, metadata=call.metadata, timeout=call.timeout)
    )
    render(json.loads(answer.document), output)


def _arms(variant: Pair | None, version: Pair | None, before: str, after: str) -> dict[str, Any]:
    """The fields of the request that name the arms; exactly one way of the three."""
    if bool(before) != bool(after):
        raise UsageError("--before and --after go together")
    if sum(map(bool, (variant, version, before))) != 1:
        raise UsageError("name the arms by one of --variant A B, --version A B, --before T1..T2 --after T3..T4")
    if variant:
        return _pair("variant", variant)
    if version:
        return _pair("version", version)
    now_ns = time.time_ns()
    (before_from, before_to), (after_from, after_to) = parse_range(before, now_ns), parse_range(after, now_ns)
    return {
        "before_from_unix_ns": before_from,
        "before_to_unix_ns": before_to,
        "after_from_unix_ns": after_from,
        "after_to_unix_ns": after_to,
    }


def _pair(name: str, arms: Pair) -> dict[str, Any]:
    if not all(arms):
        raise UsageError(f"--{name}: the name of an arm is empty; {NONE} is the arm that carries none")
    return {f"{name}_a": meant(arms[0]), f"{name}_b": meant(arms[1])}
