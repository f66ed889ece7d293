"""From broken-down profiles to the evidence that the ranking reads."""

from collections.abc import Iterable, Mapping, Sequence

from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.function import Function, Owner

from pivotscope_collector.analysis.breakdown import Breakdown, Spent
from pivotscope_collector.analysis.codebase import Codebase
from pivotscope_collector.analysis.shares import Part, sampled_share, timed_share
from pivotscope_collector.errors import UsageError
from pivotscope_collector.estimates.share import Share
from pivotscope_collector.scoring.evidence import CodebaseEvidence, Evidence, FunctionEvidence, ServiceEvidence


def gather(
    profiles: Sequence[Breakdown],
    codebases: Sequence[Codebase],
    facts: Mapping[Function, FunctionFacts],
    *,
    service: str,
    core_hours: float | None,
    until_ns: int,
) -> Evidence:
    """Evidence from profiles of one service: one entry for each language and codebase that its code is in.

    A file says how time was divided, not how much of it production uses: `core_hours` a year are what the user says, or
    None. Raises UsageError where sampled and timed profiles of one language are mixed:
    their shares mean different things.
    """
    services = [
        entry
        for language in sorted({profile.language for profile in profiles})
        for entry in _services([p for p in profiles if p.language == language], codebases, facts, service, core_hours)
    ]
    seconds = max((profile.seconds for profile in profiles), default=0.0)
    return Evidence(
        services=tuple(services),
        codebases=tuple(CodebaseEvidence(entry.name, len(entry.files), entry.lines) for entry in codebases),
        since_ns=until_ns - int(seconds * 1e9),
        until_ns=until_ns,
        source="; ".join(f"{profile.tool} {profile.file}" for profile in profiles),
    )


def _services(
    profiles: Sequence[Breakdown],
    codebases: Sequence[Codebase],
    facts: Mapping[Function, FunctionFacts],
    service: str,
    core_hours: float | None,
) -> Iterable[ServiceEvidence]:
    language = profiles[0].language
    kinds = {profile.deterministic for profile in profiles}
    if len(kinds) > 1:
        names = ", ".join(f"{profile.file} ({profile.tool})" for profile in profiles)
        raise UsageError(f"{names}: sampled and timed profiles cannot be added up; give one kind at a time")
    functions = _functions(profiles, facts)
    owned = {entry.function.codebase for entry in functions if entry.function.owner is Owner.APPLICATION}
    for codebase in codebases:
        if codebase.name in owned:
            yield ServiceEvidence(
                service=service or codebase.name,
                codebase=codebase.name,
                language=language,
                core_hours_per_year=core_hours,
                observed_seconds=sum(profile.seconds for profile in profiles),
                unattributed=0.0,
                functions=functions,
                facts={key: value for key, value in facts.items() if key.language == language},
            )


def _functions(profiles: Sequence[Breakdown], facts: Mapping[Function, FunctionFacts]) -> tuple[FunctionEvidence, ...]:
    names = {function for profile in profiles for function in profile.spent}
    found = [_function(function, profiles, facts.get(function)) for function in names]
    found.sort(key=lambda entry: (-entry.total_share.estimate, entry.function.path, entry.function.qualified_name))
    return tuple(found)


def _function(function: Function, profiles: Sequence[Breakdown], facts: FunctionFacts | None) -> FunctionEvidence:
    spent = [(profile, profile.spent.get(function, _NOTHING)) for profile in profiles]
    whole = sum(profile.whole for profile in profiles)
    total = sum(entry.total for _, entry in spent)
    native = sum(entry.native for _, entry in spent) / total if total > 0.0 else 0.0
    beneath: dict[Function, float] = {}
    for _, entry in spent:
        for callee, weight in entry.beneath.items():
            beneath[callee] = beneath.get(callee, 0.0) + weight / whole
    seconds = sum(profile.seconds for profile in profiles)
    calls = [entry.calls for _, entry in spent if entry.calls is not None]
    return FunctionEvidence(
        function=function,
        self_share=_share([_part(profile, entry.own, entry.own_overhead) for profile, entry in spent], profiles),
        total_share=_share([_part(profile, entry.total, entry.overhead) for profile, entry in spent], profiles),
        native=min(1.0, native),
        native_known=all(profile.native_known for profile in profiles),
        beneath=beneath,
        facts=facts,
        calls=sum(calls) / seconds if calls and seconds > 0.0 else None,
        callers=tuple(sorted({c for _, entry in spent for c in entry.callers}, key=_sort_key)),
    )


def _share(parts: Sequence[Part], profiles: Sequence[Breakdown]) -> Share:
    return timed_share(parts) if profiles[0].deterministic else sampled_share(parts)


def _part(profile: Breakdown, weight: float, overhead: float) -> Part:
    return Part(weight, profile.whole, profile.observations, overhead, profile.overhead)


def _sort_key(function: Function) -> tuple[str, str, str]:
    return (function.codebase, function.path, function.qualified_name)


_NOTHING = Spent()
