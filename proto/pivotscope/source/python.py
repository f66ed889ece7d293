"""Facts of Python source, through `ast`."""

import ast
import warnings
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

from pivotscope.profile.facts import FileFacts, FunctionFacts
from pivotscope.profile.language import Language
from pivotscope.source.errors import SourceError

MODULE = "<module>"
"""The name of a file's own body, as the interpreter calls it."""

_Definition = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_TALLY: tuple[tuple[tuple[type[ast.AST], ...], str], ...] = (
    ((ast.Call,), "calls"),
    ((ast.Attribute,), "attributes"),
    ((ast.Subscript,), "subscripts"),
    ((ast.BinOp, ast.AugAssign), "arithmetic"),
    ((ast.Await, ast.AsyncFor, ast.AsyncWith), "awaits"),
    ((ast.JoinedStr,), "strings"),
)
_REPORTED = ("loops", "loop_depth", "calls", "attributes", "subscripts", "arithmetic", "awaits", "strings")


def file_facts(source: bytes, *, codebase: str, path: str) -> FileFacts:
    """Facts of a Python file: its functions by `co_qualname`, and its own body as `<module>`.

    Raises SourceError for text that this interpreter's grammar does not accept.
    """
    lines = source.count(b"\n") + (1 if source and not source.endswith(b"\n") else 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the author's deprecated escapes are not our reader's concern
            tree = ast.parse(source)
        functions = tuple(_functions(tree, max(1, lines)))
    except SyntaxError as error:
        raise SourceError(f"{path}: line {error.lineno}: not Python that this interpreter can parse") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"{path}: cannot be parsed ({type(error).__name__})") from None
    content_hash = blake2b(source, digest_size=16).hexdigest()
    return FileFacts(codebase, Language.PYTHON, path, content_hash, lines, functions)


def _functions(tree: ast.Module, lines: int) -> Iterator[FunctionFacts]:
    yield _facts(MODULE, 1, lines, 0, tree.body)
    yield from _nested(tree, "")


def _nested(scope: ast.AST, prefix: str) -> Iterator[FunctionFacts]:
    """Facts of every function below `scope`; `prefix` is what their qualified names begin with."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, _Definition):
            name = prefix + node.name
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield _facts(name, first, node.end_lineno or node.lineno, _parameters(node.args), node.body)
            yield from _nested(node, f"{name}.<locals>.")
        elif isinstance(node, ast.ClassDef):
            yield from _nested(node, f"{prefix}{node.name}.")
        else:
            yield from _nested(node, prefix)


def _parameters(arguments: ast.arguments) -> int:
    named = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    return named + (arguments.vararg is not None) + (arguments.kwarg is not None)


def _facts(name: str, first: int, last: int, parameters: int, body: list[ast.stmt]) -> FunctionFacts:
    counts: Counter[str] = Counter()
    documented = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    for statement in body[1:] if documented else body:
        _count(statement, 0, counts)
    return FunctionFacts(
        qualified_name=name,
        first_line=first,
        last_line=last,
        parameters=parameters,
        complexity=1 + counts["branches"],
        **{key: counts[key] for key in _REPORTED},
    )


def _count(node: ast.AST, depth: int, counts: Counter[str]) -> None:
    """Add up one subtree. Named functions inside have facts of their own; lambdas and comprehensions belong here."""
    if isinstance(node, _Definition):
        for decorator in node.decorator_list:
            _count(decorator, depth, counts)
        return
    entered = 1 if isinstance(node, _LOOPS) else len(node.generators) if isinstance(node, _COMPREHENSIONS) else 0
    depth += entered
    counts["loops"] += entered
    counts["loop_depth"] = max(counts["loop_depth"], depth)
    counts["branches"] += entered + _branches(node)
    for kinds, key in _TALLY:
        counts[key] += isinstance(node, kinds)
    counts["strings"] += isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    for child in _children(node):
        _count(child, depth, counts)


def _branches(node: ast.AST) -> int:
    """Decisions of McCabe's count that are no loops."""
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return len(node.ifs)
    return int(isinstance(node, ast.If | ast.IfExp | ast.ExceptHandler | ast.Assert | ast.match_case))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """The children that run: annotations do not, and the pieces of an f-string are one string."""
    if isinstance(node, ast.AnnAssign):
        yield from (child for child in (node.target, node.value) if child is not None)
    elif isinstance(node, ast.JoinedStr):
        yield from (child for child in node.values if not isinstance(child, ast.Constant))
    else:
        yield from ast.iter_child_nodes(node)
