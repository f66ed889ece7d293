"""Pivotscope's agent: samples running Python and Ruby processes with little harm."""
