"""What a migration must not do unasked: lose rows, rewrite a table, or leave a store that it cannot run on again.

The idea is that of getsentry/snuba's `check_dangerous`: look at each statement and at the columns as they are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Columns = Mapping[tuple[str, str], "Column"]
"""By table and name."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the store has it; `key` is whether it is part of the sorting or partition key."""

    type: str
    key: bool


_LOSES = {
    r"^DROP (?:TABLE|DATABASE)\b": "drops what is stored",
    r"^(?:TRUNCATE|DELETE FROM)\b": "deletes rows",
    r"^DETACH\b": "takes a table out of sight",
    r"^(?:RENAME|EXCHANGE)\b": "cannot run again after it was cut short, and readers of the old name fail meanwhile",
    r"^REPLACE\b|^CREATE OR REPLACE\b": "drops what is stored under that name",
}
_ALTERS = {
    r"\b(?:DELETE|UPDATE) .*\bWHERE\b": "rewrites every part of the table",
    r"\b(?:DROP|CLEAR|DETACH) (?:PART|PARTITION|COLUMN)\b": "deletes what is stored there",
    r"\bRENAME COLUMN\b": "collectors of the version before fail on it",
    r"\bMODIFY (?:ORDER BY|SAMPLE BY)\b": "changes the key that makes a row count once",
    r"\bREMOVE TTL\b": "lets the table grow without bound",
    r"\bMATERIALIZE\b": "rewrites every part of the table",
    r"\bADD (?:COLUMN|INDEX|PROJECTION) (?!IF NOT EXISTS)": "cannot run again if it was cut short: say IF NOT EXISTS",
}
_TYPE = r"((?:[^,()]|\((?:[^()]|\([^()]*\))*\))+?)"
_MODIFY = re.compile(
    rf"\b(?:MODIFY|ALTER) COLUMN (?:IF EXISTS )?`?(\w+)`? (?:TYPE )?{_TYPE}(?: DEFAULT| CODEC| COMMENT| TTL|,|$)",
    re.IGNORECASE,
)
_TABLE = re.compile(r"^ALTER TABLE `?(\w+)`?", re.IGNORECASE)


def dangers(statement: str, columns: Columns) -> Iterator[str]:
    """What is dangerous about a statement, in words; nothing where it is safe to run, and to run again."""
    code = " ".join(statement.split())
    head = code[:60].rstrip()
    for pattern, why in _LOSES.items():
        if re.search(pattern, code, re.IGNORECASE):
            yield f"{head}: {why}"
    if re.match(r"CREATE (?:TABLE|VIEW|MATERIALIZED VIEW|DATABASE|DICTIONARY) (?!IF NOT EXISTS)", code, re.IGNORECASE):
        yield f"{head}: cannot run again after it was cut short: say IF NOT EXISTS"
    table = _TABLE.match(code)
    if table is None:
        return
    for pattern, why in _ALTERS.items():
        if re.search(pattern, code, re.IGNORECASE):
            yield f"{head}: {why}"
    for name, kind in _MODIFY.findall(code):
        column = columns.get((table[1], name))
        why = _retyped(column, kind.strip()) if column else ""
        if why:
            yield f"{head}: {name} {why}"


def _retyped(column: Column, kind: str) -> str:
    """Why a column of the store must not become `kind`; empty where it may."""
    old, new = (re.sub(r"\s", "", text).lower() for text in (column.type, kind))
    if old == new:
        return ""
    if column.key:
        return f"is part of the key and may not change from {column.type} to {kind}"
    for wrapper in ("nullable", "lowcardinality"):
        if (wrapper in old) != (wrapper in new):
            return f"changes from {column.type} to {kind}: only one of them is {wrapper}, so every part is rewritten"
    width = {text: int(found[1]) for text in (old, new) if (found := re.fullmatch(r"u?int(\d+)", text))}
    if len(width) == 2 and old.startswith("u") == new.startswith("u") and width[new] > width[old]:
        return ""
    return f"changes from {column.type} to {kind}: values may not fit, and every part is rewritten"
