"""Facts of Ruby source, through tree-sitter."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b

import tree_sitter_ruby
from tree_sitter import Language as Grammar
from tree_sitter import Node, Parser

from pivotscope.profile.facts import FileFacts, FunctionFacts
from pivotscope.profile.language import Language
from pivotscope.source.errors import SourceError

MAIN = "<main>"
"""The name of a file's own body, as the interpreter calls that of the first file."""

_METHODS = frozenset({"method", "singleton_method"})
_NAMESPACES = frozenset({"class", "module"})
_LOOPS = frozenset({"while", "until", "for", "while_modifier", "until_modifier"})
_BLOCKS = frozenset({"block", "do_block"})
_ITERATORS = frozenset(
    {"all?", "any?", "chunk_while", "collect", "count", "cycle", "delete_if", "detect", "downto", "each"}
    | {"each_char", "each_cons", "each_entry", "each_key", "each_line", "each_pair", "each_slice", "each_value"}
    | {"each_with_index", "each_with_object", "filter", "filter_map", "find", "find_all", "flat_map", "group_by"}
    | {"inject", "loop", "map", "map!", "max_by", "min_by", "none?", "partition", "reduce", "reject", "reject!"}
    | {"select", "select!", "sort_by", "step", "sum", "take_while", "times", "to_h", "transform_keys"}
    | {"transform_values", "uniq", "upto", "zip"}
)
_BRANCHES = frozenset(
    {"if", "unless", "elsif", "if_modifier", "unless_modifier", "conditional", "when", "in_clause", "rescue"}
    | {"rescue_modifier"}
)
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^"})
_LOGIC = frozenset({"&&", "||", "and", "or"})
_STRINGS = frozenset({"string", "heredoc_body", "bare_string", "character"})
_REPORTED = ("loops", "loop_depth", "calls", "attributes", "subscripts", "arithmetic", "strings")


@cache
def _parser() -> Parser:
    return Parser(Grammar(tree_sitter_ruby.language()))


def file_facts(source: bytes, *, codebase: str, path: str) -> FileFacts:
    """Facts of a Ruby file: methods as `A::B#method` and `A::B.method`, its own body as `<main>`.

    Methods defined outside of any class are `Object#name`, as ruby-prof and Ruby 3.4 name them. Text that
    does not parse at all raises SourceError; a local error costs the definition it stands in, nothing more.
    """
    tree = _parser().parse(source)
    if tree.root_node.type == "ERROR":
        raise SourceError(f"{path}: not Ruby that the grammar can parse")
    lines = source.count(b"\n") + (1 if source and not source.endswith(b"\n") else 0)
    try:
        functions = (_facts(MAIN, tree.root_node, 1, max(1, lines)), *_nested(tree.root_node, "", singleton=False))
    except RecursionError:
        raise SourceError(f"{path}: nested too deeply to be read") from None
    return FileFacts(codebase, Language.RUBY, path, blake2b(source, digest_size=16).hexdigest(), lines, functions)


def _nested(scope: Node, namespace: str, *, singleton: bool) -> Iterator[FunctionFacts]:
    """Facts of every method below `scope`; within `class << self` they belong to the class itself."""
    for node in scope.named_children:
        if node.type in _NAMESPACES:
            name = _text(node.child_by_field_name("name"))
            inner = name.removeprefix("::") if name.startswith("::") or not namespace else f"{namespace}::{name}"
            yield from _nested(node, inner, singleton=False)
        elif node.type == "singleton_class":
            yield from _nested(node, namespace, singleton=True)
        elif node.type in _METHODS:
            separator = "." if singleton or node.type == "singleton_method" else "#"
            name = f"{_owner(node, namespace)}{separator}{_text(node.child_by_field_name('name'))}"
            yield _facts(name, node, node.start_point.row + 1, node.end_point.row + 1)
            yield from _nested(node, namespace, singleton=singleton)
        else:
            yield from _nested(node, namespace, singleton=singleton)


def _owner(method: Node, namespace: str) -> str:
    """The class that a method is defined on: `def Report.render` names it, `def self.render` does not."""
    named = method.child_by_field_name("object")
    if named is not None and named.type == "constant" and _text(named) != namespace.rpartition("::")[2]:
        return _text(named)
    return namespace or "Object"


def _facts(name: str, scope: Node, first: int, last: int) -> FunctionFacts:
    counts: Counter[str] = Counter()
    for child in scope.named_children:
        if child.type != "method_parameters":
            _count(child, 0, counts)
    parameters = scope.child_by_field_name("parameters")
    return FunctionFacts(
        qualified_name=name,
        first_line=first,
        last_line=last,
        parameters=len(parameters.named_children) if parameters is not None else 0,
        complexity=1 + counts["branches"],
        **{key: counts[key] for key in _REPORTED},
    )


def _count(node: Node, depth: int, counts: Counter[str]) -> None:
    """Add up one subtree. Methods inside have facts of their own; blocks belong here."""
    if node.type in _METHODS:
        return
    entered = int(node.type in _LOOPS or _is_iteration(node))
    depth += entered
    counts["loops"] += entered
    counts["loop_depth"] = max(counts["loop_depth"], depth)
    counts["branches"] += entered + int(node.type in _BRANCHES or _operator(node) in _LOGIC)
    counts["calls"] += node.type in {"call", "yield", "super"}
    counts["attributes"] += node.type == "instance_variable" or _is_reader(node)
    counts["subscripts"] += node.type == "element_reference"
    counts["arithmetic"] += node.type == "operator_assignment" or _operator(node) in _ARITHMETIC
    counts["strings"] += node.type in _STRINGS
    for child in node.named_children:
        _count(child, depth, counts)


def _is_iteration(node: Node) -> bool:
    """Whether a block runs once an element: judged by the method's name, since Ruby's loops are calls."""
    if node.type not in _BLOCKS or node.parent is None:
        return False
    return _text(node.parent.child_by_field_name("method")) in _ITERATORS


def _is_reader(node: Node) -> bool:
    return (
        node.type == "call"
        and node.child_by_field_name("receiver") is not None
        and not node.child_by_field_name("arguments")
    )


def _operator(node: Node) -> str:
    return _text(node.child_by_field_name("operator")) if node.type == "binary" else ""


def _text(node: Node | None) -> str:
    return node.text.decode("utf-8", "replace") if node is not None and node.text is not None else ""
