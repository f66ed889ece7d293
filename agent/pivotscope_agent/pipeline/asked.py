"""What the collector asks, in words, for the log. Pure."""

from pivotscope_agent.pipeline.control import (
    Command,
    DesiredState,
    FactsWanted,
    Pause,
    RequestFacts,
    Resume,
    ServiceState,
    SetRate,
)


def words(command: Command) -> str:
    """One line; an empty service or codebase stands for all of them."""
    match command:
        case SetRate(service, rate_hz):
            return f"{rate_hz} Hz for {_all(service)}"
        case Pause(service, seconds):
            return f"a pause of {_all(service)}{_long(seconds)}"
        case Resume(service):
            return f"{_all(service)} to be sampled again"
        case RequestFacts(codebase):
            return f"facts of {_all(codebase, 'codebases')}"
        case DesiredState(services, facts):
            return "; ".join([*map(_service, services), *map(_facts, facts)]) or "nothing in particular"


def _service(state: ServiceState) -> str:
    wishes = []
    if state.paused:
        wishes.append(f"a pause{_long(state.pause_seconds)}{f' ({state.note})' if state.note else ''}")
    if state.rate_hz:
        wishes.append(f"{state.rate_hz} Hz")
    if state.max_targets:
        wishes.append(f"at most {state.max_targets} processes at once")
    if state.modes:
        wishes.append(f"modes {', '.join(sorted(mode.value for mode in state.modes))}")
    return f"{_all(state.service)}: {', '.join(wishes) or 'as its settings say'}"


def _facts(wanted: FactsWanted) -> str:
    return f"facts of {_all(wanted.codebase, 'codebases')}"


def _all(name: str, kind: str = "services") -> str:
    return name or f"all {kind}"


def _long(seconds: int) -> str:
    return f" for {seconds} s" if seconds else ""
