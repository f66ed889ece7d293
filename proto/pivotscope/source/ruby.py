"""Facts of Ruby source, by tree-sitter.

Counted as for Python, so that both languages can be ranked by the same numbers: an iterator that runs its block for
each element (`each`, `map`, `times`) is a loop, `@x` and a call of a reader without arguments are attribute reads.
"""

from collections.abc import Iterator

import tree_sitter
import tree_sitter_ruby

from pivotscope.profile.language import Language
from pivotscope.source.errors import SourceError
from pivotscope.source.facts import Counts, SourceFacts, content_hash, line_count
from pivotscope.source.ruby_scope import Scope, definition_scope, plain_name, text_of

_ITERATORS = frozenset({
    "all?", "any?", "chunk_while", "collect", "collect_concat", "combination", "count", "cycle", "delete_if", "detect",
    "downto", "drop_while", "each", "each_char", "each_cons", "each_entry", "each_index", "each_key", "each_line",
    "each_pair", "each_slice", "each_value", "each_with_index", "each_with_object", "each_byte", "filter", "filter_map",
    "find", "find_all", "find_each", "find_index", "flat_map", "group_by", "in_batches", "inject", "keep_if", "loop",
    "map", "map!", "max_by", "min_by", "none?", "one?", "partition", "permutation", "product", "reduce", "reject",
    "reject!", "reverse_each", "select", "select!", "sort_by", "sort_by!", "step", "sum", "take_while", "tally_by",
    "times", "to_h", "transform_keys", "transform_values", "uniq", "upto", "zip",
})  # fmt: skip
_STRING_METHODS = frozenset({
    "%", "=~", "capitalize", "center", "chars", "chomp", "chop", "delete_prefix", "delete_suffix", "downcase", "encode",
    "end_with?", "force_encoding", "format", "gsub", "gsub!", "inspect", "join", "ljust", "lstrip", "match", "match?",
    "pack", "rjust", "rpartition", "rstrip", "scan", "split", "sprintf", "squeeze", "start_with?", "strftime", "strip",
    "sub", "sub!", "swapcase", "to_s", "to_sym", "tr", "unpack", "unpack1", "upcase",
})  # fmt: skip
_WAITS = frozenset({"await", "wait", "wait_readable", "wait_writable", "wait_for", "value!", "yield"})
_BLOCKING = frozenset({
    "accept", "accept_nonblock", "acquire", "await", "connect", "deq", "exec_params", "exec_prepared", "execute",
    "flock", "get_response", "getaddrinfo", "getc", "gets", "join", "kqueue", "lock", "pop", "popen", "query", "read",
    "read_nonblock", "readbyte", "readline", "readlines", "readpartial", "recv", "recv_nonblock", "recvfrom", "recvmsg",
    "select", "shift", "sleep", "synchronize", "sysread", "system", "take", "value", "value!", "wait", "wait2",
    "wait_for", "wait_for_input", "wait_readable", "wait_until", "wait_writable", "waitpid",
})  # fmt: skip
"""Methods in C that wait outside the interpreter lock, for time, for others, or for data."""
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^"})
_BRANCHES = frozenset({
    "conditional", "elsif", "if", "if_guard", "if_modifier", "in_clause", "rescue", "rescue_modifier", "unless",
    "unless_guard", "unless_modifier", "when",
})  # fmt: skip
_LOOPS = frozenset({"for", "until", "until_modifier", "while", "while_modifier"})
_BLOCKS = frozenset({"block", "do_block"})
_NAMES = frozenset({"simple_symbol", "string"})
_TEXTS = frozenset({"bare_string", "delimited_symbol", "heredoc_body", "regex", "string", "subshell"})

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_ruby.language()))

_Work = tuple[tree_sitter.Node, Counts, Scope, int]
"""A node to visit, the function it counts for, the class or module around it, and the loops around it."""


def ruby_facts(data: bytes) -> SourceFacts:
    """Facts of a file's content. What tree-sitter cannot make sense of is skipped: it recovers at the next statement.

    Raises SourceError for content that is no text.
    """
    if b"\0" in data:
        raise SourceError("not readable as Ruby source: it holds a NUL byte")
    walk = _Walk(Counts("<main>", 1, line_count(data)))
    walk.run(_PARSER.parse(data).root_node)
    return SourceFacts(
        Language.RUBY,
        content_hash(data),
        line_count(data),
        tuple(counts.facts() for counts in walk.functions if counts.last_line),
        dynamic=tuple(dict.fromkeys(walk.dynamic)),
        waits=tuple(sorted(walk.waits)),
    )


