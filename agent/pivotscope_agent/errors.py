"""The errors that a user of the agent can meet. The command line turns each into an exit code, once."""


class AgentError(Exception):
    """Something the user can act on. The message names what was wrong, where, and what to do next."""


class SettingsError(AgentError):
    """A setting, an environment variable or a flag is not of the expected form."""


class MissingToolError(AgentError):
    """A program that the agent starts is not to be found."""


class ProcessGoneError(AgentError):
    """The process ended, or its pid now belongs to another one."""
