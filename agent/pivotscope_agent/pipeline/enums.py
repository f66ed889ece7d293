"""The one table between the profile model's names and the wire's numbers."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language
from pivotscope.profile.metric import MetricKind, MetricRole
from pivotscope.profile.window import Mode, Outcome
from pivotscope.v1 import agent_pb2 as pb

_Name = TypeVar("_Name", bound=StrEnum)
_Number = TypeVar("_Number", bound=int)

LANGUAGES: Mapping[Language, pb.Language.ValueType] = MappingProxyType(
    {Language.PYTHON: pb.LANGUAGE_PYTHON, Language.RUBY: pb.LANGUAGE_RUBY}
)

OWNERS: Mapping[Owner, pb.Owner.ValueType] = MappingProxyType(
    {
        Owner.APPLICATION: pb.OWNER_APPLICATION,
        Owner.LIBRARY: pb.OWNER_LIBRARY,
        Owner.STANDARD: pb.OWNER_STANDARD,
        Owner.RUNTIME: pb.OWNER_RUNTIME,
    }
)

MODES: Mapping[Mode, pb.Mode.ValueType] = MappingProxyType(
    {
        Mode.ACTIVE: pb.MODE_ACTIVE,
        Mode.GIL: pb.MODE_GIL,
        Mode.NATIVE: pb.MODE_NATIVE,
        Mode.NONE: pb.MODE_NONE,
    }
)

OUTCOMES: Mapping[Outcome, pb.Outcome.ValueType] = MappingProxyType(
    {
        Outcome.COMPLETE: pb.OUTCOME_COMPLETE,
        Outcome.SKIPPED: pb.OUTCOME_SKIPPED,
        Outcome.ATTACH_DENIED: pb.OUTCOME_ATTACH_DENIED,
        Outcome.UNSUPPORTED_RUNTIME: pb.OUTCOME_UNSUPPORTED_RUNTIME,
        Outcome.SAMPLER_FAILED: pb.OUTCOME_SAMPLER_FAILED,
        Outcome.SAMPLER_KILLED: pb.OUTCOME_SAMPLER_KILLED,
        Outcome.TARGET_EXITED: pb.OUTCOME_TARGET_EXITED,
        Outcome.PAUSED: pb.OUTCOME_PAUSED,
    }
)

METRIC_KINDS: Mapping[MetricKind, pb.MetricKind.ValueType] = MappingProxyType(
    {
        MetricKind.COUNTER: pb.METRIC_KIND_COUNTER,
        MetricKind.GAUGE: pb.METRIC_KIND_GAUGE,
        MetricKind.HISTOGRAM: pb.METRIC_KIND_HISTOGRAM,
    }
)

METRIC_ROLES: Mapping[MetricRole, pb.MetricRole.ValueType] = MappingProxyType(
    {
        MetricRole.LATENCY: pb.METRIC_ROLE_LATENCY,
        MetricRole.REQUESTS: pb.METRIC_ROLE_REQUESTS,
        MetricRole.ERRORS: pb.METRIC_ROLE_ERRORS,
        MetricRole.VALIDATIONS: pb.METRIC_ROLE_VALIDATIONS,
        MetricRole.VALIDATION_FAILURES: pb.METRIC_ROLE_VALIDATION_FAILURES,
        MetricRole.REVENUE: pb.METRIC_ROLE_REVENUE,
        MetricRole.ENGAGEMENT: pb.METRIC_ROLE_ENGAGEMENT,
        MetricRole.NETWORK_RECEIVED: pb.METRIC_ROLE_NETWORK_RECEIVED,
        MetricRole.NETWORK_SENT: pb.METRIC_ROLE_NETWORK_SENT,
        MetricRole.OTHER: pb.METRIC_ROLE_OTHER,
    }
)


def reverse(table: Mapping[_Name, _Number]) -> dict[_Number, _Name]:
    """The same table read from the wire's side; numbers this version does not know are absent."""
    return {number: name for name, number in table.items()}


def reason_name(reason: pb.RejectionReason.ValueType) -> str:
    """Short name of a rejection's reason: `invalid`; `reason_99` for one this version does not know."""
    try:
        return pb.RejectionReason.Name(reason).removeprefix("REJECTION_REASON_").lower()
    except ValueError:
        return f"reason_{reason}"