class _Walk:
    """A walk over the tree with a stack of its own, so that deep nesting costs no recursion."""

    def __init__(self, top: Counts) -> None:
        self.functions = [top]
        self.dynamic: list[str] = []
        self.waits: set[int] = set()

    def run(self, program: tree_sitter.Node) -> None:
        stack: list[_Work] = [(program, self.functions[0], Scope(), 0)]
        while stack:
            stack.extend(self._visit(*stack.pop()))

    def _visit(self, node: tree_sitter.Node, counts: Counts, scope: Scope, depth: int) -> Iterator[_Work]:
        if line := _waiting_line(node):
            self.waits.add(line)
        if node.type in {"method", "singleton_method"}:
            own = self._open(node, scope.qualify(plain_name(node), receiver=node.child_by_field_name("object")))
            yield from ((part, own, scope, 0) for part in _bodies(node))
        elif inner := definition_scope(node, scope):
            yield from ((part, counts, inner, depth) for part in reversed(node.named_children))
        elif name := _defined_by_block(node):
            own = self._open(node, scope.qualify(name))
            self.dynamic.append(own.qualified_name)
            yield from ((part, own, scope, 0) for part in _bodies(node))
        elif node.type in _LOOPS:
            counts.loop(depth + 1)
            yield from ((part, counts, scope, depth + 1) for part in reversed(node.named_children))
        elif node.type == "call" and _iterates(node):
            counts.loop(depth + 1)
            _count(node, counts)
            for part in reversed(node.named_children):
                yield part, counts, scope, depth + (part.type in _BLOCKS)
        else:
            _count(node, counts)
            yield from ((part, counts, scope, depth) for part in reversed(_parts(node)))

    def _open(self, node: tree_sitter.Node, qualified_name: str) -> Counts:
        own = Counts(qualified_name, node.start_point[0] + 1, node.end_point[0] + 1)
        parameters = node.child_by_field_name("parameters")
        if parameters is None and (block := node.child_by_field_name("block")):
            parameters = block.child_by_field_name("parameters")
        own.parameters = _parameter_count(parameters)
        self.functions.append(own)
        return own


def _bodies(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """What runs when a method is called: all of it but its name and its parameters' names."""
    block = node.child_by_field_name("block") or node
    return [part for part in reversed(block.named_children) if part.type not in {"identifier", "constant", "self"}]


def _parts(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """Children to visit; the names of a call's method and of keyword arguments are no reads of anything."""
    method = node.child_by_field_name("method") if node.type == "call" else None
    return [part for part in node.named_children if part != method]


def _defined_by_block(node: tree_sitter.Node) -> str:
    """`run` for `define_method(:run) { … }`, else empty."""
    if node.type != "call" or _method(node) != "define_method" or node.child_by_field_name("block") is None:
        return ""
    arguments = node.child_by_field_name("arguments")
    first = arguments.named_children[0] if arguments and arguments.named_children else None
    if first is None or first.type not in {"simple_symbol", "string"}:
        return ""
    return text_of(first).strip(":\"'")


def _waiting_line(node: tree_sitter.Node) -> int:
    """The line on which a method is called that waits; 0 for any other node."""
    named = node.child_by_field_name("method") if node.type == "call" else node if node.type == "identifier" else None
    return named.start_point[0] + 1 if named is not None and text_of(named) in _BLOCKING else 0


def _iterates(node: tree_sitter.Node) -> bool:
    return _method(node) in _ITERATORS and node.child_by_field_name("block") is not None


def _method(node: tree_sitter.Node) -> str:
    method = node.child_by_field_name("method")
    return text_of(method) if method else ""


def _parameter_count(parameters: tree_sitter.Node | None) -> int:
    if parameters is None:
        return 0
    return sum(part.type not in {"block_parameter", "comment"} for part in parameters.named_children)


def _count(node: tree_sitter.Node, counts: Counts) -> None:
    kind = node.type
    if kind in _BRANCHES:
        counts.complexity += 1
    elif kind == "call":
        _count_call(node, counts)
    elif kind == "binary":
        _count_binary(node, counts)
    elif kind == "operator_assignment":
        logical = _operator(node) in {"||=", "&&="}
        counts.complexity += logical
        counts.arithmetic += not logical
    elif kind == "unary":
        counts.arithmetic += _operator(node) in {"-", "~"}
    elif kind == "element_reference":
        counts.subscripts += 1
        counts.keyed += node.named_child_count > 1 and node.named_children[1].type in _NAMES
    elif kind in {"instance_variable", "class_variable"}:
        counts.attributes += 1
    elif kind in {"super", "yield"}:
        counts.calls += 1
    elif kind in _TEXTS:
        counts.strings += any(part.type == "interpolation" for part in node.named_children)


def _count_call(node: tree_sitter.Node, counts: Counts) -> None:
    method = _method(node)
    on_object = node.child_by_field_name("receiver") is not None
    bare = node.child_by_field_name("arguments") is None and node.child_by_field_name("block") is None
    waits = on_object and method in _WAITS
    on_text = method in _STRING_METHODS
    counts.strings += on_text
    counts.awaits += waits
    if on_object and bare and not waits and not on_text:
        counts.attributes += 1
    else:
        counts.calls += 1
    counts.complexity += any(part.type == "&." for part in node.children)


def _count_binary(node: tree_sitter.Node, counts: Counts) -> None:
    operator = _operator(node)
    left = node.child_by_field_name("left")
    on_text = left is not None and left.type in _TEXTS
    if operator in {"&&", "||", "and", "or"}:
        counts.complexity += 1
    elif operator in {"=~", "!~"} or (on_text and operator in {"%", "+", "*", "<<"}):
        counts.strings += 1
    elif operator in _ARITHMETIC:
        counts.arithmetic += 1


def _operator(node: tree_sitter.Node) -> str:
    operator = node.child_by_field_name("operator")
    return text_of(operator) if operator else ""
