"""Domain → wire → domain loses nothing."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pivotscope.profile.facts import CodebaseFacts, FileFacts, FunctionFacts
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.profile.metric import MetricKind, MetricPoint, MetricRole, MetricSeries
from pivotscope.profile.window import Mode, Outcome, Process, Sample, Usage, Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline.encode import Item, encode
from pivotscope_agent.pipeline.enums import LANGUAGES, METRIC_KINDS, METRIC_ROLES, MODES, OUTCOMES, OWNERS
from pivotscope_agent.pipeline.remap import StreamDictionary

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
languages = st.sampled_from(Language)

functions = st.builds(Function, text, languages, text, text, st.sampled_from(Owner))
counts = st.integers(1, 2**32 - 1)
samples = counts.flatmap(
    lambda count: st.builds(
        Sample, st.lists(functions, min_size=1, max_size=4).map(tuple), u32, st.just(count), st.integers(0, count)
    )
)
processes = st.builds(Process, text, text, text, text, text, text, u32, i64, languages, text, text)
usages = st.builds(Usage, u64, u64, u64, u64, u64, u64, u32)
sampled = st.builds(
    Window, processes, st.sampled_from([Mode.ACTIVE, Mode.GIL, Mode.NATIVE]), st.just(Outcome.COMPLETE), i64, i64,
    usages, u32, u32, u32, u32, u64, u64, u64, u64, st.lists(samples, max_size=4).map(tuple), text,
)  # fmt: skip
unsampled = st.builds(
    Window, processes, st.sampled_from(Mode), st.sampled_from(Outcome), i64, i64, usages,
    u32, u32, u32, u32, u64, u64, u64, u64,
    st.just(()), text,
)  # fmt: skip
labels = st.dictionaries(text, text, max_size=3).map(lambda pairs: tuple(sorted(pairs.items())))
finite = st.floats(allow_nan=False)
series = st.builds(
    MetricSeries, text, text, text, text, text, text, st.sampled_from(MetricKind), st.sampled_from(MetricRole), text,
    labels, st.lists(finite, max_size=3).map(tuple),
)  # fmt: skip
points = st.builds(MetricPoint, series, i64, i64, finite, u64, st.lists(u64, max_size=4).map(tuple))
function_facts = st.builds(FunctionFacts, text, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32)
files = st.builds(FileFacts, text, languages, text, text, u32, st.lists(function_facts, max_size=2).map(tuple))
codebases = st.builds(CodebaseFacts, text, u32, u64)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(sampled | unsampled, max_size=4), st.lists(points, max_size=3), st.lists(files | codebases, max_size=2))
def test_round_trip(
    decode: Callable[[pb.Definitions, pb.Batch], list[Item]],
    windows: list[Window],
    metrics: list[MetricPoint],
    facts: list[FileFacts | CodebaseFacts],
) -> None:
    ordered = sorted(facts, key=lambda one: isinstance(one, CodebaseFacts))
    items: list[Item] = [*windows, *metrics, *ordered]
    encoding = encode(items, clock_offset_ns=-3, max_batch_bytes=1 << 20)
    assert not encoding.refused
    definitions, batch = pb.Definitions(), pb.Batch()
    for record in encoding.records:
        definitions, batch = record.definitions, record.batch
        assert batch.clock_offset_ns == -3
    assert decode(definitions, batch) == items
    fresh = StreamDictionary().translate(definitions, batch)
    assert decode(fresh, batch) == items


@pytest.mark.parametrize(
    ("table", "names", "numbers"),
    [
        (LANGUAGES, Language, pb.Language),
        (OWNERS, Owner, pb.Owner),
        (MODES, Mode, pb.Mode),
        (OUTCOMES, Outcome, pb.Outcome),
        (METRIC_KINDS, MetricKind, pb.MetricKind),
        (METRIC_ROLES, MetricRole, pb.MetricRole),
    ],
)
def test_every_name_has_its_own_number(table: dict[str, int], names: Iterable[str], numbers: Any) -> None:
    assert set(table) == set(names)
    assert set(table.values()) == set(numbers.values()) - {0}
    for name, number in table.items():
        assert numbers.Name(number).endswith("_" + name.upper())
