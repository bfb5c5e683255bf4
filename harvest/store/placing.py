"""Put a file that was made elsewhere where it is wanted, once it is whole.

In: a path. Out: a file under its name. Never: over another one without being told to, or away from under a crawl.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harvest.errors import StorageFailed, StoreError
from harvest.store import lease
from harvest.store.database import open_to_read

_SIDE_FILES = ("-wal", "-shm", "-journal")


def check_target(out: Path, *, force: bool) -> None:
    """Raise StorageFailed where a file cannot be put, CrawlBusy where a process crawls into the one that is there."""
    if out.is_dir():
        raise StorageFailed(f"{out} is a folder: name a file, for example {out / 'copy.db'}.")
    there = next((_beside(out, name) for name in ("", *_SIDE_FILES) if _beside(out, name).exists()), None)
    if there is not None and not force:
        raise StorageFailed(f"{there} exists: name another file, or overwrite it with --force.")
    _check_folder(out)
    if out.exists():
        _check_nobody_crawls(out)


def _check_folder(out: Path) -> None:
    """Raise StorageFailed where no file can be made in the folder of a target, or in the one it is to be made in."""
    try:
        folder = next(one for one in out.absolute().parents if one.exists())
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StorageFailed(
            f"{out} cannot be written ({error.strerror or error}): name a file in another folder."
        ) from error


def put_in_place(part: Path, out: Path, *, force: bool) -> None:
    """Give a file its name; without force, only if nothing has that name by now. Raises StorageFailed, OSError."""
    if force:
        for name in _SIDE_FILES:  # they belong to what is replaced, and would be taken for the new one's own
            _beside(out, name).unlink(missing_ok=True)
        part.replace(out)
        return
    try:
        os.link(part, out)
    except FileExistsError:
        raise StorageFailed(f"{out} exists: name another file, or overwrite it with --force.") from None
    except OSError:  # a file system without links
        part.rename(out)


def _check_nobody_crawls(out: Path) -> None:
    """Refuse to pull a file away from under a crawl."""
    try:
        target = open_to_read(out)
    except StoreError:
        return  # no harvest of ours
    try:
        lease.check_free(target, out)
    finally:
        target.close()


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
