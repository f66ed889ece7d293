"""Overlapping units that would bring about much the same saving: only the best of them stays."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

from pivotscope.profile.function import Function

from pivotscope_collector.scoring.appraisal import Appraisal

_Place = tuple[int, Function]
"""A function of a service, by the identity of the service's evidence."""

MORE = 2.0
"""A unit that contains a better one must save this many times as much to be a proposal of its own."""


def undominated(ranked: Sequence[Appraisal]) -> list[Appraisal]:
    """The units that remain, in order; `ranked` is best first.

    A unit falls when a better one overlaps it (the root of one is a part of the other) and it would save less than MORE
    times as much. `<module>`, `main` and request handlers add effort to the function that does the work, and
    little else; a helper beneath a better unit moves with it anyway.
    """
    kept: list[Appraisal] = []
    roots: dict[_Place, list[Appraisal]] = defaultdict(list)
    parts: dict[_Place, list[Appraisal]] = defaultdict(list)
    for item in ranked:
        service, functions = id(item.unit.service), item.unit.functions
        beneath = (better for function in functions for better in roots.get((service, function), ()))
        overlapping = chain(parts.get((service, item.unit.root.function), ()), beneath)
        if any(item.saved < MORE * better.saved for better in overlapping):
            continue
        kept.append(item)
        roots[service, item.unit.root.function].append(item)
        for function in functions:
            parts[service, function].append(item)
    return kept
