"""From the store to evidence: what a plan is computed from."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.attribution import Attributed, attribute_columns
from pivotscope_collector.estimates.columns import FunctionColumns
from pivotscope_collector.estimates.merge import without_arms
from pivotscope_collector.estimates.pool import FunctionCpu, PoolCpu
from pivotscope_collector.estimates.seen import base_mode
from pivotscope_collector.estimates.share import Share, share_from_interval
from pivotscope_collector.scoring.evidence import CodebaseEvidence, Evidence, FunctionEvidence, ServiceEvidence
from pivotscope_collector.store import reader
from pivotscope_collector.store.catalogue import functions_by_id
from pivotscope_collector.store.client import Client, rows
from pivotscope_collector.store.reader import DAY, HOUR, MINUTE, Selection
from pivotscope_collector.store.recall import Recall
from pivotscope_collector.store.surroundings import Beneath, Surroundings, surroundings, telling
from pivotscope_collector.store.totals import whole

HOURS_A_YEAR = 8760.0
NANOSECONDS = 1_000_000_000
TOP = 200
"""Functions of a service that may be roots: the application's own, those with the most CPU."""


@dataclass(frozen=True, slots=True)
class _Observed:
    """A service in one language: its CPU, the total of each of its functions by id, and the mode that split it."""

    cpu: PoolCpu
    totals: Mapping[int, float]
    split: Attributed
    base: Mode
    native_part: Mapping[int, float]
    span: "_Span"

    def functions(self, ids: Iterable[int]) -> dict[int, FunctionCpu]:
        """CPU of these functions."""
        return {one.function: one for one in self.split.functions((self.cpu.pool, key) for key in ids)}


@dataclass(frozen=True, slots=True)
class _Span:
    """How long a service was looked at, and between which moments there are raw rows of it (unix seconds)."""

    seconds: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Known:
    """Functions by id, and facts of the application's own."""

    names: Mapping[int, Function]
    facts: Mapping[Function, FunctionFacts]


def read(client: Client, selection: Selection, top: int = TOP) -> Evidence:
    """Evidence of everything that a selection covers.

    Shares are CPU of a function ÷ all CPU of its service, unattributed included, so that none of that is spread.
    Core-hours a year are CPU ÷ the time that anybody looked, over a year: minutes (beyond six hours of range: hours)
    with a window of the service, cut at its first and last window. So a process that lived for a part of that time
    counts with the CPU it used and no more, and hours without an agent do not dilute it; what is assumed is that the
    rest of the year is like the time observed.
    """
    observed = _observe(client, selection)
    names = functions_by_id(client, sorted({key for one in observed for key in one.totals}))
    known = _Known(names, _facts(client, names.values()))
    services = tuple(service for one in observed for service in _services(client, selection, one, known, top))
    codebases = _codebases(client, {service.codebase for service in services}, names.values())
    return Evidence(services, codebases, selection.since_ns, selection.until_ns, "production")


def _observe(client: Client, selection: Selection) -> list[_Observed]:
    # A plan looks at everything, once: nothing of it is remembered.
    pools, functions = whole(Recall(client, 0), selection, lambda pools, functions: (pools.sums, functions))
    if not pools:
        return []
    split = attribute_columns(pools, functions)
    spans = _spans(client, selection)
    totals = {one.service: dict(zip(one.ids.tolist(), one.total_ns.tolist(), strict=True)) for one in split.totals()}
    result = []
    for cpu in split.services():
        service, language = cpu.pool.service, cpu.pool.language
        span = spans.get((service, language))
        if span and cpu.attributed_ns + cpu.unattributed_ns > 0.0:
            own = [row for row in pools if without_arms(row.pool) == cpu.pool]
            base = base_mode({row.mode for row in own if row.x > 0.0})
            beyond = base is Mode.GIL and language is Language.PYTHON
            native = _native_parts(functions.get(pool, {}) for pool in {row.pool for row in own}) if beyond else {}
            result.append(_Observed(cpu, totals.get(cpu.pool, {}), split, base, native, span))
    return result


def _native_parts(pools: Iterable[Mapping[Mode, Sequence[FunctionColumns]]]) -> dict[int, float]:
    """The native part of each function's own samples under the lock, where native windows tell it."""
    parts = [part for modes in pools for part in modes.get(Mode.NATIVE, ())]
    own, native = (_summed(parts, name) for name in ("self_samples", "self_native"))
    return {key: native[key] / count for key, count in own.items() if count}


def _summed(parts: Iterable[FunctionColumns], name: str) -> Counter[int]:
    """A sum of each function."""
    found: Counter[int] = Counter()
    for part in parts:
        found.update(dict(zip(part.ids.tolist(), part[name].tolist(), strict=True)))
    return found


