"""Tells which tool wrote a profile, and reads it."""

import re

from pivotscope.profile.calls import CallProfile, SampledProfile
from pivotscope.profile.errors import ProfileFormatError, excerpt
from pivotscope.profile.language import Language
from pivotscope.profile.pprof import decompress, parse_pprof
from pivotscope.profile.pstats_file import parse_pstats
from pivotscope.profile.pyspy import TOOL as PYSPY
from pivotscope.profile.pyspy import parse_pyspy
from pivotscope.profile.rbspy import TOOL as RBSPY
from pivotscope.profile.rbspy import is_collapsed, parse_rbspy
from pivotscope.profile.rubyprof import parse_rubyprof
from pivotscope.profile.speedscope import parse_speedscope

FORMATS = (
    "cProfile/pstats (.prof)",
    "ruby-prof text (flat or graph)",
    "py-spy raw",
    "speedscope JSON",
    "rbspy collapsed",
    "pprof (gzipped)",
)
"""What can be read, for messages and help."""

_GZIP = b"\x1f\x8b"
_MARSHALLED = re.compile(rb"[\x7b\xfb](?:[\x28\x29\xa8\xa9]|0$)", re.DOTALL)
_RAW_PYTHON = re.compile(r".*\S [0-9]+$")


def read_profile(data: bytes, source: str) -> SampledProfile | CallProfile:
    """Read a profile of any known format. `source` names the file in errors.

    Raises ProfileFormatError, and nothing else, for what no parser understands.
    """
    try:
        return _read(data)
    except ProfileFormatError as error:
        raise error.of(source) from error


def _read(data: bytes) -> SampledProfile | CallProfile:
    if not data.strip():
        raise _unknown("the file is empty")
    if data.startswith(_GZIP):
        return _read_gzip(data)
    if _MARSHALLED.match(data):
        return parse_pstats(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if b"\0" in data:
            raise _unknown("binary data of no known kind") from error
        text = data.decode("utf-8", "surrogateescape")
    return _read_text(text)


def _read_gzip(data: bytes) -> SampledProfile:
    if decompress(data).startswith(b"rbspy"):
        raise _unknown("a raw recording of rbspy; turn it into one by `rbspy report --format collapsed`")
    return parse_pprof(data)


def _read_text(text: str) -> SampledProfile | CallProfile:
    first = next((line for line in text.splitlines() if line.strip()), "").strip()
    if first.startswith("{"):
        return parse_speedscope(text)
    if first.startswith(("Measure Mode:", "Thread ID:")):
        return parse_rubyprof(text)
    if first.startswith(("<?xml", "<svg", "<!DOCTYPE", "<html")):
        raise _unknown("a picture or a page; record again with `--format raw` (py-spy) or `--format collapsed` (rbspy)")
    if is_collapsed(first):
        return SampledProfile(RBSPY, Language.RUBY, parse_rbspy(text))
    if _RAW_PYTHON.match(first):
        return SampledProfile(PYSPY, Language.PYTHON, parse_pyspy(text))
    raise _unknown(f"it begins with {excerpt(first)}")


def _unknown(found: str) -> ProfileFormatError:
    return ProfileFormatError("", f"not a profile that is known: {found}. Known are {', '.join(FORMATS)}")
