from textwrap import dedent

import pytest
from pivotscope.profile.facts import FunctionFacts
from pivotscope.source.errors import SourceError
from pivotscope.source.python import python_facts


def function(source: str, name: str = "f") -> FunctionFacts:
    facts = python_facts(dedent(source).encode())
    return next(found for found in facts.functions if found.qualified_name == name)


def test_names_and_lines() -> None:
    facts = python_facts(
        dedent("""\
        import os
        @decorate
        def outer(a, *b, c=1, **d):
            def inner(): pass
            class Local:
                def method(self): return [lambda: x for x in a]
            return inner

        class A(Base):
            async def run(self, x): await x
            @staticmethod
            def make(x): pass
            class B:
                def deep(self): pass
        """).encode()
    )
    assert [(f.qualified_name, f.first_line, f.last_line, f.parameters) for f in facts.functions] == [
        ("<module>", 1, 14, 0),
        ("outer", 3, 7, 4),
        ("outer.<locals>.inner", 4, 4, 0),
        ("outer.<locals>.Local.method", 6, 6, 0),
        ("A.run", 10, 10, 1),
        ("A.make", 12, 12, 1),
        ("A.B.deep", 14, 14, 0),
    ]
    assert facts.lines == 14
    assert facts.scopes == ("Local", "A", "B")


@pytest.mark.parametrize(
    ("body", "complexity"),
    [
        ("pass", 1),
        ("if a: pass\n elif b: pass\n else: pass", 3),
        ("return a if b else c", 2),
        ("return a and b and c or d", 4),
        ("for x in a: pass\n while b: pass", 3),
        ("try: pass\n except A: pass\n except B: pass\n finally: pass", 3),
        ("return [x for x in a if x if y for z in x]", 5),
        ("match a:\n  case 1: pass\n  case 2 if b: pass\n  case _: pass", 3),
    ],
)
def test_complexity_counts_decisions(body: str, complexity: int) -> None:
    assert function(f"def f():\n {body}").complexity == complexity


@pytest.mark.parametrize(
    ("body", "loops", "depth"),
    [
        ("pass", 0, 0),
        ("for x in [y for y in a]: pass", 2, 1),
        ("for x in a:\n  for y in x: pass\n for z in a: pass", 3, 2),
        ("while a:\n  return [1 for x in a for y in x]", 3, 3),
        ("return sum(x for x in a)", 1, 1),
    ],
)
def test_loops_and_their_depth(body: str, loops: int, depth: int) -> None:
    found = function(f"def f():\n {body}")
    assert (found.loops, found.loop_depth) == (loops, depth)


def test_the_shape_of_the_work() -> None:
    found = function("""\
        async def f(a, rows):
            total = 0.0
            for row in rows:
                total += row["x"] * a.rate - -a.fee
                a.count = total
            name = f"{a.name}" + ",".join(rows) + "%s" % a.id + str(total)
            async with a.lock:
                await a.save(name)
            return round(total, 2)
    """)
    assert found == FunctionFacts(
        "f", 1, 9, complexity=2, loops=1, loop_depth=1, parameters=2, calls=4, attributes=5, subscripts=1,
        arithmetic=7, awaits=2, strings=4, keyed=1,
    )  # fmt: skip


def test_what_is_nested_counts_for_itself_and_what_has_no_name_for_the_function_around() -> None:
    source = "def f(a):\n def g(): return a[0] + 1\n return sorted(a, key=lambda r: r[1] * 2)"
    assert (function(source).arithmetic, function(source).subscripts) == (1, 1)
    assert (function(source, "f.<locals>.g").arithmetic, function(source, "f.<locals>.g").subscripts) == (1, 1)


def test_declared_encodings_are_followed() -> None:
    source = "# -*- coding: latin-1 -*-\ndef größe(): pass\n"
    assert function(source.replace("latin-1", "utf-8"), "größe").first_line == 2
    assert python_facts(source.encode("latin-1")).functions[1].qualified_name == "größe"
    assert python_facts("\ufeffdef f(): pass".encode()).functions[1].qualified_name == "f"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"def f(:\n", "at line 1"),
        (b"print 'x'\n", "not valid Python"),
        (b"# coding: nonsense\n", "nonsense"),
        (b"\xff\xfe\x00", "not"),
        (b"(" * 5_000, "not"),
    ],
)
def test_what_cannot_be_parsed_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        python_facts(data)


def test_deep_nesting_is_walked() -> None:
    source = "def f():\n return " + "+".join(["x"] * 900)
    assert function(source).arithmetic == 899


def test_an_empty_file_has_no_functions() -> None:
    assert python_facts(b"").functions == ()
