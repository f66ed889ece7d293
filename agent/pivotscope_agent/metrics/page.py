"""A metrics page's text to families. Pure."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

# Says which process answered, where the page is one process's own.
PROCESS_START = "process_start_time_seconds"
_SUFFIXES = r"(?:_total|_bucket|_sum|_count|_created)?"


class PageError(Exception):
    """A page that is not of either text format."""


def families(text: str, content_type: str, names: Iterable[str]) -> "Sequence[Metric]":
    """Families of the wanted names, and of the process's start time.

    Lines of other metrics are taken out before parsing: a page of a large application has thousands of series and
    the parser is slow. `content_type` chooses between OpenMetrics and the text format 0.0.4. Raises PageError.
    """
    # Most agents read no page, and the parsers take memory for as long as the agent lives.
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics  # noqa: PLC0415
    from prometheus_client.parser import text_string_to_metric_families as parse_text  # noqa: PLC0415

    openmetrics = content_type.partition(";")[0].strip() == "application/openmetrics-text"
    wanted = "|".join(re.escape(name) for name in chain(sorted(set(names)), (PROCESS_START,)))
    line = re.compile(rf"(?:# (?:TYPE|HELP|UNIT) )?(?:{wanted}){_SUFFIXES}(?=[ {{\t])|# EOF")
    kept = "\n".join(one for one in text.split("\n") if line.match(one)) + "\n"
    try:
        return list((parse_openmetrics if openmetrics else parse_text)(kept))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        form = "OpenMetrics" if openmetrics else "the Prometheus text format"
        raise PageError(f"not {form}: {error}") from error
