"""Facts of Python source: names as the interpreter's, counts of the function's own body."""

import pytest
from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.language import Language
from pivotscope.source import SourceError, enclosing, file_facts

SOURCE = b'''"""Doc."""
import functools

@functools.cache
def outer(a: list[int], *rest, key=None):
    """Doc."""
    def inner(x):
        return x + 1
    return [inner(i) for i in a if i] + [f"{a}"]


class Report:
    async def fetch(self, url, /):
        while True:
            for row in await self.get(url)["rows"]:
                if row and url or None:
                    self.total += row["x"] * 0.05
'''


def facts(source: bytes = SOURCE) -> dict[str, FunctionFacts]:
    found = file_facts(source, codebase="shop", language=Language.PYTHON, path="core/a.py")
    return {entry.qualified_name: entry for entry in found.functions}


def test_names_are_the_interpreters() -> None:
    namespace: dict[str, object] = {}
    exec(compile(SOURCE, "a.py", "exec"), namespace)  # noqa: S102 - our own text, to compare with
    assert set(facts()) == {"<module>", "outer", "outer.<locals>.inner", "Report.fetch"}
    report = namespace["Report"]
    assert report.fetch.__code__.co_qualname in facts()  # type: ignore[attr-defined]
    assert report.fetch.__code__.co_firstlineno == facts()["Report.fetch"].first_line  # type: ignore[attr-defined]


def test_a_function_begins_at_its_decorator() -> None:
    assert (facts()["outer"].first_line, facts()["outer"].last_line) == (4, 9)


def test_counts_cover_the_own_body_only() -> None:
    outer, fetch = facts()["outer"], facts()["Report.fetch"]
    assert (outer.parameters, outer.loops, outer.loop_depth, outer.complexity) == (3, 1, 1, 3)
    assert (outer.calls, outer.arithmetic, outer.subscripts, outer.strings) == (1, 1, 0, 1)
    assert (fetch.loops, fetch.loop_depth, fetch.awaits, fetch.complexity) == (2, 2, 1, 6)
    assert (fetch.arithmetic, fetch.subscripts, fetch.attributes) == (2, 2, 2)


@pytest.mark.parametrize(
    ("line", "name"),
    [(1, "<module>"), (4, "outer"), (8, "outer.<locals>.inner"), (9, "outer"), (12, "<module>"), (16, "Report.fetch")],
)
def test_enclosing_is_the_innermost(line: int, name: str) -> None:
    found = enclosing(facts().values(), line)
    assert found is not None
    assert found.qualified_name == name


def test_no_function_around_a_line_past_the_end() -> None:
    assert enclosing(facts().values(), 99) is None


@pytest.mark.parametrize(
    "source", [b"def (", b"print 'old'", b"\x00", b"(" * 5000], ids=["syntax", "old", "nul", "deep"]
)
def test_what_cannot_be_parsed_is_named(source: bytes) -> None:
    with pytest.raises(SourceError, match=r"core/a\.py"):
        facts(source)


def test_warnings_of_the_author_stay_silent() -> None:
    assert "<module>" in facts(b'x = "\\d"\n')


def test_empty_file() -> None:
    found = file_facts(b"", codebase="shop", language=Language.PYTHON, path="a.py")
    assert (found.lines, found.functions[0].last_line) == (0, 1)
