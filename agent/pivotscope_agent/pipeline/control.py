"""What the collector asks of the agent. The agent's own limits always win."""

from dataclasses import dataclass

from pivotscope.profile.window import Mode
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.pipeline.enums import MODES, reverse

_MODES = reverse(MODES)


@dataclass(frozen=True, slots=True)
class SetRate:
    """Sample a service at another rate; an empty service means all of them."""

    service: str
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop sampling a service (empty: all) for some seconds; 0 means until resumed."""

    service: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Sample a service (empty: all) again."""

    service: str


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """Send the facts of a codebase again."""

    codebase: str


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What is asked for one service, or for all that have no state of their own (empty). 0 and empty: nothing.

    `pause_seconds` is what is left of a pause, 0 until resumed; `note` tells who paused, and why.
    """

    service: str
    rate_hz: int = 0
    paused: bool = False
    pause_seconds: int = 0
    max_targets: int = 0
    modes: frozenset[Mode] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class FactsWanted:
    """The facts of a codebase (empty: of all), once for each time of asking."""

    codebase: str
    asked_unix_ns: int


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Everything that is asked now; it replaces what was asked before."""

    services: tuple[ServiceState, ...] = ()
    facts: tuple[FactsWanted, ...] = ()


Command = SetRate | Pause | Resume | RequestFacts | DesiredState


def decode_control(control: pb.Control) -> Command | None:
    """The command in a message; None for one that this version does not know."""
    match control.WhichOneof("command"):
        case "set_rate":
            return SetRate(control.set_rate.service, control.set_rate.rate_hz)
        case "pause":
            return Pause(control.pause.service, control.pause.seconds)
        case "resume":
            return Resume(control.resume.service)
        case "request_facts":
            return RequestFacts(control.request_facts.codebase)
        case "desired_state":
            return _desired(control.desired_state)
        case _:
            return None


def _desired(message: pb.DesiredState) -> DesiredState:
    return DesiredState(
        tuple(
            ServiceState(
                one.service,
                one.rate_hz,
                one.paused,
                one.pause_seconds,
                one.max_targets,
                # A mode of a newer version is none that this one could take.
                frozenset(_MODES[mode] for mode in one.modes if mode in _MODES),
                one.note,
            )
            for one in message.services
        ),
        tuple(FactsWanted(one.codebase, one.asked_unix_ns) for one in message.facts),
    )
