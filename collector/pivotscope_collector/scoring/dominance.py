"""Overlapping units that would bring about much the same saving: only the best of them stays."""

from collections.abc import Sequence

from pivotscope_collector.scoring.appraisal import Appraisal

MORE = 2.0
"""A unit that contains a better one must save this many times as much to be a proposal of its own."""


def undominated(ranked: Sequence[Appraisal]) -> list[Appraisal]:
    """The units that remain, in order; `ranked` is best first.

    A unit falls when a better one overlaps it (the root of one is a part of the other) and it would save less than MORE
    times as much. `<module>`, `main` and request handlers add effort to the function that does the work, and
    little else; a helper beneath a better unit moves with it anyway.
    """
    kept: list[Appraisal] = []
    for item in ranked:
        if not any(_dominates(better, item) for better in kept):
            kept.append(item)
    return kept


def _dominates(better: Appraisal, other: Appraisal) -> bool:
    if better.unit.service is not other.unit.service:
        return False
    mine, theirs = better.unit, other.unit
    overlap = mine.root.function in theirs.functions or theirs.root.function in mine.functions
    return overlap and other.saved < MORE * better.saved
