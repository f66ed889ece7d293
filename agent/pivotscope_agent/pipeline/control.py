"""What the collector asks of the agent. The agent's own limits always win."""

from dataclasses import dataclass

from pivotscope.v1 import agent_pb2 as pb


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


Command = SetRate | Pause | Resume | RequestFacts


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
        case _:
            return None
