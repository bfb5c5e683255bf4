"""Other numbers in place of ids, reversible only with the key; and the key, kept private.

The pseudonym of user 123 is made of the first 53 bits of HMAC-SHA256(key, "user:123"): the largest numbers that every
reader keeps exact, since pandas, R, JavaScript and spreadsheets make floats of whole numbers. The same key gives the
same pseudonyms, so that two exports fit together; a plain hash would be undone by trying all ids, in minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from harvest.errors import SettingsError

BITS = 53
_SHORTEST = 16  # bytes; ours has 64


def pseudonym(key: bytes, kind: str, number: int) -> int:
    """Give 53 bits that stand for a user, track or playlist."""
    digest = hmac.digest(key, f"{kind}:{number}".encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") >> (64 - BITS)


def key_name(key: bytes) -> str:
    """Name a key without telling it: exports with the same name have the same pseudonyms."""
    return hmac.digest(key, b"the name of this key", hashlib.sha256)[:6].hex()


def read_key(path: Path) -> bytes:
    """Read the key from a file, and make that file for its owner alone when it is missing. Raises SettingsError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path)
        key = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"--key {path}: {error.strerror or error}.") from error
    if len(key) < _SHORTEST:
        raise SettingsError(
            f"--key {path} holds no key: name a file of {_SHORTEST} characters or more, or one that does not exist."
        )
    return key


def _make(path: Path) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="ascii") as made:
        made.write(secrets.token_hex(32) + "\n")


def about(count: int | None) -> int | None:
    """Round a count to its first digit: the exact one, looked up, would tell whose it is."""
    if count is None or abs(count) < 10:
        return count
    step: int = 10 ** (len(str(abs(count))) - 1)
    return (count + step // 2) // step * step
