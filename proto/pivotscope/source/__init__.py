"""Facts of source files: qualified names by line, size and shape. What leaves these functions is numbers and names.

`file_facts` is the one entry; `locate.enclosing` finds the function around a line.
"""

from pivotscope.profile.facts import FileFacts
from pivotscope.profile.language import Language
from pivotscope.source.errors import SourceError
from pivotscope.source.locate import enclosing

__all__ = ["SourceError", "enclosing", "file_facts"]


def file_facts(source: bytes, *, codebase: str, language: Language, path: str) -> FileFacts:
    """Facts of one file. `path` is relative to the codebase's root; SourceError where it cannot be parsed.

    The parser of a language is imported when its first file is met.
    """
    if language is Language.PYTHON:
        from pivotscope.source import python  # noqa: PLC0415 - see the docstring

        return python.file_facts(source, codebase=codebase, path=path)
    from pivotscope.source import ruby  # noqa: PLC0415 - tree-sitter is optional on the collector's side

    return ruby.file_facts(source, codebase=codebase, path=path)
