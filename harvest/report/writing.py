"""Put a report into its place: it appears only when it is whole, and never over something that is not ours."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from harvest.errors import StorageFailed
from harvest.report.page import GENERATOR

_MARK = f'<meta name="generator" content="{GENERATOR}">'.encode()
_HEAD = 500  # bytes; the mark stands among the first


def usual_place(database: Path) -> Path:
    """Give where a report goes when nobody says: beside the file."""
    return database.with_name(f"{database.stem}.report.html")


def check_target(out: Path, database: Path, *, force: bool) -> None:
    """Refuse to write over anything but an earlier report. Raises StorageFailed."""
    try:
        _check(out, database, force=force)
    except OSError as error:
        raise StorageFailed(f"Cannot look at {out}: {error.strerror or error}. Name another place.") from error


def _check(out: Path, database: Path, *, force: bool) -> None:
    if out.is_dir():
        raise StorageFailed(f"{out} is a folder: name a file, for example {out / 'report.html'}.")
    if out.exists() and database.exists() and out.samefile(database):
        raise StorageFailed(f"{out} is the harvested file itself: name another one for the report.")
    if out.exists() and not force and not is_ours(out):
        raise StorageFailed(
            f"{out} exists and is no report of harvest: name another file, or overwrite it with --force."
        )


def is_ours(out: Path) -> bool:
    """Say whether a file is a report that this program made: those may be replaced without asking."""
    with out.open("rb") as file:
        return _MARK in file.read(_HEAD)


def write(text: str, out: Path) -> None:
    """Write the page beside its place, then move it there in one step. Raises StorageFailed; what was there stays."""
    try:
        _write_beside(text, out)
    except OSError as error:
        raise StorageFailed(
            f"Cannot write {out}: {error.strerror or error}. Name another place: harvest report OUT."
        ) from error


def _write_beside(text: str, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    part = None
    try:
        with NamedTemporaryFile(
            "w", dir=out.parent, prefix=f".{out.name}.", suffix=".part", delete=False, encoding="utf-8", newline="\n"
        ) as file:
            part = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(out)
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
