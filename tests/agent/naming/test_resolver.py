from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.folded import FoldedStack
from pivotscope.profile.folding import fold
from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language
from pivotscope.profile.pyspy import parse_pyspy
from pivotscope.profile.rbspy import parse_rbspy
from pivotscope.source.names import FileNames
from pivotscope.source.python import python_facts
from pivotscope.source.ruby import ruby_facts
from pivotscope_agent.naming.resolver import Resolver
from pivotscope_agent.naming.roots import Roots

APP = b"""\
import lib
class A:
    def run(self):
        return sum(x for x in [1])
    pick = lambda self: 1
def helper(f):
    return f()
def main():
    return helper(lambda: A().run())
main()
"""


def resolver(language: Language = Language.PYTHON, *, limit: int = 1_000) -> Resolver:
    return Resolver(Roots("shop", language, cwd="/srv", exists=lambda _: False), language, max_functions=limit)


def stacks(*lines: str) -> tuple[FoldedStack, ...]:
    text = "\n".join(lines)
    return fold(parse_rbspy(text) if " - " in text else parse_pyspy(text), settle=False).stacks


def names(found: Resolver, *lines: str) -> list[tuple[str, int, int]]:
    samples = found.resolve(stacks(*lines))
    return [(" > ".join(f.qualified_name for f in s.stack), s.line, s.count) for s in samples]


def test_old_and_new_interpreters_give_the_same_functions() -> None:
    found = resolver()
    found.learn("/srv/app.py", python_facts(APP).names())
    new = names(
        found,
        "<module> (/srv/app.py:10);main (/srv/app.py:9);helper (/srv/app.py:7);main.<locals>.<lambda> (/srv/app.py:9);"
        "A.run (/srv/app.py:4);A.run.<locals>.<genexpr> (/srv/app.py:4) 3",
    )
    old = names(
        found,
        "<module> (/srv/app.py:10);main (/srv/app.py:9);helper (/srv/app.py:7);<lambda> (/srv/app.py:9);"
        "run (/srv/app.py:4);<genexpr> (/srv/app.py:4) 3",
    )
    assert old == new == [("<module> > main > helper > main > A.run", 4, 3)]


def test_without_facts_the_tools_names_stand_and_lambdas_go_to_their_callers() -> None:
    found = resolver()
    found.learn("/srv/app.py", None)
    line = "main (/srv/app.py:9);<lambda> (/srv/app.py:9);run (/srv/app.py:4) 1"
    assert names(found, line) == [("main > run", 4, 1)]
    assert names(found, "f (/srv/b.py:9);<lambda> (/srv/app.py:9) 1") == [("f > <module>", 9, 1)]


def test_files_are_pending_until_learned_whatever_the_answer() -> None:
    found = resolver()
    seen = stacks(
        "<module> (/srv/app.py:1);f (/srv/lib.py:1);run (/usr/lib/python3.11/threading.py:9);x (<string>:1) 1",
        "<module> (app.py:2) 1",
    )
    assert found.pending_files(seen) == ("/srv/app.py", "/srv/lib.py")
    found.learn("/srv/app.py", FileNames(Language.PYTHON, [FunctionFacts("<module>", 1, 9)]))
    assert found.pending_files(seen) == ("/srv/lib.py",)
    found.learn("/srv/lib.py", None)
    assert found.pending_files(seen) == ()


def test_samples_of_one_stack_and_leaf_line_are_merged() -> None:
    lines = ("main (/srv/a.py:1);A.f (/srv/a.py:5) 2", "main (/srv/a.py:2);A.f (/srv/a.py:5) 3",
             "main (/srv/a.py:2);A.f (/srv/a.py:6) 1")  # fmt: skip
    assert names(resolver(), *lines) == [("main > A.f", 5, 5), ("main > A.f", 6, 1)]


def test_native_samples_are_carried_and_added_up() -> None:
    (sample,) = resolver().resolve(
        stacks("main (/srv/a.py:1);A.f (/srv/a.py:5);x (/s/y.so) 2", "main (/srv/a.py:2);A.f (/srv/a.py:5) 3")
    )
    assert (sample.count, sample.native) == (5, 2)


def test_owners_and_paths_are_set() -> None:
    (sample,) = resolver().resolve(stacks("main (/srv/a.py:1);dumps (/usr/lib/python3.11/json/__init__.py:2) 1"))
    assert [(f.codebase, f.path, f.owner) for f in sample.stack] == [
        ("shop", "a.py", Owner.APPLICATION),
        ("python-stdlib", "json/__init__.py", Owner.STANDARD),
    ]


def test_recursion_stays_and_the_top_level_is_one_function() -> None:
    found = resolver(Language.RUBY)
    found.learn("/srv/a.rb", ruby_facts(b"class A\n def f; g; end\n x = 1\nend\n").names())
    line = "<top (required)> - /srv/a.rb:1;<class:A> - /srv/a.rb:3;f - /srv/a.rb:2;f - /srv/a.rb:2 1"
    assert names(found, line) == [("<main> > A#f > A#f", 2, 1)]


def test_a_method_made_from_a_block_has_its_own_name() -> None:
    found = resolver(Language.RUBY)
    found.learn("/srv/a.rb", ruby_facts(b"class A\n define_method(:dyn) do\n  1\n end\nend\n").names())
    assert names(found, "<main> - /srv/b.rb:1;block in <class:A> - /srv/a.rb:3 1") == [("<main> > A#dyn", 3, 1)]


def test_what_is_remembered_is_bounded() -> None:
    found = resolver(limit=10)
    for line in range(100):
        names(found, f"A.f (/srv/a.py:{line + 1}) 1")
    assert len(found._functions) <= 11


def test_threads_that_wait_in_native_code_can_be_left_out() -> None:
    found = resolver(Language.RUBY)
    source = b"def rest\n  sleep(1)\nend\ndef pack\n  Zlib.deflate(TEXT)\nend\n"
    found.learn("/srv/app.rb", ruby_facts(source).names())
    seen = stacks(
        "<main> - /srv/app.rb:7;rest - /srv/app.rb:3;(unknown) [c function] - (unknown) 5",
        "<main> - /srv/app.rb:7;rest - /srv/app.rb:3 1",
        "<main> - /srv/app.rb:8;pack - /srv/app.rb:5;(unknown) [c function] - (unknown) 3",
    )

    def counts(*, drop_waiting: bool) -> list[tuple[str, int, int]]:
        samples = found.resolve(seen, drop_waiting=drop_waiting)
        return [(sample.stack[-1].qualified_name, sample.count, sample.native) for sample in samples]

    assert counts(drop_waiting=False) == [("Object#rest", 6, 5), ("Object#pack", 3, 3)]
    assert counts(drop_waiting=True) == [("Object#rest", 1, 0), ("Object#pack", 3, 3)]
