"""Facts of source files: qualified names by line, size and shape. What leaves these functions is numbers and names.

`read` is the one entry; `SourceFacts.names()` tells the function of a tool's frame, or of a line.
"""

from pivotscope.profile.facts import FileFacts
from pivotscope.profile.language import Language
from pivotscope.source.errors import SourceError
from pivotscope.source.facts import SourceFacts

__all__ = ["SourceError", "SourceFacts", "file_facts", "read"]


def read(source: bytes, language: Language) -> SourceFacts:
    """Facts of a file's content; SourceError where it cannot be parsed.

    The parser of a language is imported when its first file is met.
    """
    if language is Language.PYTHON:
        from pivotscope.source.python import python_facts  # noqa: PLC0415 - see the docstring

        return python_facts(source)
    from pivotscope.source.ruby import ruby_facts  # noqa: PLC0415 - tree-sitter is optional on the collector's side

    return ruby_facts(source)


def file_facts(source: bytes, *, codebase: str, language: Language, path: str) -> FileFacts:
    """Facts of one file of a codebase. `path` is relative to its root; SourceError names it."""
    try:
        return read(source, language).of(codebase, path)
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from None
