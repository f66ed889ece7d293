"""Stacks with their CPU: the value behind every flame graph, and its text forms."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FlameFrame:
    """A function as a flame graph shows it."""

    path: str
    qualified_name: str
    owner: str

    @property
    def label(self) -> str:
        """Name and file."""
        return f"{self.qualified_name} ({self.path})" if self.path else self.qualified_name


@dataclass(frozen=True, slots=True)
class FlameStack:
    """A stack, root first, as indices into the frames; its samples and CPU-seconds."""

    frames: tuple[int, ...]
    samples: int
    native_samples: int
    cpu_seconds: float
    base_samples: int = 0
    base_cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Flame:
    """A merged profile. `pruned` is the part of the samples whose stacks were cut short and count where they were cut.

    A diff has the CPU-seconds of its base, which are not 0.
    """

    title: str
    mode: str
    frames: tuple[FlameFrame, ...]
    stacks: tuple[FlameStack, ...]
    pruned: float
    base_cpu_seconds: float = 0.0

    @property
    def cpu_seconds(self) -> float:
        """CPU of all stacks together."""
        return sum(stack.cpu_seconds for stack in self.stacks)


def collapsed(flame: Flame) -> str:
    """Lines of `root;…;leaf count`, as flame graph tools read them, in samples; of a diff the base's first."""

    def count(stack: FlameStack) -> str:
        return f"{stack.base_samples} {stack.samples}" if flame.base_cpu_seconds else str(stack.samples)

    return "".join(f"{';'.join(_folded(flame, stack.frames))} {count(stack)}\n" for stack in flame.stacks)


def speedscope(flame: Flame) -> str:
    """A sampled profile in speedscope's file format, weighted by CPU-seconds."""
    document = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": flame.title,
        "exporter": "pivotscope",
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": frame.qualified_name, "file": frame.path} for frame in flame.frames]},
        "profiles": [
            {
                "type": "sampled",
                "name": f"{flame.title} ({flame.mode})",
                "unit": "seconds",
                "startValue": 0,
                "endValue": flame.cpu_seconds,
                "samples": [list(stack.frames) for stack in flame.stacks],
                "weights": [stack.cpu_seconds for stack in flame.stacks],
            }
        ],
    }
    return json.dumps(document)


def tree(flame: Flame) -> dict[str, Any]:
    """Stacks merged from the root: nodes `{f: frame, v: cpu seconds, s: samples, b: base's cpu seconds, c: children}`.

    f is -1 at the root.
    """
    root: dict[str, Any] = {"f": -1, "v": 0.0, "s": 0, "b": 0.0, "c": {}}
    for stack in flame.stacks:
        _add(root, stack)
    return _ordered(root)


def _add(root: dict[str, Any], stack: FlameStack) -> None:
    node = root
    for index in (None, *stack.frames):
        if index is not None:
            node = node["c"].setdefault(index, {"f": index, "v": 0.0, "s": 0, "b": 0.0, "c": {}})
        node["v"] += stack.cpu_seconds
        node["s"] += stack.samples
        node["b"] += stack.base_cpu_seconds


def _ordered(root: dict[str, Any]) -> dict[str, Any]:
    """Children as lists, the widest first; without recursion, because stacks can be deeper than Python's own."""
    pending = [root]
    while pending:
        node = pending.pop()
        node["c"] = sorted(node["c"].values(), key=lambda child: (-child["v"] - child["b"], child["f"]))
        pending.extend(node["c"])
    return root


def _folded(flame: Flame, indices: Sequence[int]) -> Iterable[str]:
    return (flame.frames[index].label.replace(";", ":") for index in indices)
