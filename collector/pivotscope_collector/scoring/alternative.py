"""The best thing to do with a unit without moving it to another language."""

from collections.abc import Mapping
from dataclasses import dataclass

from pivotscope.profile.language import Language

from pivotscope_collector.scoring.priors import WorkClass


@dataclass(frozen=True, slots=True)
class Option:
    """ln S ~ Normal(mu, sigma) of the same code, ln weeks ~ Normal(effort_mu, 0.4), and what it stands on."""

    name: str
    mu: float
    sigma: float
    effort_mu: float
    reason: str


EFFORT_SIGMA = 0.4

YJIT = Option(
    "switch on YJIT",
    0.18,
    0.12,
    -1.6,
    "one start-up option for the whole service; 10 to 15 % and, elsewhere, 2.8 to 40 % reported",
)
ARRAYS = Option(
    "NumPy for the arrays, or Numba for the loop",
    2.1,
    0.9,
    -0.2,
    "whole arrays at a time run in native code; works where the loop has no branches that depend on the last step",
)
BUILTINS = Option(
    "built-in functions, NumPy arrays or itertools instead of the loop",
    1.3,
    0.4,
    -0.9,
    "measured: the built-in sum is 3.3 to 5.3 times as fast as the loop over a list of floats",
)
PARSERS = Option(
    "a native parser from a package (orjson, re, lxml), or mypyc",
    1.1,
    0.7,
    -0.5,
    "orjson is 2 to 14 times as fast as json; mypyc 1.5 to 10 times on typed code",
)
MYPYC = Option(
    "type the code and compile it with mypyc",
    0.6,
    0.45,
    -0.5,
    "mypyc reports 1.5 to 10 times on typed classes; over plain dicts it gains least",
)
MYPYC_CLASSES = Option(
    "compile the classes with mypyc, or slots and caching",
    0.9,
    0.55,
    -0.3,
    "mypyc reports 1.5 to 10 times on typed classes",
)
RUBY_ARRAYS = Option(
    "Numo::NArray for the arrays",
    1.8,
    0.9,
    -0.2,
    "whole arrays at a time run in native code; reasoned from NumPy, with fewer of its functions",
)
RUBY_PARSERS = Option(
    "StringScanner or a native parser (Oj, Nokogiri)",
    0.9,
    0.6,
    -0.5,
    "scanning runs in native code; reasoned from Python's native parsers",
)
KEEP = Option(
    "call the library less often: cache or batch",
    0.4,
    0.4,
    -0.7,
    "the time is in native code already, so only fewer calls help",
)

PYTHON: Mapping[WorkClass, Option] = {
    WorkClass.NUMERIC: ARRAYS,
    WorkClass.STREAMING: BUILTINS,
    WorkClass.PARSING: PARSERS,
    WorkClass.OBJECTS: MYPYC,
    WorkClass.REMODELLED: MYPYC_CLASSES,
    WorkClass.NATIVE: KEEP,
    WorkClass.WAITING: KEEP,
}


RUBY: Mapping[WorkClass, Option] = {
    **dict.fromkeys(WorkClass, YJIT),
    WorkClass.NUMERIC: RUBY_ARRAYS,
    WorkClass.PARSING: RUBY_PARSERS,
    WorkClass.NATIVE: KEEP,
    WorkClass.WAITING: KEEP,
}


def best_option(language: Language, work: WorkClass) -> Option:
    """The best alternative for a class of work in a language."""
    return (PYTHON if language is Language.PYTHON else RUBY)[work]
