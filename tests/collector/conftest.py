"""Stores for the tests: the embedded engine, the same engine behind HTTP, and a real server where one is named."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pivotscope_collector.store import schema
from pivotscope_collector.store.client import Client

_NUMBER = itertools.count(1)


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The one folder that the embedded engine opens in this process."""
    return str(tmp_path_factory.mktemp("engine") / "store")


@pytest.fixture(scope="session")
def clean_stores(engine_path: str) -> Iterator[Callable[[], Client]]:
    """Makes migrated stores with nothing in them, each in a database of its own."""
    clients: list[Client] = []

    def make() -> Client:
        client = Client(path=engine_path, database=f"test_{os.getpid()}_{next(_NUMBER)}")
        clients.append(client)
        schema.migrate(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def store(clean_stores: Callable[[], Client]) -> Client:
    """An embedded store with nothing in it, for one test."""
    return clean_stores()


@pytest.fixture(scope="module")
def module_store(clean_stores: Callable[[], Client]) -> Client:
    """An embedded store that the tests of one module share; empty when the module starts."""
    return clean_stores()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder for a store that another process opens."""
    return tmp_path / "data"
