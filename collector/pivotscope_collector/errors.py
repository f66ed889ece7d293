"""The errors that a user can meet. Each edge translates them once: exit code, gRPC status."""


class PivotscopeError(Exception):
    """Something the user can act on. The message names what was wrong, where, and what to do next."""


class UsageError(PivotscopeError):
    """An argument, a setting or a file is not of the expected form."""


class NotFoundError(PivotscopeError):
    """What was asked for does not exist; the message lists what does."""


class StoreError(PivotscopeError):
    """ClickHouse could not be opened, reached or written."""


class UnreachableError(PivotscopeError):
    """The collector did not answer, or refused."""
