"""Put a report into its place: it appears only when it is whole, and never over something that is not ours."""

from __future__ import annotations

from pathlib import Path

from harvest.errors import StorageFailed
from harvest.report.page import GENERATOR
from harvest.system.files import beside, write_through

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
        with beside(out) as part:
            part.write_text(text, encoding="utf-8", newline="\n")
            write_through(part)
            part.replace(out)
    except OSError as error:
        raise StorageFailed(
            f"Cannot write {out}: {error.strerror or error}. Name another place: harvest report OUT."
        ) from error
