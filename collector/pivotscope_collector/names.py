"""Names that windows may lack (environment, version, variant), as people read and write them."""

NONE = "(none)"
"""Stands for no name at all: an empty text is easily overlooked, and as an option means every name."""


def shown(name: str) -> str:
    """A name as it is printed."""
    return name or NONE


def meant(text: str) -> str:
    """The name that a printed one stands for."""
    return "" if text == NONE else text
