"""Facts of Python source, by the standard library's own parser.

Complexity is McCabe's number (A Complexity Measure, 1976): one plus the decisions. Decisions are `if` (statement,
`elif`, expression), loops, `except` handlers, each further operand of `and`/`or`, `for` and `if` of comprehensions, and
`case`s.
"""

import ast
import warnings
from collections.abc import Iterable, Iterator

from pivotscope.profile.language import Language
from pivotscope.source.errors import SourceError
from pivotscope.source.facts import Counts, SourceFacts, content_hash, line_count

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_STRING_METHODS = frozenset({
    "capitalize", "casefold", "decode", "encode", "endswith", "expandtabs", "format", "format_map", "isalnum",
    "isalpha", "isdigit", "join", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind",
    "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title",
    "translate", "upper", "zfill", "findall", "finditer", "fullmatch", "search", "sub", "subn",
})  # fmt: skip
_STRING_FUNCTIONS = frozenset({"ascii", "chr", "format", "ord", "repr", "str"})

_Work = tuple[ast.AST, Counts, str, int]
"""A node to visit, the function it counts for, the prefix of names defined in it, and the loops around it."""


def python_facts(data: bytes) -> SourceFacts:
    """Facts of a file's content, in whatever encoding it declares.

    Raises SourceError where the running interpreter cannot parse it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except SyntaxError as error:
        where = f" at line {error.lineno}" if error.lineno else ""
        raise SourceError(f"not valid Python for this agent's parser{where}: {error.msg}") from error
    except (ValueError, LookupError, RecursionError, MemoryError) as error:
        raise SourceError(f"not readable as Python source: {type(error).__name__}") from error
    walk = _Walk(Counts("<module>", 1, line_count(data)))
    walk.run(tree)
    return SourceFacts(
        Language.PYTHON,
        content_hash(data),
        line_count(data),
        tuple(counts.facts() for counts in walk.functions if counts.last_line),
        scopes=tuple(dict.fromkeys(walk.scopes)),
    )


class _Walk:
    """A walk over the tree with a stack of its own, so that deep nesting costs no recursion."""

    def __init__(self, top: Counts) -> None:
        self.functions = [top]
        self.scopes: list[str] = []

    def run(self, tree: ast.Module) -> None:
        stack: list[_Work] = [(node, self.functions[0], "", 0) for node in reversed(tree.body)]
        while stack:
            node, counts, prefix, depth = stack.pop()
            if isinstance(node, _FUNCTIONS):
                stack.extend(self._function(node, counts, prefix, depth))
            elif isinstance(node, ast.ClassDef):
                self.scopes.append(node.name)
                around = (*node.decorator_list, *node.bases, *node.keywords)
                stack.extend((part, counts, prefix, depth) for part in around)
                stack.extend((part, counts, f"{prefix}{node.name}.", depth) for part in reversed(node.body))
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.While, *_COMPREHENSIONS)):
                stack.extend((part, counts, prefix, inner) for part, inner in _loop(node, counts, depth))
            else:
                _count(node, counts)
                stack.extend((part, counts, prefix, depth) for part in _children(node))

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, counts: Counts, prefix: str, depth: int
    ) -> Iterator[_Work]:
        own = Counts(prefix + node.name, node.lineno, node.end_lineno or node.lineno)
        own.parameters = _parameters(node, in_class=prefix.endswith(".") and not prefix.endswith(".<locals>."))
        self.functions.append(own)
        defaults = (part for part in (*node.args.defaults, *node.args.kw_defaults) if part is not None)
        for part in (*node.decorator_list, *defaults):
            yield part, counts, prefix, depth
        for statement in reversed(node.body):
            yield statement, own, f"{own.qualified_name}.<locals>.", 0


def _children(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return (node.func.value, *node.args, *node.keywords)  # the look-up of a method is a part of its call
    if isinstance(node, ast.AnnAssign):
        return (node.target,) if node.value is None else (node.target, node.value)
    return ast.iter_child_nodes(node)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, *, in_class: bool) -> int:
    """Parameters that callers pass; the receiver of a method is not one."""
    arguments = node.args
    named = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    total = named + (arguments.vararg is not None) + (arguments.kwarg is not None)
    static = any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in node.decorator_list)
    has_receiver = in_class and not static and bool(arguments.posonlyargs or arguments.args)
    return total - has_receiver


def _loop(node: ast.AST, counts: Counts, depth: int) -> Iterator[tuple[ast.AST, int]]:
    """Count a loop and give its parts with the loops around each: what it runs over is evaluated outside of it."""
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        for position, generator in enumerate(node.generators, start=1):
            counts.loop(depth + position)
            counts.complexity += len(generator.ifs)
            counts.awaits += generator.is_async
            yield generator.iter, depth + position - 1
            for condition in generator.ifs:
                yield condition, depth + position
        inner = depth + len(node.generators)
        results = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        yield from ((part, inner) for part in results)
        return
    counts.loop(depth + 1)
    if isinstance(node, ast.While):
        yield node.test, depth + 1
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        counts.awaits += isinstance(node, ast.AsyncFor)
        yield node.target, depth + 1
        yield node.iter, depth
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        yield from _at(node.orelse, depth)
        yield from _at(node.body, depth + 1)


def _at(statements: Iterable[ast.stmt], depth: int) -> Iterator[tuple[ast.AST, int]]:
    return ((statement, depth) for statement in statements)


def _count(node: ast.AST, counts: Counts) -> None:
    match node:
        case ast.If() | ast.IfExp() | ast.ExceptHandler():
            counts.complexity += 1
        case ast.BoolOp():
            counts.complexity += len(node.values) - 1
        case ast.match_case():
            wildcard = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None and node.guard is None
            counts.complexity += not wildcard
        case ast.Call():
            counts.calls += 1
            counts.strings += _is_string_call(node)
        case ast.Attribute(ctx=ast.Load()):
            counts.attributes += 1
        case ast.Subscript():
            counts.subscripts += 1
            counts.keyed += isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str()) | ast.JoinedStr()) | ast.JoinedStr():
            counts.strings += 1
        case ast.BinOp() | ast.AugAssign() | ast.UnaryOp(op=ast.USub() | ast.Invert()):
            counts.arithmetic += 1
        case ast.Await() | ast.AsyncWith():
            counts.awaits += 1
        case _:
            pass


def _is_string_call(node: ast.Call) -> bool:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in _STRING_METHODS
    return isinstance(node.func, ast.Name) and node.func.id in _STRING_FUNCTIONS
