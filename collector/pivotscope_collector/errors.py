"""The errors that a user can meet. Each edge translates them once: exit code, gRPC status."""


class PivotscopeError(Exception):
    """Something the user can act on. The message names what was wrong, where, and what to do next."""


class UsageError(PivotscopeError):
    """An argument, a setting or a file is not of the expected form."""


class NotFoundError(PivotscopeError):
    """What was asked for does not exist; the message lists what does."""


class StoreError(PivotscopeError):
    """ClickHouse could not be opened, reached or written."""


class StoreAwayError(StoreError):
    """ClickHouse could not be reached, or did not answer in time: it says nothing of what it was given."""


class TooMuchError(PivotscopeError):
    """A question would read or hold more than it may; the message says how to ask for less."""


class DeadlineError(PivotscopeError):
    """A question was not answered in its time; the message says how to ask for less."""


class NotComparableError(UsageError):
    """Two things do not mean the same, so holding them against each other would say nothing; the message says why."""


class UnreachableError(PivotscopeError):
    """The collector did not answer, or refused."""
