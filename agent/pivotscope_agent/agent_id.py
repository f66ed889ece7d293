"""The agent's name for ever: the same after each restart, another one for each host and each spool."""

from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def agent_id(host: str, spool: Path, machine_id: str) -> str:
    """`host` with a digest of machine and spool folder: (agent, spool epoch, sequence) names a record."""
    digest = blake2b(f"{machine_id}\0{spool}".encode("utf-8", "surrogateescape"), digest_size=4)
    return f"{host}-{digest.hexdigest()}"


def read_machine_id() -> str:
    """The machine's id; empty where it has none, as in many containers."""
    for path in _MACHINE_IDS:
        with suppress(OSError):
            return path.read_text("ascii", "replace").strip()
    return ""
