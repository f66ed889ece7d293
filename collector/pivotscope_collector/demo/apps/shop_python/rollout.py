"""Who gets the native implementation: a salted, sticky share of the users."""

from __future__ import annotations

import hashlib
import json
import os


class Rollout:
    """Reads `{"share": 0.1, "salt": "…"}` again whenever the file changes; no file means nobody."""

    def __init__(self, path):
        self._path = path
        self._stamp = None
        self._share = 0.0
        self._salt = ""

    def picks(self, user):
        """Whether this user is among the share; the same answer for the same share, always."""
        self._refresh()
        digest = hashlib.blake2b(f"{self._salt}:{user}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self._share * 2**64

    def _refresh(self):
        try:
            stamp = os.stat(self._path).st_mtime_ns
        except FileNotFoundError:
            return
        if stamp != self._stamp:
            with open(self._path, encoding="utf-8") as file:
                settings = json.load(file)
            self._share, self._salt, self._stamp = settings["share"], settings["salt"], stamp
