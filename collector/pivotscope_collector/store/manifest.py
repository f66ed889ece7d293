"""What a backup holds: the list of its files with sizes and hashes, and what is needed to judge it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pivotscope_collector.errors import StoreError, UsageError

FORMAT, VERSION = "pivotscope-backup", 1
NAME, DIGEST = "manifest.json", "manifest.sha256"
PARTIAL = ".partial"
"""End of the name of a folder while a backup is written into it."""


@dataclass(frozen=True, slots=True)
class File:
    """Size in bytes, and SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`schema` is migration number → checksum, `rows` table → rows, `files` path below the backup → file.

    Paths are <table>/<part>/<file>, with forward slashes.
    """

    made_unix_ns: int
    collector: str
    engine: str
    database: str
    schema: Mapping[int, str]
    rows: Mapping[str, int]
    files: Mapping[str, File]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())


def write(manifest: Manifest, folder: Path) -> None:
    """Write the manifest and its own hash: the last two files of a backup."""
    text = json.dumps({"format": FORMAT, "version": VERSION, **asdict(manifest)}, indent=1).encode()
    (folder / NAME).write_bytes(text)
    (folder / DIGEST).write_text(f"{hashlib.sha256(text).hexdigest()}  {NAME}\n", "ascii")


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises UsageError where this is none, and StoreError where it is damaged."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name one that `pivotscope collector backup` made")
    try:
        text, digest = (folder / NAME).read_bytes(), (folder / DIGEST).read_text("ascii", "replace")
    except FileNotFoundError as error:
        half = "this backup was cut short" if folder.name.endswith(PARTIAL) else "this is no backup"
        raise UsageError(f"{folder}: {half}: it has no {Path(error.filename).name}") from error
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from error
    if digest.split()[:1] != [hashlib.sha256(text).hexdigest()]:
        raise StoreError(f"{folder / NAME} is damaged: its SHA-256 is not that of {DIGEST}; take another backup")
    return _parsed(text, folder / NAME)


def verify(manifest: Manifest, folder: Path, tell: Callable[[int], None] = lambda _: None) -> None:
    """See that every file is there, and as it was written. `tell` gets the bytes of each file that is.

    Raises StoreError for the first one that is missing or differs.
    """
    for path, file in manifest.files.items():
        place = folder / path
        try:
            size = place.stat().st_size
            found = digest_of(place) if size == file.size else ""
        except FileNotFoundError as error:
            raise StoreError(f"{place} is missing: this backup is damaged; take another") from error
        except OSError as error:
            raise StoreError(f"{place}: {error.strerror}") from error
        if size != file.size:
            raise StoreError(f"{place} has {size} bytes, expected {file.size}: this backup is damaged; take another")
        if found != file.sha256:
            raise StoreError(f"{place} is damaged: its SHA-256 differs from the manifest's; take another backup")
        tell(size)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parsed(text: bytes, place: Path) -> Manifest:
    try:
        document: dict[str, Any] = json.loads(text)
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise UsageError(
                f"{place}: format {document['format']} {document['version']}, expected {FORMAT} {VERSION}: "
                "upgrade the collector"
            )
        files = {path: File(int(one["size"]), str(one["sha256"])) for path, one in document["files"].items()}
        wrong = next((path for path in files if len(_steps(path)) < 3), None)
        if wrong is not None:
            raise UsageError(f"{place}: {wrong!r} is no path of a backup's file")
        return Manifest(
            made_unix_ns=int(document["made_unix_ns"]),
            collector=str(document["collector"]),
            engine=str(document["engine"]),
            database=str(document["database"]),
            schema={int(number): str(checksum) for number, checksum in document["schema"].items()},
            rows={str(table): int(rows) for table, rows in document["rows"].items()},
            files=files,
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"{place}: not a manifest of this format: {error!r}") from error


def _steps(path: str) -> tuple[str, ...]:
    """The parts of a path that stays below its folder; none for one that does not."""
    pure = PurePosixPath(path)
    return () if pure.is_absolute() or ".." in pure.parts else pure.parts
