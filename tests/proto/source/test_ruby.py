"""Facts of Ruby source: names as ruby-prof and Ruby 3.4 say them."""

import pytest
from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.language import Language
from pivotscope.source import enclosing, file_facts

SOURCE = b"""require "json"
module Shop
  class Report::Daily < Base
    def self.build(a, b = 1, *rest, &block)
      a.rows[1] + 2
    end
    class << self
      def total(rows)
        rows.sum { |r| r[:amount] * 0.05 } if rows && true
      end
    end
    def call
      @rows.each do |row|
        while row do end
      end
    end
  end
end
def calculate(rows) = rows.map { |r| r }
"""


def facts(source: bytes = SOURCE) -> dict[str, FunctionFacts]:
    found = file_facts(source, codebase="shop", language=Language.RUBY, path="lib/a.rb")
    return {entry.qualified_name: entry for entry in found.functions}


def test_names() -> None:
    assert set(facts()) == {
        "<main>",
        "Shop::Report::Daily.build",
        "Shop::Report::Daily.total",
        "Shop::Report::Daily#call",
        "Object#calculate",
    }


def test_counts() -> None:
    build, total, call = (facts()[f"Shop::Report::Daily{name}"] for name in (".build", ".total", "#call"))
    assert (build.parameters, build.subscripts, build.arithmetic, build.complexity) == (4, 1, 1, 1)
    assert (total.loops, total.loop_depth, total.complexity, total.subscripts) == (1, 1, 4, 1)
    assert (call.loops, call.loop_depth, call.first_line, call.last_line) == (2, 2, 12, 16)


def test_blocks_fold_into_their_method() -> None:
    found = enclosing(facts().values(), 14)
    assert found is not None
    assert found.qualified_name == "Shop::Report::Daily#call"


def test_a_local_error_costs_only_its_definition() -> None:
    assert "Object#fine" in facts(b"def fine\n 1\nend\n\nx = = )\n")


def test_deep_nesting_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"lib/a\.rb"):
        facts(b"x = " + b"(" * 3000 + b"1" + b")" * 3000)
