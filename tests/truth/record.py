"""What a program wrote about its own CPU."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU in nanoseconds: of the process, and of each named function with what it calls."""

    process: float
    functions: Mapping[str, float]

    def share(self, name: str) -> float:
        """Part of the process's CPU."""
        return self.functions[name] / self.process if self.process > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Record:
    """Cumulative CPU at moments of the wall clock, ascending; between two of them it grows evenly."""

    moments: tuple[int, ...]
    states: tuple[Spent, ...]

    def at(self, unix_ns: int) -> Spent:
        """Cumulative CPU at a moment; before the first and after the last line it stands still."""
        after = bisect_right(self.moments, unix_ns)
        if after in {0, len(self.moments)}:
            return self.states[0 if after == 0 else -1]
        begin, end = self.moments[after - 1], self.moments[after]
        part = (unix_ns - begin) / (end - begin)
        low, high = self.states[after - 1], self.states[after]
        functions = {name: value + part * (high.functions[name] - value) for name, value in low.functions.items()}
        return Spent(low.process + part * (high.process - low.process), functions)

    def between(self, spans: Iterable[tuple[int, int]]) -> Spent:
        """CPU over several spans of time, each (begin, end) in Unix nanoseconds."""
        process, functions = 0.0, dict.fromkeys(self.states[0].functions, 0.0)
        for begin, end in spans:
            low, high = self.at(begin), self.at(end)
            process += high.process - low.process
            for name in functions:
                functions[name] += high.functions[name] - low.functions[name]
        return Spent(process, functions)


def read_record(file: Path) -> Record:
    """The record in a program's log; a line that is being written is left out."""
    moments, states = [], []
    text = file.read_text("ascii")
    for line in text[: text.rfind("\n") + 1].splitlines():
        wall, process, *fields = line.split()
        pairs = (field.split("=") for field in fields)
        moments.append(int(wall))
        states.append(Spent(float(process), {name: float(value) for name, value in pairs}))
    return Record(tuple(moments), tuple(states))
