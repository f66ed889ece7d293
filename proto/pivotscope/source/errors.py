"""The one error of reading source."""


class SourceError(ValueError):
    """A file's facts cannot be had; the message is the reason, for a person, and never holds its text."""
