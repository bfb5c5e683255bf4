"""What is missing of a drained harvest, why, and the commands that show it and ask for it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harvest.cli.output.formatting import counted, quoted
from harvest.models import Outcome
from harvest.store.status import Look


def gap_lines(look: Look, path: Path) -> Iterator[str]:
    """Write a line per gap and per command; nothing where nothing is missing."""
    yield from (gap.sentence for gap in look.gaps)
    ends = dict.fromkeys(end for gap in look.gaps for end in gap.ends)
    if look.retryable_failures:
        ends.pop(Outcome.FAILED.value, None)
        failed = counted(look.retryable_failures, "list")
        yield f"{failed} failed; see them with: harvest failures --cache-path {quoted(path)}"
        yield f"Try them again with: harvest retry --cache-path {quoted(path)}"
    if ends:
        yield f"Read them again with: harvest retry --outcome {','.join(ends)} --cache-path {quoted(path)}"
