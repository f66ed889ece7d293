"""Classes of work, from facts as the readers of source make them."""

import pytest
from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope.source import file_facts
from pivotscope_collector.scoring.classify import UNKNOWN, classify, classify_function
from pivotscope_collector.scoring.priors import WorkClass

CASES = {
    "matmul": (
        WorkClass.NUMERIC,
        """
def matmul(a, b, n):
    c = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += a[i][k] * b[k][j]
            c[i][j] = s
    return c
""",
    ),
    "collatz": (
        WorkClass.NUMERIC,
        """
def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps
""",
    ),
    "total": (
        WorkClass.STREAMING,
        """
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result
""",
    ),
    "calculate_commission": (
        WorkClass.OBJECTS,
        """
def calculate_commission(sales_data):
    total = 0
    for sale in sales_data:
        total += sale['amount'] * 0.05
    return total
""",
    ),
    "tokenise": (
        WorkClass.PARSING,
        """
def tokenise(text):
    out, i = [], 0
    while i < len(text):
        c = text[i]
        if c in "+-*/":
            out.append(("op", c))
            i += 1
        elif c == " ":
            i += 1
        elif c.isdigit():
            j = i
            while j < len(text) and text[j].isdigit():
                j += 1
            out.append(("num", text[i:j]))
            i = j
        else:
            raise ValueError("bad")
    return out
""",
    ),
    "insert": (
        WorkClass.REMODELLED,
        """
def insert(self, word):
    node = self.root
    for letter in word:
        if letter not in node.children:
            node.children[letter] = Node()
        node = node.children[letter]
    node.end = True
""",
    ),
    "handler": (
        WorkClass.OBJECTS,
        """
def handler(request):
    user = load(request.args["user"])
    return render(build(user, price(user)))
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_source_is_put_into_its_class(name: str) -> None:
    expected = CASES[name][0]
    weights, reason = classify_function(facts_of(name))
    assert max(weights, key=lambda work: weights[work]) is expected
    assert sum(weights.values()) == pytest.approx(1.0)
    assert reason


def facts_of(name: str) -> FunctionFacts:
    source = CASES[name][1].encode()
    return file_facts(source, codebase="c", language=Language.PYTHON, path="c.py").functions[-1]


def function(name: str) -> Function:
    return Function("c", Language.PYTHON, "c.py", name)


def test_unknown_source_may_be_anything() -> None:
    result = classify([(function("f"), 0.5)], {}, 0.0)
    assert result.groups == ((1.0, UNKNOWN),)
    assert "could not be read" in result.reason


def test_a_unit_is_classified_by_where_its_time_is() -> None:
    facts = {function("a"): facts_of("matmul"), function("b"): facts_of("handler")}
    result = classify([(function("a"), 0.8), (function("b"), 0.2)], facts, 0.0)
    assert result.work is WorkClass.NUMERIC
    assert "80%" in result.reason
    assert sum(part for part, _ in result.groups) == pytest.approx(1.0)


def test_mostly_native_time_is_native() -> None:
    result = classify([(function("f"), 0.5)], {}, 0.7)
    assert result.work is WorkClass.NATIVE
    assert "70%" in result.reason
