"""Parts of a record that the collector left out: counted, and what they stand for owed to the next windows."""

import logging

from google.protobuf.message import DecodeError
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.pipeline.drops import PART
from pivotscope_agent.pipeline.enums import reason_name
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

_MOST_NS = 10**15
"""CPU beyond which a window was refused for its CPU: nobody knows what it was."""


def left_out(rejection: pb.Rejection, spool: Spool, counters: Counters) -> None:
    """Count the parts of a record, which the spool still has, and owe the CPU of its windows that was not stored.

    Call it once a record: the collector says the same of each repetition. Blocks as long as the disk does.
    """
    for part in rejection.parts:
        reason = PART + reason_name(part.reason)
        counters.add(Count.ITEMS_DROPPED, reason)
        spool.note_dropped(reason)
    lost = [
        part.position
        for part in rejection.parts
        if part.kind == pb.PART_KIND_WINDOW and not part.measured and part.reason != pb.REJECTION_REASON_FORBIDDEN
    ]
    # What the run before may have sent, it may have owed already: CPU of nobody is better than CPU counted twice.
    if lost and rejection.sequence > spool.sent_before:
        _owe(rejection.sequence, lost, spool)


def _owe(sequence: int, positions: list[int], spool: Spool) -> None:
    for record in spool.read(sequence - 1):
        try:
            definitions, batch = pb.Definitions.FromString(record.definitions), pb.Batch.FromString(record.batch)
        except DecodeError as error:
            log.warning("record %d cannot be read again: %s", sequence, error)
            return
        if record.sequence == sequence:
            windows = pb.Batch(windows=[batch.windows[one] for one in positions if one < len(batch.windows)])
            entries = spool.ledger.entries(definitions, windows)
            spool.ledger.give_back((one for one in entries if one.cpu_ns <= _MOST_NS), booked=True)
