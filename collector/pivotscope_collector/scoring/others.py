"""The bridges that were not advised, judged by what crosses for each item."""

from pivotscope.profile.facts import FunctionFacts

from pivotscope_collector.scoring.boundary import BRIDGES, Costs, Item, judge
from pivotscope_collector.scoring.bridge import own_ns
from pivotscope_collector.scoring.candidate import Bridge, Crossing
from pivotscope_collector.scoring.priors import WorkClass
from pivotscope_collector.scoring.units import Unit

OPERATION_NS = 25.0
"""An operation of interpreted code; measured: 60 ns for the 3 of a sum over dicts, 254 ns for the 8 of a commission."""

ITEMS = {
    WorkClass.NUMERIC: Item.NUMBER,
    WorkClass.STREAMING: Item.NUMBER,
    WorkClass.PARSING: Item.STRING,
    WorkClass.OBJECTS: Item.RECORD,
    WorkClass.REMODELLED: Item.RECORD,
}


def other_bridges(unit: Unit, advised: Bridge, work: WorkClass) -> tuple[Bridge, ...]:
    """Every other bridge of the language with its cost a call and its crossing for this unit."""
    item = ITEMS.get(work, Item.NOTHING)
    return tuple(
        _judged(unit, costs, advised.pattern, item)
        for costs in BRIDGES[unit.service.language]
        if costs.name != advised.name
    )


def _judged(unit: Unit, costs: Costs, level: str, item: Item) -> Bridge:
    facts = unit.facts
    carried = _carried(costs, item)
    if facts is None or facts.loops == 0 or carried is Item.NOTHING:
        crossing = judge(own_ns(unit), costs.call_ns.p50)
        return Bridge(costs.name, level, "judged by its cost a call alone", costs.call_ns, crossing)
    each, done = costs.item_ns[carried].p50, _work_per_item(facts)
    reason = f"a {carried.value} costs about {each:,.0f} ns to cross and {done:,.0f} ns of work"
    if facts.loop_depth > 1 and item is Item.NUMBER:
        return Bridge(costs.name, level, f"{reason} in each inner round", costs.call_ns, Crossing.UNKNOWN)
    return Bridge(costs.name, level, reason, costs.call_ns, judge(done, each))


def _carried(costs: Costs, item: Item) -> Item:
    """What an item must become to cross: where a bridge cannot read it, a row of JSON."""
    if item in costs.item_ns:
        return item
    return Item.JSON_ROW if item in {Item.RECORD, Item.STRING} and Item.JSON_ROW in costs.item_ns else Item.NOTHING


def _work_per_item(facts: FunctionFacts) -> float:
    operations = facts.arithmetic + facts.subscripts + facts.attributes + 2 * facts.calls
    return OPERATION_NS * max(1, operations)
