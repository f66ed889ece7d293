"""The published schema of a plan, and the check that every plan passes before it leaves."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from pivotscope_collector.errors import UsageError

SCHEMA_FILE = "migration-plan.schema.json"


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `migration-plan.json`."""
    document: dict[str, Any] = json.loads(files(__package__).joinpath(SCHEMA_FILE).read_text("utf-8"))
    return document


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


def validate(document: object) -> None:
    """Raise UsageError naming the first place where a document is no migration plan."""
    error = best_match(_validator().iter_errors(document))
    if error is not None:
        raise UsageError(f"not a migration plan: at {error.json_path}: {error.message}")
