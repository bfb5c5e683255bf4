"""Sum an act up, so that a bit that a disk has turned over is noticed. Pure.

Bodies have such a sum in their frames. A person who forges a file can write the sums too: a sum shows damage, not
who wrote the file.
"""

from __future__ import annotations

from zlib import crc32


def of_file(pair: str, key: bytes) -> int:
    """Give what the sums of one file begin with, so that none of its acts is taken for one of another file."""
    return crc32(key, crc32(pair.encode()))


def of_act(begun: int, number: int, what: str, detail: str, body_id: int | None) -> int:
    """Give the sum of an act as it stands in its file, of which `begun` is the beginning. Raises UnicodeError."""
    return crc32(f"{number} {body_id} {what} {detail}".encode(), begun)
