"""Unpack a reply piece by piece, so that a small one that unpacks into gigabytes is never in memory as a whole. Pure.

in: what arrives; out: what it says, in pieces of bounded size; never: another packing than the one that was asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

ASKED_FOR = "gzip"
_PIECE = 1 << 18
_GZIP = 16 + zlib.MAX_WBITS


class CannotUnpack(Exception):
    """The reply is packed in another way, or is damaged."""


class Unpacker:
    """Takes one reply, packed as its Content-Encoding says. Raises CannotUnpack."""

    def __init__(self, encoding: str) -> None:
        layers = [layer for part in encoding.lower().split(",") if (layer := part.strip()) not in ("", "identity")]
        if layers not in ([], [ASKED_FOR], [f"x-{ASKED_FOR}"]):
            raise CannotUnpack(f"it is packed with {' and '.join(layers)}")
        self._gzip = zlib.decompressobj(_GZIP) if layers else None
        self._began = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Give what this piece of the reply unpacks into; the caller stops asking when it has enough."""
        if self._gzip is None:
            yield data
            return
        while data and not self._gzip.eof:
            self._began = True
            try:
                yield self._gzip.decompress(data, _PIECE)
            except zlib.error as error:
                raise CannotUnpack(str(error)) from error
            data = self._gzip.unconsumed_tail

    def rest(self) -> bytes:
        """Give what is left at the end of the reply: a few bytes, or an error when its end is missing."""
        if self._gzip is None or not self._began:
            return b""
        rest = self._gzip.flush()
        if not self._gzip.eof:
            raise CannotUnpack("its end is missing")
        return rest
