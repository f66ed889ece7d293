from textwrap import dedent

import pytest
from pivotscope.profile.facts import FunctionFacts
from pivotscope.source.errors import SourceError
from pivotscope.source.ruby import ruby_facts


def function(body: str) -> FunctionFacts:
    facts = ruby_facts(f"def f(a)\n{body}\nend".encode())
    return next(found for found in facts.functions if found.qualified_name == "Object#f")


def test_names_and_lines() -> None:
    facts = ruby_facts(
        dedent("""\
        module Shop
          class Report < Base
            def call(a, *b, k: 1, &block)
              a
            end
            def self.total(xs) = xs.sum
            class << self
              private def sing; end
            end
            define_method(:dyn) { |n| n }
            Point = Struct.new(:x) do
              def <=>(other); end
            end
          end
          class ::Top; def x; end; end
          class A::B; def y?; end; end
        end
        def helper; end
        def self.main_helper; end
        def CONFIG.reload!; end
        """).encode()
    )
    assert [(f.qualified_name, f.first_line, f.last_line, f.parameters) for f in facts.functions] == [
        ("<main>", 1, 20, 0),
        ("Shop::Report#call", 3, 5, 3),
        ("Shop::Report.total", 6, 6, 1),
        ("Shop::Report.sing", 8, 8, 0),
        ("Shop::Report#dyn", 10, 10, 1),
        ("Shop::Report::Point#<=>", 12, 12, 1),
        ("Top#x", 15, 15, 0),
        ("Shop::A::B#y?", 16, 16, 0),
        ("Object#helper", 18, 18, 0),
        ("main.main_helper", 19, 19, 0),
        ("CONFIG.reload!", 20, 20, 0),
    ]
    assert facts.dynamic == ("Shop::Report#dyn",)


@pytest.mark.parametrize(
    ("body", "complexity"),
    [
        ("a", 1),
        ("if a then 1 elsif b then 2 else 3 end", 3),
        ("x = 1 if a; y = 2 unless b", 3),
        ("a ? b : c", 2),
        ("a && b || (c and d)", 4),
        ("while a do end; until b do end; x += 1 while c", 4),
        ("begin; rescue A; rescue B; ensure; end; c rescue d", 4),
        ("case a when 1 then 2 when 3 then 4 else 5 end", 3),
        ("case a\nin [x] then 1\nin {y:} then 2\nend", 3),
        ("a&.b; @c ||= 1", 3),
        ("a.each { |x| x }", 2),
    ],
)
def test_complexity_counts_decisions(body: str, complexity: int) -> None:
    assert function(body).complexity == complexity


@pytest.mark.parametrize(
    ("body", "loops", "depth"),
    [
        ("a.first", 0, 0),
        ("a.each do |x| x.map { |y| y } end", 2, 2),
        ("a.select { |x| x }.map { |x| x }", 2, 1),
        ("while a do 3.times { b } end", 2, 2),
        ("for x in a do end", 1, 1),
        ("a.tap { |x| x }; transaction { 1 }", 0, 0),
        ("a.map(&:to_s)", 0, 0),
    ],
)
def test_loops_and_their_depth(body: str, loops: int, depth: int) -> None:
    assert (function(body).loops, function(body).loop_depth) == (loops, depth)


def test_the_shape_of_the_work() -> None:
    found = function(
        dedent("""\
        total = 0.0
        a.each do |row|
          total += row[:x] * @rate - -a.fee
        end
        name = "#{a.name}" + row.join(",") + total.to_s
        Fiber.yield
        lock.wait
        super(name) && yield(total)
        round(total, 2)""")
    )
    assert found == FunctionFacts(
        "Object#f", 1, 11, complexity=3, loops=1, loop_depth=1, parameters=1, calls=8, attributes=3, subscripts=1,
        arithmetic=5, awaits=2, strings=4, keyed=1,
    )  # fmt: skip


def test_broken_source_gives_what_can_be_read() -> None:
    names = [f.qualified_name for f in ruby_facts(b"class A\n def x; 1 + ; end\n def y; end\nend\n").functions]
    assert "A#y" in names


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(SourceError, match="NUL"):
        ruby_facts(b"def f\0")
    assert ruby_facts("# größe\ndef a; end".encode("latin-1")).functions[1].qualified_name == "Object#a"


def test_deep_nesting_is_walked() -> None:
    assert function("+".join(["a"] * 3_000)).arithmetic == 2_999


def test_an_empty_file_has_no_functions() -> None:
    assert ruby_facts(b"").functions == ()


def test_lines_that_call_what_waits() -> None:
    facts = ruby_facts(b"sleep 1\nx = gets\nqueue\n  .pop\nZlib.deflate(x)\ndef wait; end\n@lock.synchronize { x }\n")
    assert facts.waits == (1, 2, 4, 7)
