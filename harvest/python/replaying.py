"""Make a file again from kept replies: `harvest.replay(...)`, for notebooks and scripts."""

from __future__ import annotations

from pathlib import Path

from harvest.crawler.replay import replay as replay_into
from harvest.python.file import File


def replay(replies: Path | str, out: Path | str, *, force: bool = False, from_version: int | None = None) -> File:
    """Make the file again that these replies were kept of, without a request, as `harvest replay` does; give it.

    `force` overwrites what is there; `from_version` is the version of the tables to take the replies as. Raises
    StoreError, and then there is no file.
    """
    replay_into(Path(replies), Path(out), force=force, from_version=from_version)
    return File(Path(out))
