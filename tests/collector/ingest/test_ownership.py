"""Whose code a function is, where several tokens define it, against the real engine."""

from itertools import permutations

import pytest
from pivotscope.profile.function import Owner, function_id
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.counters import Counters
from pivotscope_collector.ingest.decode import Origin, Received
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.gather import gather
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.security.grant import Grant
from pivotscope_collector.store.catalogue import functions_by_id, owned
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.writer import Writer

from tests.collector.store.conftest import SetClock

pytestmark = pytest.mark.engine

PYTHON = pb.LANGUAGE_PYTHON
HOT, LOADS = function_id("shop", "python", "app.py", "hot"), function_id("json", "python", "json.py", "loads")
OWN, OTHER = Grant("1", "own", write=frozenset({"shop"})), Grant("2", "other", write=frozenset({"till"}))
DEFINED = {
    "before": (OTHER, pb.OWNER_LIBRARY),
    "own": (OWN, pb.OWNER_APPLICATION),
    "after": (OTHER, pb.OWNER_RUNTIME),
}


def _received(dictionary: Dictionary, service: str, owner: pb.Owner.ValueType) -> Received:
    made = pb.Definitions(processes=[pb.Process(id=1, service=service, language=PYTHON)])
    names = (("shop", "app.py", "hot", owner), ("json", "json.py", "loads", pb.OWNER_LIBRARY))
    for number, (codebase, path, name, whose) in enumerate(names, 1):
        made.functions.add(id=number, codebase=codebase, language=PYTHON, path=path, qualified_name=name, owner=whose)
    made.stacks.add(id=1, functions=[1, 2])
    return Received(pb.Batch(sequence=1), dictionary, Origin(service, 1), defined=[dictionary.define(made)])


@pytest.mark.parametrize("order", list(permutations(DEFINED)))
def test_nobody_else_takes_a_function_from_its_codebase(store: Client, order: tuple[str, ...]) -> None:
    """Not even on another day, or through another collector."""
    clock = SetClock()
    for name in order:
        grant, owner = DEFINED[name]
        writer = Writer(store, Reception(store, clock), Counters(), 30.0)
        (service,) = grant.write
        received = _received(Dictionary(Limits(), grant, vouch=writer.vouch), service, owner)
        writer.write(gather([received], Limits()).rows)
        clock.now += 3600
    found = functions_by_id(store, [HOT, LOADS])
    assert {key: one.owner for key, one in found.items()} == {HOT: Owner.APPLICATION, LOADS: Owner.LIBRARY}
    assert owned(store, [HOT, LOADS]).tolist() == [HOT]


def test_one_collector_hears_who_may_write_the_codebase_though_others_came_first(store: Client) -> None:
    writer = Writer(store, Reception(store, SetClock()), Counters(), 30.0)
    for name in ("before", "own", "after"):
        grant, owner = DEFINED[name]
        (service,) = grant.write
        received = _received(Dictionary(Limits(), grant, vouch=writer.vouch), service, owner)
        writer.write(gather([received], Limits()).rows)
    assert functions_by_id(store, [HOT])[HOT].owner is Owner.APPLICATION
    assert store.run("SELECT count() AS n FROM application_functions")["n"] == [1]


def test_who_may_not_write_a_codebase_vouches_for_nothing(store: Client) -> None:
    writer = Writer(store, Reception(store, SetClock()), Counters(), 30.0)
    received = _received(Dictionary(Limits(), OTHER, vouch=writer.vouch), "till", pb.OWNER_APPLICATION)
    writer.write(gather([received], Limits()).rows)
    assert functions_by_id(store, [HOT])[HOT].owner is Owner.APPLICATION
    assert store.run("SELECT count() AS n FROM application_functions")["n"] == [0]
