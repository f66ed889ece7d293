"""Pivotscope's agent: samples running Python and Ruby processes with little harm."""

__version__ = "0.1.0"
