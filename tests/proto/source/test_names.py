import pytest
from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.language import Language
from pivotscope.source.names import FileNames, simple_name

PYTHON = FileNames(
    Language.PYTHON,
    [
        FunctionFacts("<module>", 1, 40),
        FunctionFacts("A.run", 3, 10),
        FunctionFacts("A.run.<locals>.inner", 5, 7),
        FunctionFacts("B.run", 12, 20),
        FunctionFacts("main", 22, 30),
    ],
    scopes=["A", "B"],
)
RUBY = FileNames(
    Language.RUBY,
    [
        FunctionFacts("<main>", 1, 40),
        FunctionFacts("Shop::Report#call", 3, 8),
        FunctionFacts("Shop::Report.call", 10, 12),
        FunctionFacts("Shop::Report#dyn", 14, 16),
        FunctionFacts("Shop::Report#<=>", 18, 19),
    ],
    dynamic=["Shop::Report#dyn"],
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (1, "<module>"), (3, "A.run"), (5, "A.run.<locals>.inner"), (7, "A.run.<locals>.inner"), (8, "A.run"),
        (10, "A.run"), (11, "<module>"), (12, "B.run"), (30, "main"), (31, "<module>"), (99, "<module>"),
    ],
)  # fmt: skip
def test_the_innermost_function_holds_a_line(line: int, expected: str) -> None:
    assert PYTHON.at(line) == expected


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("A.run", 99, "A.run"),  # qualified already: the line does not matter
        ("run", 4, "A.run"),
        ("run", 15, "B.run"),
        ("run", 11, "A.run"),  # off by one after an edit: the nearest
        ("inner", 5, "A.run.<locals>.inner"),
        ("<lambda>", 25, "main"),
        ("<genexpr>", 6, "A.run.<locals>.inner"),
        ("<listcomp>", 35, "<module>"),
        ("<module>", 5, "<module>"),
        ("A", 3, "<module>"),  # the class body
        ("made_at_run_time", 25, "made_at_run_time"),
    ],
)
def test_python_names(name: str, line: int, expected: str) -> None:
    assert PYTHON.resolve(name, line) == expected


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("call", 4, "Shop::Report#call"),
        ("call", 9, "Shop::Report#call"),  # rbspy may print the line of the end, or the next
        ("call", 11, "Shop::Report.call"),
        ("Shop::Report#call", 4, "Shop::Report#call"),
        ("<=>", 18, "Shop::Report#<=>"),
        ("<class:Report>", 15, "Shop::Report#dyn"),
        ("<class:Report>", 4, "<main>"),
        ("<module:Shop>", 1, "<main>"),
        ("singleton class", 11, "<main>"),
        ("<main>", 15, "<main>"),
        ("method_missing", 4, "method_missing"),
    ],
)
def test_ruby_names(name: str, line: int, expected: str) -> None:
    assert RUBY.resolve(name, line) == expected


@pytest.mark.parametrize(
    ("qualified", "simple"),
    [
        ("A.inner", "inner"), ("f.<locals>.g", "g"), ("Shop::Report#call", "call"), ("Shop::Report.total", "total"),
        ("<module>", "<module>"), ("Shop::Report#==", "=="), ("f", "f"), ("Object#top", "top"), ("<=>", "<=>"),
    ],
)  # fmt: skip
def test_simple_name(qualified: str, simple: str) -> None:
    assert simple_name(qualified) == simple
