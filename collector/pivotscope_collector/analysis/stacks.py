"""Sampled stacks, broken down by function."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pivotscope.profile.function import Function

from pivotscope_collector.analysis.breakdown import Spent


@dataclass(frozen=True, slots=True)
class FunctionStack:
    """Functions, root first, and the weight of the samples that saw them, `native` of it in machine code."""

    functions: tuple[Function, ...]
    weight: float
    native: float = 0.0


def spent_by(stacks: Iterable[FunctionStack]) -> dict[Function, Spent]:
    """Own and total time of every function. Recursion counts once: a stack adds to each of its functions one time."""
    found: dict[Function, Spent] = defaultdict(Spent)
    for stack in stacks:
        leaf = stack.functions[-1]
        found[leaf].own += stack.weight
        for function in set(stack.functions):
            spent = found[function]
            spent.total += stack.weight
            spent.native += stack.native
            if stack.weight > stack.native:
                spent.beneath[leaf] = spent.beneath.get(leaf, 0.0) + stack.weight - stack.native
        for caller, callee in zip(stack.functions, stack.functions[1:], strict=False):
            if caller != callee:
                found[callee].callers.add(caller)
    return dict(found)
