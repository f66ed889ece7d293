"""`pivotscope-agent targets`."""

from argparse import ArgumentParser
from dataclasses import asdict, dataclass
from pathlib import Path

from pivotscope_agent.cli.options import add_config, add_select, settings_from
from pivotscope_agent.cli.output import Output, add_output, columns, document, say
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


def add_options(parser: ArgumentParser) -> None:
    """What selects, and the form of the answer."""
    for add in (add_config, add_select, add_output):
        add(parser)


def call(*, config: Path | None, select: list[str] | None, output: Output) -> int:
    """Show Python and Ruby processes: which are selected, what they belong to, and what stands in the way."""
    rows = look(settings_from(config, select))
    if output is Output.JSON:
        say(document([asdict(row) for row in rows]))
        return 0
    if not rows:
        say("No Python or Ruby process is to be seen. Does the agent share the processes' pid namespace?")
        return 0
    header = ("PID", "SELECTED", "SAMPLED", "RUNTIME", "SERVICE", "INSTANCE", "CONTAINER", "WHY NOT", "COMMAND")
    say(columns(header, [_cells(row) for row in rows]))
    return 0


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
