"""Files and folders that appear only when they are whole."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Give a name beside `target`, for the caller to make a file or a folder of and to rename when it is whole.

    Folders on the way are made. Afterwards nothing that has the name is left, nor what SQLite puts beside a file under
    its name; after an error the folders that were made are gone too. Raises OSError.
    """
    part = target.parent / f".{target.name}.{secrets.token_hex(4)}.part"  # before it is made: Ctrl-C may be quick
    missing = [path for path in (target.parent, *target.parent.parents) if not path.exists()]
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield part
        finally:
            for left in target.parent.glob(f"{glob.escape(part.name)}*"):
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    except BaseException:
        for parent in missing:
            with contextlib.suppress(OSError):  # never made, or another process has put something there
                parent.rmdir()
        raise


def write_through(path: Path) -> None:
    """Return when what was written to a file is on the disk. Raises OSError."""
    with path.open("rb") as written:
        os.fsync(written.fileno())


def read_at_most(path: Path, most: int) -> bytes:
    """Read a file, and no more of it than so many bytes; a pipe without a writer is empty. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        os.set_blocking(handle, True)
        return file.read(most)
