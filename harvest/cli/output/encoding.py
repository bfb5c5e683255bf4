"""The encoding of what programs read: UTF-8, whatever a terminal or a variable says that people read."""

from __future__ import annotations

import io
from typing import TextIO


def write_utf8(out: TextIO) -> TextIO:
    """Have an output write UTF-8 from here on, and give it; one in memory has no encoding and stays as it is."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8", errors="backslashreplace")
    return out
