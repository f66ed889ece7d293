"""Several users of one store, whose statements run in an order that the test sets."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pivotscope_collector.store.client import Client

Result = TypeVar("Result")


class Turns:
    """Whose statement comes next; once the order is used up, whoever comes. Who has ended is passed over."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = list(order)
        self._changed = threading.Condition()

    def wait(self, number: int) -> None:
        """Until it is this one's turn."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._order or self._order[0] == number, 60)

    def passed(self) -> None:
        """The statement whose turn it was has run."""
        with self._changed:
            del self._order[:1]
            self._changed.notify_all()

    def leave(self, number: int) -> None:
        """This one runs no more statements."""
        with self._changed:
            self._order = [one for one in self._order if one != number]
            self._changed.notify_all()


class Turned(Client):
    """A twin of a client whose queries and inserts wait for their turns."""

    def __init__(self, client: Client, number: int) -> None:
        super().__init__(path=client._path, url=client._url, database=client.database)
        self.turns = Turns(())
        self.number = number

    def query(self, name: str, parameters: Mapping[str, object] | None = None, *, of_rows: bool = False) -> Any:
        if name == "column_types":
            # Asked within an insert.
            return super().query(name, parameters, of_rows=of_rows)
        self.turns.wait(self.number)
        try:
            return super().query(name, parameters, of_rows=of_rows)
        finally:
            self.turns.passed()

    def insert(self, table: str, columns: Mapping[str, Any], token: str = "") -> None:
        self.turns.wait(self.number)
        try:
            super().insert(table, columns, token)
        finally:
            self.turns.passed()


def in_turns(
    order: Sequence[int], clients: Sequence[Turned], works: Sequence[Callable[[Client], Result]]
) -> list[Result]:
    """Results of works, each on a thread of its own; `order` are the numbers of the clients, a statement each."""
    turns, results = Turns(order), dict[int, Result]()

    def run(client: Turned, work: Callable[[Client], Result]) -> None:
        client.turns = turns
        try:
            results[client.number] = work(client)
        finally:
            turns.leave(client.number)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(clients, works, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [results[client.number] for client in clients]
