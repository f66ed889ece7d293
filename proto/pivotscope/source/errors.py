"""The one error of reading source."""


class SourceError(ValueError):
    """A file could not be parsed; the message names the file and what was wrong, never its text."""
