"""Put a page into its place: it appears only when it is whole, and never over something that is not ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harvest.errors import StorageFailed
from harvest.report.page import GENERATOR
from harvest.system.files import beside, write_through

_HEAD = 500  # bytes; the mark stands among the first


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of page: what its head says made it, what it is called, what stands in the name of its file, the command
    with which another place is named.
    """

    generator: str
    name: str
    suffix: str
    elsewhere: str

    @property
    def mark(self) -> bytes:
        """What stands in the head of every such page."""
        return f'<meta name="generator" content="{self.generator}">'.encode()


REPORT = Kind(GENERATOR, "report", "report", "harvest report OUT")


def usual_place(database: Path, kind: Kind = REPORT) -> Path:
    """Give where a page goes by default: beside the file."""
    return database.with_name(f"{database.stem}.{kind.suffix}.html")


def check_target(out: Path, database: Path, *, force: bool, kind: Kind = REPORT) -> None:
    """Refuse to write over anything but an earlier page of the kind. Raises StorageFailed."""
    try:
        _check(out, database, force, kind)
    except OSError as error:
        raise StorageFailed(f"Cannot look at {out}: {error.strerror or error}. Name another place.") from error


def _check(out: Path, database: Path, force: bool, kind: Kind) -> None:
    if out.is_dir():
        raise StorageFailed(f"{out} is a folder: name a file, for example {out / f'{kind.name}.html'}.")
    if out.exists() and database.exists() and out.samefile(database):
        raise StorageFailed(f"{out} is the harvested file itself: name another one for the {kind.name}.")
    if out.exists() and not force and not is_ours(out, kind):
        raise StorageFailed(
            f"{out} exists and is no {kind.name} of harvest: name another file, or overwrite it with --force."
        )


def is_ours(out: Path, kind: Kind = REPORT) -> bool:
    """Say whether a file is such a page that this program made: those may be replaced without asking."""
    with out.open("rb") as file:
        return kind.mark in file.read(_HEAD)


def write(text: str, out: Path, kind: Kind = REPORT) -> None:
    """Write the page beside its place, then move it there in one step. Raises StorageFailed; what was there stays."""
    try:
        with beside(out) as part:
            part.write_text(text, encoding="utf-8", newline="\n")
            write_through(part)
            part.replace(out)
    except OSError as error:
        raise StorageFailed(
            f"Cannot write {out}: {error.strerror or error}. Name another place: {kind.elsewhere}."
        ) from error
