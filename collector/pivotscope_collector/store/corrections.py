"""Where windows with unbelievable times are booked, remembered so that a batch that comes again replaces itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pivotscope_collector.store.client import Client
from pivotscope_collector.store.sums import rows

_US = 1000


@dataclass(frozen=True, slots=True)
class Correction:
    """A batch with `late` and `future` windows, and when it came, in unix nanoseconds."""

    batch_id: int
    agent: str
    late: int
    future: int
    now_ns: int


def place(client: Client, wanted: Iterable[Correction]) -> Mapping[int, int]:
    """Batch id → the moment of its first reception, unix nanoseconds; stored when this returns. Raises StoreError."""
    batches = {one.batch_id: one for one in wanted}
    found = client.query("corrections_placed", {"ids": list(batches)})
    places = dict(zip(found["batch_id"], found["placed_us"], strict=True))
    fresh = [one for one in batches.values() if one.batch_id not in places]
    if fresh:
        client.insert(
            "corrections",
            {
                "batch_id": [one.batch_id for one in fresh],
                "agent": [one.agent for one in fresh],
                "late": [one.late for one in fresh],
                "future": [one.future for one in fresh],
                "placed_at": [one.now_ns // _US for one in fresh],
                # The first one wins, should two collectors write at once.
                "precedence": [2**63 - one.now_ns // _US for one in fresh],
            },
        )
    places |= {one.batch_id: one.now_ns // _US for one in fresh}
    return {batch_id: placed_us * _US for batch_id, placed_us in places.items()}


def of_agents(client: Client, since_ns: int) -> list[tuple[str, int, int]]:
    """Agent, late and future windows since a moment, the most first."""
    found = client.query("corrections_of_agents", {"since_us": since_ns // _US})
    return [(row["agent"], row["late"], row["future"]) for row in rows(found)]
