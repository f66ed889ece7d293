"""Why a batch, or a part of one, is not taken."""

from dataclasses import dataclass

from pivotscope.v1 import agent_pb2 as pb


@dataclass(frozen=True, slots=True)
class Refusal:
    """A typed refusal. `retryable`: the same batch can be taken later, with its definitions sent again."""

    reason: pb.RejectionReason.ValueType
    retryable: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is left out of a batch that is stored. `measured`: it is a window, and its CPU is stored."""

    kind: pb.PartKind.ValueType
    position: int
    refusal: Refusal
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Partial:
    """A batch was stored without these parts, the first of them first."""

    parts: tuple[Part, ...]


Verdict = Refusal | Partial | None
"""Of a batch: refused, stored in part, or stored."""


def invalid(detail: str) -> Refusal:
    """The batch will never be taken."""
    return Refusal(pb.REJECTION_REASON_INVALID, retryable=False, detail=detail)


def too_large(detail: str) -> Refusal:
    """The batch will never be taken as it is."""
    return Refusal(pb.REJECTION_REASON_TOO_LARGE, retryable=False, detail=detail)


def forbidden(where: str, name: str, allowed: str) -> Refusal:
    """The stream's token does not allow this, and never will."""
    detail = f"{where}: the token of this stream may not write for {name!r}; it may {allowed}"
    return Refusal(pb.REJECTION_REASON_FORBIDDEN, retryable=False, detail=detail)


def cardinality(detail: str) -> Refusal:
    """A name beyond what a service may bring in a day."""
    return Refusal(pb.REJECTION_REASON_CARDINALITY, retryable=False, detail=detail)


def code(refusal: Refusal) -> str:
    """Short name of the reason, such as too_large."""
    return pb.RejectionReason.Name(refusal.reason).removeprefix("REJECTION_REASON_").lower()


def unknown(kind: str, number: int, where: str) -> Refusal:
    """The batch refers to something that this stream has not defined."""
    detail = f"{where}: {kind} {number} is not defined on this stream; send its definition, then the batch again"
    return Refusal(pb.REJECTION_REASON_UNKNOWN_REFERENCE, retryable=True, detail=detail)


def unavailable(detail: str) -> Refusal:
    """The store did not take the batch this time."""
    return Refusal(pb.REJECTION_REASON_STORE_UNAVAILABLE, retryable=True, detail=detail)
