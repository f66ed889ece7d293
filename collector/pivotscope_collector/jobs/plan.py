"""The scheduled path from the store to the current plan: evidence → candidates → plan, all by pure rooms."""

import json
from dataclasses import replace

from pivotscope_collector.planning.plan import build
from pivotscope_collector.scoring.candidate import Candidate
from pivotscope_collector.scoring.evidence import Evidence
from pivotscope_collector.scoring.rank import rank
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.store import evidence, plans, scores
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.settled import settled

_HOUR_NS = 3_600_000_000_000
_RAW_ROWS = 200_000
"""Stacks that a plan takes from raw rows at most: a small fleet's plan is of now, a large one's of two minutes ago."""


def refresh(
    client: Client, now_ns: int, range_hours: float, settings: ScoringSettings, raw_rows: int = _RAW_ROWS
) -> int:
    """Compute scores and plans from the last `range_hours`; returns how many plans changed.

    One plan stands for all codebases; where there are several, each has its own as well. Without evidence the
    newest plan stays, and so it does while much that is older waits to be rolled up. Blocks. Raises StoreError.
    """
    selection = settled(client, Selection(now_ns - int(range_hours * _HOUR_NS), now_ns), raw_rows)
    found = evidence.read(client, selection) if selection else None
    if found is None or not found.services:
        return 0
    candidates = rank(found, settings)
    scores.save(client, candidates, now_ns)
    changed = _save(client, plans.ALL, found, candidates, settings=settings, now_ns=now_ns)
    codebases = sorted({service.codebase for service in found.services})
    if len(codebases) > 1:
        for codebase in codebases:
            own = tuple(candidate for candidate in candidates if candidate.codebase == codebase)
            changed += _save(client, codebase, _only(found, codebase), own, settings=settings, now_ns=now_ns)
    return changed


def _only(found: Evidence, codebase: str) -> Evidence:
    """The part of the evidence that is about one codebase."""
    return replace(
        found,
        services=tuple(service for service in found.services if service.codebase == codebase),
        codebases=tuple(entry for entry in found.codebases if entry.codebase == codebase),
    )


def _save(
    client: Client,
    scope: str,
    found: Evidence,
    candidates: tuple[Candidate, ...],
    *,
    settings: ScoringSettings,
    now_ns: int,
) -> int:
    document = build(found, candidates, settings, now_ns)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return int(plans.save(client, scope, now_ns, document["content_hash"], text))
