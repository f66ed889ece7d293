"""The wire's numbers and the store's names for the same things."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pivotscope.v1 import agent_pb2 as pb


def _table(pairs: Iterable[tuple[str, int]], prefix: str) -> Mapping[int, str]:
    """Number → lower-case name without the prefix; UNSPECIFIED is not a value."""
    return MappingProxyType({number: name.removeprefix(prefix).lower() for name, number in pairs if number != 0})


LANGUAGES = _table(pb.Language.items(), "LANGUAGE_")
OWNERS = _table(pb.Owner.items(), "OWNER_")
MODES = _table(pb.Mode.items(), "MODE_")
OUTCOMES = _table(pb.Outcome.items(), "OUTCOME_")
METRIC_KINDS = _table(pb.MetricKind.items(), "METRIC_KIND_")
METRIC_ROLES = _table(pb.MetricRole.items(), "METRIC_ROLE_")
