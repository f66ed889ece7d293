"""Options that every reading command takes, and the selection they make."""

import time
from typing import Annotated

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli.when import FORMS, parse_range, parse_when
from pivotscope_collector.errors import UsageError
from pivotscope_collector.names import NONE, meant
from pivotscope_collector.reports.table import Output

_NAMED = f"{NONE}: what carries none; default: all"
ServiceOption = Annotated[str, typer.Option("--service", "-s", help="One service; default: all.")]
EnvironmentOption = Annotated[
    str, typer.Option("--environment", help=f"One environment, {NONE}: without one; default: all.")
]
VersionOption = Annotated[
    str, typer.Option("--release", help=f"One version of the service, {NONE}: without one; default: all.")
]
VariantOption = Annotated[str, typer.Option("--variant", help=f"One variant, {NONE}: without one; default: all.")]
Since = Annotated[str, typer.Option("--since", help=f"Start of the range: {FORMS}.")]
Until = Annotated[str, typer.Option("--until", help="End of the range, in the same forms.")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]


def selection(
    since: str, until: str, service: str = "", environment: str = "", version: str = "", *, variant: str = ""
) -> query_pb2.Selection:
    """The selection that the options name."""
    now_ns = time.time_ns()
    made = query_pb2.Selection(
        service=service, since_unix_ns=parse_when(since, now_ns), until_unix_ns=parse_when(until, now_ns)
    )
    return _narrowed(made, environment=environment, version=version, variant=variant)


def _narrowed(selection: query_pb2.Selection, **names: str) -> query_pb2.Selection:
    """The selection with those of the names that are given in place of its own."""
    given = {name: text for name, text in names.items() if text}
    without = {*selection.without} - given.keys() | {name for name, text in given.items() if not meant(text)}
    for name, text in given.items():
        setattr(selection, name, meant(text))
    selection.without[:] = sorted(without)
    return selection


BaseService = Annotated[str, typer.Option("--base-service", help="Service of the base; default: as --service.")]
BaseEnvironment = Annotated[
    str, typer.Option("--base-environment", help="Environment of the base; default: as --environment.")
]
BaseVersion = Annotated[str, typer.Option("--base-release", help="Version of the base; default: as --release.")]
BaseVariant = Annotated[str, typer.Option("--base-variant", help="Variant of the base; default: as --variant.")]
BaseRange = Annotated[str, typer.Option("--base-range", metavar="T1..T2", help="Time of the base; default: the same.")]


def base_selection(
    selection: query_pb2.Selection, *, service: str, environment: str, version: str, variant: str, span: str
) -> query_pb2.Selection:
    """What a selection is held against: the same but for what is given. Raises UsageError where nothing differs."""
    base = query_pb2.Selection()
    base.CopyFrom(selection)
    base.service = service or base.service
    _narrowed(base, environment=environment, version=version, variant=variant)
    if span:
        base.since_unix_ns, base.until_unix_ns = parse_range(span, time.time_ns())
    if base == selection:
        raise UsageError(
            "the base is the selection itself: name another by --base-release, --base-variant, --base-environment, "
            "--base-service or --base-range T1..T2"
        )
    return base
