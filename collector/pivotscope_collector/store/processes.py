"""How many processes of a service ran at once.

That is the most in any minute, or in any hour or day where a range is read from those: processes that took turns within
it count as if they had run side by side.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pivotscope.profile.language import Language

from pivotscope_collector.store.client import Blocks
from pivotscope_collector.store.native import numbers, texts
from pivotscope_collector.store.recall import Ask

Kind = tuple[str, Language]


@dataclass(frozen=True, slots=True)
class Processes:
    """The most processes that ran at once, by service and language; of all its pools together."""

    most: Mapping[Kind, int] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """About how much they take."""
        return 200 * len(self.most)


def largest(parts: Iterable[Processes]) -> Processes:
    """Over several stretches of time."""
    found: dict[Kind, int] = {}
    for part in parts:
        for kind, count in part.most.items():
            found[kind] = max(found.get(kind, 0), count)
    return Processes(found)


def _processes(found: Blocks) -> dict[int, Processes]:
    """Processes by step, from `sql/processes.sql`."""
    if not found:
        return {}
    by_step: dict[int, dict[Kind, int]] = {}
    columns = numbers(found["step"]).tolist(), texts(found["service"]), texts(found["language"])
    for step, service, language, most in zip(*columns, numbers(found["most"]).tolist(), strict=True):
        by_step.setdefault(step, {})[service, Language(language)] = most
    return {step: Processes(most) for step, most in by_step.items()}


PROCESSES = Ask("processes", _processes, Processes())
