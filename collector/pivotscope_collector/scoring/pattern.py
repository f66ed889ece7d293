"""At which level a unit should move: a function, a module, or a service of its own."""

from pivotscope_collector.scoring.units import Unit, facts_of

FUNCTION = "function"
MODULE = "module"
SERVICE = "service"

FEW = 3
MANY_FILES = 4
SERVICE_SHARE = 0.5


def pattern(unit: Unit, *, enough_for_a_service: bool) -> tuple[str, str]:
    """The level and its reason.

    A call to another process pays only where a call is known to do much work: `enough_for_a_service` says so.
    """
    functions = unit.functions
    files = {function.path for function in functions}
    share = unit.root.total_share.estimate
    if enough_for_a_service and len(files) >= MANY_FILES and share >= SERVICE_SHARE:
        return SERVICE, (
            f"{len(functions)} functions in {len(files)} files use {share:.0%} of the service's CPU, "
            "and one call does much more work than a request costs"
        )
    root = unit.root.function
    known = [function for function in unit.service.facts if function.path == root.path]
    here = sum(function.path == root.path for function in functions)
    if len(functions) > FEW and here * 2 >= max(len(known), len(functions)):
        return MODULE, f"{here} of {max(len(known), here)} functions of {root.path} move together: replace the module"
    if len(functions) > FEW:
        return MODULE, f"{len(functions)} functions in {len(files)} files move together behind one call"
    facts = facts_of(unit.service, root)
    size = f", {facts.lines} lines" if facts else ""
    word = "one function" if len(functions) == 1 else f"{len(functions)} functions"
    return FUNCTION, f"{word}{size}: the call keeps its name and arguments, the body becomes native"
