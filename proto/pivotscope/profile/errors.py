"""What goes wrong while a profile is read."""


class ProfileFormatError(ValueError):
    """A profile is not in the form its parser expects.

    `line` is 1-based, or None where the format has no lines. The message says what was found and what was expected.
    """

    def __init__(self, tool: str, problem: str, *, line: int | None = None) -> None:
        self.tool = tool
        self.problem = problem
        self.line = line
        where = f"{tool}, line {line}" if line is not None else tool
        super().__init__(f"{where}: {problem}")


def excerpt(text: str, limit: int = 60) -> str:
    """A short, printable quotation of what was found."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
