"""What goes wrong while a profile is read."""


class ProfileFormatError(ValueError):
    """A profile is not in the form its parser expects.

    `tool` names the format, `line` is 1-based, or None where the format has no lines, `source` is the file where it is
    known. The message says what was found and what was expected.
    """

    def __init__(self, tool: str, problem: str, *, line: int | None = None, source: str = "") -> None:
        self.tool = tool
        self.problem = problem
        self.line = line
        self.source = source
        place = [source] if source else []
        place += [tool] if tool else []
        place += [f"line {line}"] if line is not None else []
        super().__init__(f"{', '.join(place)}: {problem}")

    def of(self, source: str) -> "ProfileFormatError":
        """The same error, naming the file."""
        return ProfileFormatError(self.tool, self.problem, line=self.line, source=source)


def excerpt(text: str, limit: int = 60) -> str:
    """A short, printable quotation of what was found."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
