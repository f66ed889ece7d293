"""Scores as they were computed: of each function the last one of every hour."""

from collections.abc import Iterable

from pivotscope.profile.function import function_id

from pivotscope_collector.scoring.candidate import Candidate
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import HOUR


def save(client: Client, candidates: Iterable[Candidate], computed_ns: int) -> None:
    """Store the scores of candidates; a later computation of the same hour takes their place."""
    rows = [
        (
            computed_ns // 10**9 // HOUR * HOUR,
            candidate.service,
            candidate.codebase,
            function_id(
                candidate.root.codebase,
                candidate.root.language,
                candidate.root.path,
                candidate.root.qualified_name,
            ),
            candidate.score,
            candidate.saved_core_hours.p50 if candidate.saved_core_hours else float("nan"),
            candidate.speedup.p50,
            str(candidate.verdict),
            computed_ns,
        )
        for candidate in candidates
    ]
    names = (
        "as_of",
        "service",
        "codebase",
        "function_id",
        "score",
        "saved_core_hours_p50",
        "speedup_p50",
        "verdict",
        "revision",
    )
    if rows:
        client.insert("scores", dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
