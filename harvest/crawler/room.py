"""Say when the disk may be too small for what is still to be read. Never refuses anything.

What a page took so far, times the requests that are left: known from the first look at a file that is gone on with, and
of a new one as soon as it has some pages. Before anything is asked, `harvest plan` knows more.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from harvest.store.standing import Standing

_ENOUGH_PAGES = 20  # to tell from them what a page takes
_EMPTY_BYTES = 430_000  # of a file without a row
_PARTS = ("", "-wal")


@dataclass(frozen=True, slots=True)
class Shortage:
    """So many bytes are free in a folder, and about so many are needed, or more where `at_least` says so."""

    folder: Path
    free: int
    needed: int
    at_least: bool

    @property
    def words(self) -> dict[str, str]:
        """Say it for a log."""
        needed = f"{'at least ' if self.at_least else 'about '}{self.needed / 1e9:,.2f} GB"
        why = "what is still to be read may not fit; a full disk ends the crawl, and loses nothing"
        return {"why": why, "needed": needed, "free": f"{self.free / 1e9:,.2f} GB", "folder": str(self.folder)}


class Room:
    """Compares the room on the disk of a file with what its crawl will need, until it has once found it too small."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._files = [self._path]
        self._told = False

    def grows_with(self, path: Path) -> None:
        """Count another file in, that grows beside it."""
        self._files.append(path.absolute())

    def shortage(self, seen: Standing) -> Shortage | None:
        """Say what is lacking, once; None where nothing is, or it is too early to tell."""
        if self._told or seen.pages < _ENOUGH_PAGES or not seen.requests_left:
            return None
        try:
            parts = [file.with_name(file.name + end) for file in self._files for end in _PARTS]
            size = sum(part.stat().st_size for part in parts if part.exists())
            free = shutil.disk_usage(self._path.parent).free
        except OSError:  # a share that does not answer just now: the next look is a second away
            return None
        needed = max(size - _EMPTY_BYTES, 0) // seen.pages * seen.requests_left
        if needed <= free:
            return None
        self._told = True
        return Shortage(self._path.parent, free, needed, seen.at_least)
