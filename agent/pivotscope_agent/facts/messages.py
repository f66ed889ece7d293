"""What the agent and its short-lived child say to each other: one JSON object a line.

The child answers a request with a line for each file, a line for the codebase where a root was given, and a closing
`{"done": true}`. Only numbers and names are said, never source text.
"""

import json
from dataclasses import asdict, dataclass

from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.language import Language
from pivotscope.source.facts import SourceFacts

from pivotscope_agent.facts.codebase import CodebaseSize


@dataclass(frozen=True, slots=True)
class FactsRequest:
    """Files to read, and the root of a codebase to measure (empty: none).

    Paths are absolute as the process sees them whose root `container_root` is: `/proc/PID/root`, or `/`.
    """

    language: Language
    files: tuple[str, ...] = ()
    root: str = ""
    container_root: str = "/"


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """Facts of one file, or the reason why there are none."""

    file: str
    facts: SourceFacts | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FactsAnswer:
    """All that a request brought. Every file of the request has an answer; `size` is None where it was not measured."""

    files: tuple[FileAnswer, ...]
    size: CodebaseSize | None = None
    reason: str = ""


def encode_request(request: FactsRequest) -> bytes:
    """One line of JSON."""
    return json.dumps(asdict(request)).encode() + b"\n"


def decode_request(line: bytes) -> FactsRequest:
    """The inverse of encode_request. Raises ValueError, KeyError or TypeError for anything else."""
    fields = json.loads(line)
    return FactsRequest(
        Language(fields["language"]), tuple(fields["files"]), str(fields["root"]), str(fields["container_root"])
    )


def encode_file(answer: FileAnswer) -> str:
    """One line of JSON, without its end."""
    return json.dumps({"file": asdict(answer)})


def encode_size(size: CodebaseSize | None, reason: str = "") -> str:
    """One line of JSON, without its end."""
    return json.dumps({"size": asdict(size) if size else None, "reason": reason})


def decode_answer(line: bytes) -> FileAnswer | tuple[CodebaseSize | None, str] | None:
    """A line of the child: a file's answer, the codebase's size with a reason, or None for the closing line.

    Raises ValueError, KeyError or TypeError for anything else.
    """
    fields = json.loads(line)
    if "file" in fields:
        answer = fields["file"]
        return FileAnswer(answer["file"], _source(answer["facts"]) if answer["facts"] else None, answer["reason"])
    if "size" in fields:
        return (CodebaseSize(**fields["size"]) if fields["size"] else None), fields["reason"]
    if fields.get("done"):
        return None
    raise ValueError("the line is no answer")


def _source(fields: dict[str, object]) -> SourceFacts:
    functions = fields["functions"]
    if not isinstance(functions, list):
        raise TypeError("functions are a list")
    return SourceFacts(
        language=Language(str(fields["language"])),
        content_hash=str(fields["content_hash"]),
        lines=int(str(fields["lines"])),
        functions=tuple(FunctionFacts(**function) for function in functions),
        dynamic=_texts(fields["dynamic"]),
        scopes=_texts(fields["scopes"]),
        waits=_lines(fields["waits"]),
    )


def _lines(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise TypeError("lines are a list")
    return tuple(int(item) for item in value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("names are a list")
    return tuple(str(item) for item in value)
