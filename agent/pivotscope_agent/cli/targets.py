"""`pivotscope-agent targets`."""

from dataclasses import asdict, dataclass

import typer

from pivotscope_agent.cli.options import ConfigOption, SelectOption, settings_from
from pivotscope_agent.cli.output import Output, OutputOption, columns, document
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.settings import Settings
from pivotscope_agent.status import Reason
from pivotscope_agent.targets import procfs, runtime_kind
from pivotscope_agent.targets.refusal import Refusal
from pivotscope_agent.targets.scan import Scanner
from pivotscope_agent.targets.target import Target


@dataclass(frozen=True, slots=True)
class Row:
    """A process of a language that is sampled. `code` and `why` say what is in the way, empty where nothing is."""

    pid: int
    selected: bool
    can_be_sampled: bool
    runtime: str
    service: str
    environment: str
    version: str
    variant: str
    instance: str
    codebase: str
    container: str
    code: str
    why: str
    command: str


def targets(*, config: ConfigOption = None, select: SelectOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show Python and Ruby processes: which are selected, what they belong to, and what stands in the way."""
    rows = look(settings_from(config, select))
    if output is Output.JSON:
        typer.echo(document([asdict(row) for row in rows]))
        return
    if not rows:
        typer.echo("No Python or Ruby process is to be seen. Does the agent share the processes' pid namespace?")
        return
    header = ("PID", "SELECTED", "SAMPLED", "RUNTIME", "SERVICE", "INSTANCE", "CONTAINER", "WHY NOT", "COMMAND")
    typer.echo(columns(header, [_cells(row) for row in rows]))


def look(settings: Settings) -> list[Row]:
    """Every Python and Ruby process that can be seen, the selected ones first."""
    scanner = (
        Scanner(settings.selectors, settings.host or "localhost") if settings.host else Scanner(settings.selectors)
    )
    scanner.scan()
    rows = [_selected(target) for target in scanner.targets]
    rows += [row for refusal in scanner.refusals if (row := _refused(refusal)) is not None]
    return rows


def _selected(target: Target) -> Row:
    process, labels = target.process, target.labels
    code, why = Reason.NONE, ""
    if target.runtime.unsupported:
        code, why = Reason.RUNTIME, target.runtime.unsupported
    elif not procfs.may_attach(process.pid):
        code, why = Reason.DENIED, "the kernel does not let this user trace it; see doctor"
    return Row(
        pid=process.pid,
        selected=True,
        can_be_sampled=not why,
        runtime=f"{target.runtime.name} {target.runtime.version}".strip(),
        service=labels.service,
        environment=labels.environment,
        version=labels.version,
        variant=labels.variant,
        instance=labels.instance,
        codebase=labels.codebase,
        container=process.container,
        code=code,
        why=why,
        command=_command(process.pid),
    )


def _refused(refusal: Refusal) -> Row | None:
    """A process that was left alone; None for those of other languages."""
    try:
        runtime = runtime_kind.runtime_of(refusal.pid)
    except ProcessGoneError:
        return None
    if runtime is None:
        return None
    return Row(
        pid=refusal.pid,
        selected=False,
        can_be_sampled=False,
        runtime=f"{runtime.name} {runtime.version}".strip(),
        service="",
        environment="",
        version="",
        variant="",
        instance="",
        codebase="",
        container="",
        code=refusal.why,
        why=refusal.reason,
        command=_shown(refusal.cmdline),
    )


def _command(pid: int) -> str:
    try:
        return _shown(procfs.cmdline(pid))
    except ProcessGoneError:
        return ""


def _shown(cmdline: tuple[str, ...]) -> str:
    """The arguments on one line, at most 60 characters."""
    text = " ".join(" ".join(cmdline).split())
    return text if len(text) <= 60 else text[:59] + "…"


def _cells(row: Row) -> tuple[str, ...]:
    yes = {True: "yes", False: "no"}
    return (
        str(row.pid),
        yes[row.selected],
        yes[row.can_be_sampled],
        row.runtime,
        row.service or "-",
        row.instance or "-",
        row.container or "-",
        row.why or "-",
        row.command,
    )
