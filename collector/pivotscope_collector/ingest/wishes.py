"""From all that is asked of agents to what one agent is told. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pivotscope.profile.window import Mode
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.security.grant import ANYONE, Grant
from pivotscope_collector.store.controls import FACTS_MS, Kind, Standing

_SECOND, _MS = 1_000_000_000, 1_000_000
_MODES = {Mode.ACTIVE: pb.MODE_ACTIVE, Mode.GIL: pb.MODE_GIL, Mode.NATIVE: pb.MODE_NATIVE}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of one service of an agent (empty: of all without an own one). `paused_until`: None: not paused."""

    service: str
    rate_hz: int = 0
    paused_until: int | None = None
    max_targets: int = 0
    modes: tuple[Mode, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Everything that one agent is told; equal where it need not be told again."""

    services: tuple[Wish, ...] = ()
    facts: tuple[tuple[str, int], ...] = ()


def wishes_of(standing: Sequence[Standing], agent: str, now_ns: int, grant: Grant = ANYONE) -> Wishes:
    """What concerns an agent: of rates and limits the narrowest audience's, of pauses the one that ends last.

    Of services and codebases that its token may not write it is told nothing.
    """
    mine = [one for one in standing if one.agent in {"", agent} and _may_know(grant, one)]
    names = sorted({one.service for one in mine if one.kind is not Kind.FACTS} | {""})
    wishes = [_wish(mine, agent, name, now_ns) for name in names]
    facts: dict[str, int] = {}
    for one in mine:
        if one.kind is Kind.FACTS and now_ns - one.asked_ns < FACTS_MS * _MS:
            facts[one.codebase] = max(one.asked_ns, facts.get(one.codebase, 0))
    return Wishes(tuple(wish for wish in wishes if wish != Wish(wish.service)), tuple(sorted(facts.items())))


def message_of(wishes: Wishes, now_ns: int) -> pb.DesiredState:
    """The message; pauses as the time that is left of them."""
    return pb.DesiredState(
        services=[
            pb.ServiceState(
                service=wish.service,
                rate_hz=wish.rate_hz,
                paused=wish.paused_until is not None,
                pause_seconds=max(1, -(-(wish.paused_until - now_ns) // _SECOND)) if wish.paused_until else 0,
                max_targets=wish.max_targets,
                modes=[_MODES[mode] for mode in wish.modes],
                note=wish.note,
            )
            for wish in wishes.services
        ],
        facts=[pb.FactsWanted(codebase=codebase, asked_unix_ns=asked) for codebase, asked in wishes.facts],
    )


def _may_know(grant: Grant, one: Standing) -> bool:
    return all(grant.may_write(name) for name in (one.service, one.codebase) if name)


def _wish(mine: Iterable[Standing], agent: str, service: str, now_ns: int) -> Wish:
    # In the end the narrowest stands: one agent before one service, and the later of two alike.
    holding = sorted(
        (one for one in mine if one.holds_for(agent, service)),
        key=lambda one: (one.agent == agent, one.service == service and service != "", one.asked_ns),
    )
    last = {one.kind: one for one in holding}
    pauses = [one for one in holding if one.kind is Kind.PAUSE and (not one.until_ns or one.until_ns > now_ns)]
    pause = max(pauses, key=lambda one: (not one.until_ns, one.until_ns), default=None)
    return Wish(
        service,
        rate_hz=last[Kind.RATE].amount if Kind.RATE in last else 0,
        paused_until=pause.until_ns if pause else None,
        max_targets=last[Kind.TARGETS].amount if Kind.TARGETS in last else 0,
        modes=last[Kind.MODES].modes if Kind.MODES in last else (),
        note=": ".join(filter(None, (pause.asked_by, pause.note))) if pause else "",
    )
