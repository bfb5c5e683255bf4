"""Say what is left to do where something was taken out of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harvest.cli.output.formatting import quoted

NOT_YET = 6  # the exit code: all was done but for old bytes, which a reader holds


def left_over(path: Path, replies: Path | None, *, erased: bool, word: str) -> Iterator[str]:
    """Write the lines for the `replies` that were reached as well, and for bytes that are not `erased`."""
    if replies is not None:
        yield f"Also {word} {replies}: `harvest replay` makes the file as it is now."
    if not erased:
        yield (
            "Not yet erased: another process reads the file or its replies, so old bytes remain. When it is done, run:"
            f" harvest forget --finish --cache-path {quoted(path)}"
        )
