"""When batches with doubtful times first came, remembered so that one that comes again is judged and booked as it was.

Several collectors may take such a batch at one instant, and all have to name the same moment: another one is another
minute, so another key, and its CPU would count twice. Reading and writing rows cannot settle that (Herlihy, ACM TOPLAS
13 (1991), 124-149: registers solve no consensus); a test-and-set can, and the store has one. Each batch is an
insert of its own with the batch as its token, and of inserts with one token the table takes the first. So at most one
row of a batch ever exists, whoever wrote it, and a reader finds that row or none, never another. Who finds none after
its own insert waits, as for a replica that is behind; nothing is booked before the row has been read.

- One server: token and part are added under one lock. Embedded: the same, and there is one collector.
- Replicated: both are one transaction of Keeper, on the shard that the batch's id chooses. A dead replica that alone
  has the row keeps the batch waiting: it is refused and comes again, and is not counted twice.
- The table remembers 10,000 tokens, on a cluster for an hour. A collector whose insert arrives later than that after it
  looked can add a second row, and what it books counts twice. Everyone reads the row with the least moment then.
- Where the engine is killed between token and part (older ones write the token first), the batch is refused until its
  token is forgotten.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from pivotscope_collector.errors import StoreError
from pivotscope_collector.store.client import Client, rows

_US = 1000
_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Correction:
    """A batch with doubtful times, its `late` and `future` windows, and when it came, in unix nanoseconds."""

    batch_id: int
    agent: str
    late: int
    future: int
    now_ns: int


def place(
    client: Client,
    wanted: Iterable[Correction],
    *,
    patience: float = _PATIENCE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Mapping[int, int]:
    """Batch id → the moment of its first reception, unix nanoseconds: the same for every caller, and stored.

    Raises StoreError, also where the moment that another collector stored cannot be read for `patience` seconds.
    """
    batches = {one.batch_id: one for one in wanted}
    places = _placed(client, batches)
    for one in batches.values():
        if one.batch_id not in places:
            _claim(client, one)
    deadline = time.monotonic() + patience
    while missing := batches.keys() - places.keys():
        found = _placed(client, missing)
        if not found and time.monotonic() > deadline:
            raise StoreError(
                f"{client.location}: when {len(missing)} batches first came is stored, and cannot be read for "
                f"{patience:.0f} s: is a replica behind?"
            )
        if not found:
            sleep(_PAUSE_SECONDS)
        places |= found
    return places


def of_agents(client: Client, since_ns: int) -> list[tuple[str, int, int]]:
    """Agent, late and future windows since a moment, the most first."""
    found = client.query("corrections_of_agents", {"since_us": since_ns // _US})
    return [(row["agent"], row["late"], row["future"]) for row in rows(found)]


def _placed(client: Client, batch_ids: Collection[int]) -> dict[int, int]:
    """Those of the batches that are there, with their moments."""
    found = client.query("corrections_placed", {"ids": list(batch_ids)})
    return {
        batch_id: placed_us * _US for batch_id, placed_us in zip(found["batch_id"], found["placed_us"], strict=True)
    }


def _claim(client: Client, one: Correction) -> None:
    """Store the moment of a batch, unless it has one."""
    placed_us = one.now_ns // _US
    client.insert(
        "corrections",
        {
            "batch_id": [one.batch_id],
            "agent": [one.agent],
            "late": [one.late],
            "future": [one.future],
            "placed_at": [placed_us],
            # Of two rows the earlier stays.
            "precedence": [2**63 - placed_us],
        },
        token=str(one.batch_id),
    )
