"""Which records are on their way, and how far the spool may be acknowledged. Pure."""


class InFlight:
    """A window over sequences between what is done with and what was sent last.

    Acknowledgements are cumulative; a final refusal settles one record, perhaps ahead of others.
    """

    def __init__(self, acknowledged: int) -> None:
        self.acknowledged = acknowledged
        self.cursor = acknowledged
        self._waiting: dict[int, bool] = {}

    def __len__(self) -> int:
        return sum(not settled for settled in self._waiting.values())

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._waiting

    def sent(self, sequence: int) -> None:
        """A record was written to the stream; sequences are sent in ascending order."""
        self.cursor = sequence
        self._waiting.setdefault(sequence, False)

    def acknowledge(self, sequence: int) -> int:
        """Everything up to `sequence` is done with; returns how many records that settled.

        What was never sent stays as it is, whatever the sequence.
        """
        settled = [number for number in self._waiting if number <= sequence]
        newly = sum(not self._waiting.pop(number) for number in settled)
        if settled:
            self.acknowledged = max(self.acknowledged, settled[-1])
        self._advance()
        return newly

    def settle(self, sequence: int) -> bool:
        """One record is refused for good; returns whether it was waiting."""
        if self._waiting.get(sequence, True):
            return False
        self._waiting[sequence] = True
        self._advance()
        return True

    def rewind(self, sequence: int) -> bool:
        """A record and those behind it are to be sent again; returns whether it was waiting."""
        if self._waiting.get(sequence, True):
            return False
        self._waiting = {number: settled for number, settled in self._waiting.items() if number < sequence or settled}
        self.cursor = min(self.cursor, sequence - 1)
        return True

    def is_settled(self, sequence: int) -> bool:
        """Whether a record ahead of others was refused for good, so that a repetition leaves it out."""
        return self._waiting.get(sequence, False)

    def _advance(self) -> None:
        for number in sorted(self._waiting):
            if not self._waiting[number]:
                break
            del self._waiting[number]
            self.acknowledged = number
