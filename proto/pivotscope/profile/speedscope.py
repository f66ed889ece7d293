"""Speedscope's JSON as py-spy and rbspy write it: frames once, and each sample as a list of indexes, root first.

Both tools write one entry a sample, so each counts one whatever its weight: rbspy's weights are the wall time since the
sample before, pauses included. From other exporters weights are counts where the unit is `none`, else multiples of the
smallest weight.
"""

import json
from collections.abc import Iterator, Sequence

from pivotscope.profile.calls import SampledProfile
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.language import Language
from pivotscope.profile.native import is_native_location
from pivotscope.profile.rbspy import C_FUNCTION, ruby_frame

TOOL = "speedscope"
_MAX_COUNT = 10**9
_MAX_WEIGHT = 1e18


def parse_speedscope(text: str) -> SampledProfile:
    """Parse a file; equal stacks are made one, in order of first sight."""
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ProfileFormatError(TOOL, "the JSON is nested too deeply") from error
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise ProfileFormatError(TOOL, f"not valid JSON: {error}", line=line) from error
    exporter = document.get("exporter") if isinstance(document, dict) else None
    per_sample = isinstance(exporter, str) and exporter.startswith(("py-spy", "rbspy"))
    listed = _list(_object(document, "the document").get("shared"), "frames", "shared")
    language = _language(listed)
    frames = [_frame(entry, language) for entry in listed]
    counts: dict[tuple[Frame, ...], int] = {}
    for profile in _list(document, "profiles", "the document"):
        for stack, count in _samples(_object(profile, "a profile"), frames, per_sample=per_sample):
            counts[stack] = counts.get(stack, 0) + count
    return SampledProfile(TOOL, language, tuple(RawStack(stack, count) for stack, count in counts.items()))


def _samples(
    profile: dict[str, object], frames: Sequence[Frame], *, per_sample: bool
) -> Iterator[tuple[tuple[Frame, ...], int]]:
    if profile.get("type") != "sampled":
        kind = profile.get("type")
        raise ProfileFormatError(TOOL, f"profiles of type 'sampled' are read, this one is {kind!r}")
    samples = _list(profile, "samples", "a profile")
    counts = [1] * len(samples) if per_sample else _counts(_list(profile, "weights", "a profile"), profile.get("unit"))
    if len(counts) != len(samples):
        raise ProfileFormatError(TOOL, f"{len(samples)} samples have {len(counts)} weights")
    for sample, count in zip(samples, counts, strict=True):
        if not isinstance(sample, list):
            raise ProfileFormatError(TOOL, "a sample is not a list of frame indexes")
        if sample and count:
            yield tuple(_at(frames, index) for index in sample), count


def _counts(weights: Sequence[object], unit: object) -> list[int]:
    numbers = [weight for weight in weights if isinstance(weight, int | float) and 0 <= weight <= _MAX_WEIGHT]
    if len(numbers) != len(weights):
        raise ProfileFormatError(TOOL, f"weights must be numbers from 0 to {_MAX_WEIGHT:g}")
    positive = [number for number in numbers if number > 0]
    period = 1 if unit == "none" or not positive else min(positive)
    if positive and max(positive) / period > _MAX_COUNT:
        raise ProfileFormatError(TOOL, f"a weight is more than {_MAX_COUNT} times the smallest")
    return [round(number / period) for number in numbers]


def _at(frames: Sequence[Frame], index: object) -> Frame:
    if not isinstance(index, int) or not 0 <= index < len(frames):
        raise ProfileFormatError(TOOL, f"a sample names frame {index!r} of {len(frames)}")
    return frames[index]


def _language(entries: Sequence[object]) -> Language:
    for entry in entries:
        fields = _object(entry, "a frame")
        name, file = fields.get("name"), fields.get("file")
        if (isinstance(name, str) and name.endswith(C_FUNCTION)) or (isinstance(file, str) and file.endswith(".rb")):
            return Language.RUBY
    return Language.PYTHON


def _frame(entry: object, language: Language) -> Frame:
    fields = _object(entry, "a frame")
    name, file, line = fields.get("name"), fields.get("file") or "", fields.get("line") or 0
    if not isinstance(name, str) or not isinstance(file, str) or not isinstance(line, int):
        raise ProfileFormatError(TOOL, "a frame needs a name; its file is text and its line a whole number")
    line = line if 0 <= line < 2**31 else 0
    if language is Language.RUBY:
        return ruby_frame(name, file, line)
    return Frame(name, file, line, is_native_location(name, file, has_line=line != 0))


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ProfileFormatError(TOOL, f"{what} is not an object")
    return value


def _list(value: object, key: str, what: str) -> list[object]:
    found = _object(value, what).get(key)
    if not isinstance(found, list):
        raise ProfileFormatError(TOOL, f"{what} has no list {key!r}")
    return found
