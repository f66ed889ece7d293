"""What a move brings before anybody has tried: speedups by class of work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import log


class WorkClass(StrEnum):
    """What kind of work a unit does; it decides how much a native implementation gains."""

    NUMERIC = "A"
    STREAMING = "B"
    PARSING = "C"
    OBJECTS = "D"
    REMODELLED = "E"
    NATIVE = "F"
    WAITING = "G"


@dataclass(frozen=True, slots=True)
class Prior:
    """ln S ~ Normal(mu, sigma) for the CPU of a unit, with what the numbers stand on."""

    meaning: str
    mu: float
    sigma: float
    source: str


PRIORS: Mapping[WorkClass, Prior] = {
    WorkClass.NUMERIC: Prior(
        "a numeric loop over data that can be native",
        3.69,
        0.93,
        "kostya/benchmarks matmul 44 times (Rust), 43 (Go), brainfuck 61 and 49; "
        "Energy-Languages n-body 168 and 95, fannkuch 42 and 33",
    ),
    WorkClass.STREAMING: Prior(
        "streaming over lists or strings of the interpreter, constant work an item",
        1.61,
        0.45,
        "measured: sum of a list of floats 5.6 to 7.3 times with PyO3; the built-in sum already 3.3 to 5.3",
    ),
    WorkClass.PARSING: Prior(
        "parsing or tokenising in interpreted code",
        2.30,
        0.96,
        "Energy-Languages reverse-complement 5.3, k-nucleotide 16.6, fasta 81",
    ),
    WorkClass.OBJECTS: Prior(
        "objects of the interpreter stay what they are across the boundary",
        1.10,
        0.54,
        "measured: commission over dicts 2.9 to 5.2; pydantic 2 against 1: 5 to 12",
    ),
    WorkClass.REMODELLED: Prior(
        "objects modelled again natively",
        2.48,
        0.85,
        "kostya/benchmarks primes with a trie 21 and 30; Energy-Languages binary-trees 36 (Rust), 2.8 (Go); "
        "Deliveroo's dispatcher, Ruby to Rust, 17",
    ),
    WorkClass.NATIVE: Prior(
        "time that is inside native libraries already",
        0.0,
        0.41,
        "NumPy's matmul against Rust 0.73",
    ),
    WorkClass.WAITING: Prior(
        "waiting for input, output or locks: a faster language waits as long",
        0.0,
        0.10,
        "by definition; the CPU part takes a class of its own",
    ),
}

NOISE = 0.5
"""Standard deviation of ln S between migrations of one class within a team; reasoned."""


def updated(work: WorkClass, speedups: Iterable[float]) -> Prior:
    """The prior of a class after a team's own finished migrations: normal-normal on ln S.

    The predictive spread keeps NOISE, because the next function is not the last one.
    Source: Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.5.
    """
    prior = PRIORS[work]
    logs = [log(speedup) for speedup in speedups]
    if not logs:
        return prior
    spread = max(prior.sigma**2 - NOISE**2, NOISE**2 / 4.0)
    precision = 1.0 / spread + len(logs) / NOISE**2
    mu = (prior.mu / spread + sum(logs) / NOISE**2) / precision
    sigma = (1.0 / precision + NOISE**2) ** 0.5
    return Prior(prior.meaning, mu, min(prior.sigma, sigma), f"{prior.source}; {len(logs)} finished migrations")