def _spans(client: Client, selection: Selection) -> dict[tuple[str, Language], _Span]:
    """When each service was looked at."""
    long = selection.until - selection.since >= 6 * HOUR
    step = DAY if selection.resolution == DAY else HOUR if long else MINUTE
    spans = {}
    for row in rows(reader.query(client, "evidence_spans", selection, {"step": step})):
        seconds = float(row["covered"] * step)
        if row["raw_last_ns"]:
            before = row["raw_first_ns"] / NANOSECONDS - row["first"]
            after = row["last"] - row["raw_last_ns"] / NANOSECONDS
            seconds -= sum(edge for edge in (before, after) if 0.0 < edge < step)
        first, last = row["raw_first_ns"] // NANOSECONDS, row["raw_last_ns"] // NANOSECONDS
        spans[row["service"], Language(row["language"])] = _Span(max(1.0, seconds), first, last)
    return spans


def _services(
    client: Client, selection: Selection, observed: _Observed, known: _Known, top: int
) -> Iterable[ServiceEvidence]:
    """One for each codebase of the application's own that runs in the service."""
    cpu, names, totals = observed.cpu, known.names, observed.totals
    own = (key for key in totals if key in names and names[key].owner is Owner.APPLICATION)
    roots = sorted(own, key=lambda key: -totals[key])[:top]
    functions = observed.functions(roots)
    around = surroundings(
        client,
        replace(selection, service=cpu.pool.service),
        roots,
        language=cpu.pool.language.value,
        mode=observed.base.value,
        minutes=telling(observed.span.first, observed.span.last, cpu.samples),
    )
    whole = cpu.attributed_ns + cpu.unattributed_ns
    entries = [_function(functions[key], known, whole, observed.native_part, around) for key in roots]
    for codebase in sorted({entry.function.codebase for entry in entries}):
        yield ServiceEvidence(
            service=cpu.pool.service,
            codebase=codebase,
            language=cpu.pool.language,
            core_hours_per_year=whole / NANOSECONDS / observed.span.seconds * HOURS_A_YEAR,
            observed_seconds=observed.span.seconds,
            unattributed=cpu.unattributed_ns / whole,
            functions=tuple(entry for entry in entries if entry.function.codebase == codebase),
            facts={function: fact for function, fact in known.facts.items() if function.codebase == codebase},
        )


def _function(
    cpu: FunctionCpu, known: _Known, whole: float, native_part: Mapping[int, float], around: Surroundings
) -> FunctionEvidence:
    function = known.names[cpu.function]
    weights = _weights(around.beneath.get(cpu.function), known, native_part)
    total = cpu.total_ns.estimate
    native = min(1.0, cpu.native_ns.estimate / total) if total > 0.0 else 0.0
    share, seen = total / whole, sum(weights.values())
    return FunctionEvidence(
        function=function,
        self_share=_share(cpu.self_share, cpu.self_ns.estimate, cpu.self_ns.low, cpu.self_ns.high, whole),
        total_share=_share(cpu.total_share, total, cpu.total_ns.low, cpu.total_ns.high, whole),
        native=native,
        native_known=cpu.native_known,
        beneath={leaf: share * (1.0 - native) * weight / seen for leaf, weight in weights.items()} if seen else {},
        facts=known.facts.get(function),
        callers=tuple(known.names[key] for key in around.callers.get(cpu.function, ()) if key in known.names),
    )


def _weights(beneath: Beneath | None, known: _Known, native_part: Mapping[int, float]) -> dict[Function, float]:
    """Sampled nanoseconds of the leaves beneath a function, native time left out."""
    if beneath is None:
        return {}
    own = np.maximum(0.0, beneath.y - beneath.native_y).tolist()
    return {
        known.names[leaf]: y * (1.0 - native_part.get(leaf, 0.0))
        for leaf, y in zip(beneath.leaves.tolist(), own, strict=True)
        if leaf in known.names
    }


def _share(of: Share, estimate: float, low: float, high: float, whole: float) -> Share:
    return share_from_interval(estimate / whole, low / whole, high / whole, of.clusters)


def _facts(client: Client, functions: Iterable[Function]) -> dict[Function, FunctionFacts]:
    """Facts of every function in the application's files that were seen."""
    own = [function for function in functions if function.owner is Owner.APPLICATION]
    parameters = {
        "codebases": sorted({function.codebase for function in own}),
        "paths": sorted({function.path for function in own}),
    }
    result = {}
    for row in rows(client.query("evidence_facts", parameters)):
        fields = dict(row)
        codebase, language, path = (fields.pop(key) for key in ("codebase", "language", "path"))
        known = FunctionFacts(**fields)
        result[Function(codebase, Language(language), path, known.qualified_name)] = known
    return result


def _codebases(client: Client, codebases: Iterable[str], functions: Iterable[Function]) -> tuple[CodebaseEvidence, ...]:
    """How large each codebase is; where no agent counted it, the files that were seen running are a lower bound."""
    wanted = sorted(codebases)
    counted = {
        row["codebase"]: CodebaseEvidence(row["codebase"], row["total_files"], row["total_lines"])
        for row in rows(client.query("evidence_codebases", {"codebases": wanted}))
    }
    files: dict[str, set[str]] = defaultdict(set)
    for function in functions:
        if function.owner is Owner.APPLICATION:
            files[function.codebase].add(function.path)
    return tuple(counted.get(codebase) or CodebaseEvidence(codebase, len(files[codebase]), 0) for codebase in wanted)
