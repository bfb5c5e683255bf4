"""A folder that appears only when it is whole, and that replaces nothing but an earlier export."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harvest.errors import StorageFailed
from harvest.system.files import beside

MANIFEST = "manifest.json"
MAKER = "harvest export"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a place where something is, unless it is an export that may be replaced. Raises StorageFailed."""
    if not (target.exists() or target.is_symlink()):
        return
    if not target.is_dir() or target.is_symlink():
        raise StorageFailed(f"{target} is there and is no folder: name another one for the export.")
    there = _files(target)
    if not there:
        return
    made = _earlier(target)
    if made is None:
        raise StorageFailed(f"{target} holds something else than an export of harvest: name another folder.")
    others = _not_written(made, there)
    if others:
        raise StorageFailed(
            f"{target} holds {others[0]}, which the export in it did not write: move it away, or name another folder."
        )
    if not force:
        raise StorageFailed(f"{target} holds an earlier export: name another folder, or replace it with --force.")
    changed = _changed(target, made, there)
    if changed is not None:
        raise StorageFailed(
            f"{target} holds {changed}, which is not as the export wrote it: move it away, or name another folder."
        )


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


def _not_written(made: dict[str, Any], there: set[str]) -> list[str]:
    """Give the files that a manifest does not tell of."""
    return sorted(there - {MANIFEST} - {file["path"] for file in made["files"]})


def _changed(folder: Path, made: dict[str, Any], there: set[str]) -> str | None:
    """Give a file that is not as its manifest tells."""
    told = [file for file in made["files"] if file["path"] in there]
    return next((file["path"] for file in told if not _is_as_told(folder, file)), None)


def _is_as_told(target: Path, file: dict[str, Any]) -> bool:
    """Say whether a file is the very one that the manifest tells of: any program can write a manifest, and only its
    maker knows what is in its files.
    """
    path = target / file["path"]
    if path.is_symlink() or path.stat().st_size != file.get("bytes"):
        return False
    with path.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest() == file.get("sha256")


def _earlier(target: Path) -> dict[str, Any] | None:
    """Read the manifest of an earlier export; None when there is none of ours."""
    try:
        made = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        return (
            made if made["made_by"] == MAKER and all(isinstance(file["path"], str) for file in made["files"]) else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def staged(target: Path, *, force: bool) -> Iterator[Path]:
    """Give an empty folder beside the target, and put it in its place at the end. After an error nothing is left."""
    check_target(target, force=force)
    with leaving_errors(target), beside(target) as part, _held(part):
        mode = stat.S_IMODE(part.stat().st_mode)
        part.chmod(0o700)  # until it is whole
        yield part
        part.chmod(mode)
        _put_in_place(part, target, force=force)


@contextlib.contextmanager
def _held(part: Path) -> Iterator[None]:
    """Make a folder and hold it as long as this process lives, so that others know it from one that was left behind."""
    while True:
        part.mkdir()
        handle = os.open(part, os.O_RDONLY)
        with contextlib.suppress(OSError):  # a file system without locks: no process can clear anything away there
            fcntl.flock(handle, fcntl.LOCK_EX)
        if part.exists():
            break
        os.close(handle)  # another process took it for left behind before it was held
    try:
        yield
    finally:
        os.close(handle)


def clear_away(target: Path) -> None:
    """Delete what exports to this place left when they were killed, and put back an earlier one that had stepped aside.

    What another process is at stays, and so does what no export wrote.
    """
    for left in _left(target, "part"):
        with contextlib.suppress(OSError):  # at work, or not ours
            handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(handle)
    for aside in _left(target, "old"):
        if aside.with_suffix(".part").exists() or aside.is_symlink():
            continue  # it is being replaced
        with contextlib.suppress(OSError):
            there, made = _files(aside), _earlier(aside)
            if not there:
                shutil.rmtree(aside)
            elif made is None or _not_written(made, there):
                continue
            elif not target.exists():
                aside.rename(target)
            elif _changed(aside, made, there) is None:
                _delete(aside)


def _left(target: Path, ending: str) -> list[Path]:
    return sorted(target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 8}.{ending}"))


def _delete(made: Path) -> None:
    """Delete an export, its manifest last: what a process leaves that is killed meanwhile is still known for one."""
    with contextlib.suppress(OSError):
        for path in made.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != MANIFEST:
                path.unlink()
        shutil.rmtree(made)


def _put_in_place(part: Path, target: Path, *, force: bool) -> None:
    """Give the new folder its name; an earlier one steps aside first, and comes back should that fail."""
    check_target(target, force=force)  # once more: the writing may have taken hours
    if not target.exists() or not any(target.iterdir()):
        part.replace(target)
        return
    aside = part.with_suffix(".old")
    target.rename(aside)
    try:
        part.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    _delete(aside)


@contextlib.contextmanager
def leaving_errors(target: Path) -> Iterator[None]:
    """Turn what goes wrong while writing into one clear line, and SQLite's word for Ctrl-C into Ctrl-C."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0)  # what Python itself complains of has none
        if code in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_AUTH):  # it came in a callback, of progress or of access
            raise KeyboardInterrupt from error
        if code == sqlite3.SQLITE_FULL:
            raise _full(target) from error
        raise
    except PermissionError as error:
        raise StorageFailed(f"No permission to write {target}: name another folder.") from error
    except OSError as error:
        if error.errno in _FULL:
            raise _full(target) from error
        raise StorageFailed(f"Cannot write {target}: {error.strerror or error}.") from error


def _full(target: Path) -> StorageFailed:
    return StorageFailed(
        f"The disk is full: {target} could not be written, and nothing of it is left. Free some space, or name "
        "a folder elsewhere, and run the same command again."
    )
