"""Certificates for the tests, made by the openssl program: an authority, and what it signs."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl on PATH")
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates with a key of its own; everything lies in one folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self.ca = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self._issued = 0
        folder.mkdir(exist_ok=True)
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.ca, "-subj", f"/CN={name}", "-days", "9")

    def issue(self, name: str, *, hosts: str = "DNS:localhost,IP:127.0.0.1", days: int = 9) -> Pair:
        """A certificate of `name`, good for `days` from now; -1: it ended yesterday."""
        self._issued += 1
        stem = self.folder / f"{self.ca.stem}-{name}-{self._issued}"
        pair = Pair(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        request, names = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        names.write_text(f"subjectAltName={hosts}\n", "ascii")
        _openssl("req", *_NEW_KEY, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
        signed = ("-CA", self.ca, "-CAkey", self._key, "-set_serial", str(self._issued), "-extfile", names)
        _openssl("x509", "-req", "-in", request, *signed, "-days", str(days), "-out", pair.certificate)
        return pair


def _openssl(*arguments: str | Path) -> None:
    subprocess.run([OPENSSL or "openssl", *arguments], check=True, capture_output=True, timeout=30)


def install(pair: Pair, folder: Path, name: str = "server") -> Pair:
    """Put a pair where settings point; what was there is replaced, certificate and key one after the other."""
    target = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    for source, place in ((pair.certificate, target.certificate), (pair.key, target.key)):
        draft = place.with_suffix(".new")
        shutil.copy(source, draft)
        draft.replace(place)
    return target
