"""The languages whose processes are sampled."""

from enum import StrEnum


class Language(StrEnum):
    """A source language; the value is its name in tables, documents and on the command line."""

    PYTHON = "python"
    RUBY = "ruby"
