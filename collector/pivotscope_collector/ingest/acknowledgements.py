"""Which batches of a stream are done with, and how far that may be acknowledged. Pure."""


class Acknowledgements:
    """Follows sequences from reception to storage.

    An acknowledgement is cumulative, so it stops before a batch that is still under way or that waits to be sent again.
    The agent then goes back and repeats; if it repeats a later batch but not the one waited for, it has given that up.
    """

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._blocked: set[int] = set()
        self._seen: set[int] = set()
        self._told = 0
        self._repeat = False

    def __len__(self) -> int:
        """Sequences that came and are not acknowledged."""
        return len(self._seen)

    def received(self, sequence: int) -> None:
        """A batch arrived."""
        if sequence in self._seen:
            self._blocked = {number for number in self._blocked if number > sequence}
        self._blocked.discard(sequence)
        self._seen.add(sequence)
        self._open[sequence] = self._open.get(sequence, 0) + 1
        if sequence <= self._told:
            self._repeat = True

    def settled(self, sequence: int, *, retry: bool = False) -> None:
        """A batch was stored, or refused; `retry`: it is expected again."""
        left = self._open.get(sequence, 0) - 1
        if left > 0:
            self._open[sequence] = left
        else:
            self._open.pop(sequence, None)
        if retry:
            self._blocked.add(sequence)

    def take(self) -> int:
        """The sequence to acknowledge now; 0 if there is nothing new to say."""
        waiting = min([*self._open, *self._blocked], default=None)
        done = [number for number in self._seen if waiting is None or number < waiting]
        highest = max(done, default=0)
        self._seen.difference_update(done)
        if highest > self._told or (self._repeat and highest):
            self._told = max(highest, self._told)
            self._repeat = False
            return self._told
        return 0
