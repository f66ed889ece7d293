"""Threads of the embedded engine, by their names."""

import errno
import logging
import os
import sys

import pytest
from pivotscope_collector.store import merging
from pivotscope_collector.store.client import Client

pytestmark = pytest.mark.engine


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's list of threads is Linux's")
def test_merges_give_way_and_nothing_else_does(store: Client) -> None:
    own = os.sched_getscheduler(0)
    store.insert("rolled", {"minute": [60], "received_until": [1], "revision": [1]})
    # Once more is as good as once.
    for _ in range(2):
        merging.give_way()
    threads = merging.merging_threads()
    assert threads
    assert {os.sched_getscheduler(one) for one in threads} == {os.SCHED_IDLE}
    assert os.sched_getscheduler(0) == own


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's list of threads is Linux's")
def test_a_kernel_that_refuses_is_told_of_once(
    store: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    store.insert("rolled", {"minute": [60], "received_until": [1], "revision": [1]})
    assert merging.merging_threads()
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with caplog.at_level(logging.WARNING):
        merging.give_way()
    (told,) = caplog.messages
    assert "Operation not permitted" in told
