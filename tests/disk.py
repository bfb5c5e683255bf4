"""A disk that remembers and refuses: it stands before the VFS of this process's SQLite, below everything of ours.

What is written to a database and its log is kept in order, with the syncs between. From that, a `Platter` gives the
files as a disk may hold them that lost power at a moment: what was synced is there, and of what was not, any part may
be. `Disk.refuse` has the n-th thing that changes a file fail, as on a disk that is full or broken.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECTOR = 512  # what a disk writes whole or not at all


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes for a place of a file."""

    file: str
    place: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file is cut to a size."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Delete:
    """A file is taken away."""

    file: str


@dataclass(frozen=True, slots=True)
class Sync:
    """What was done to a file before is on the disk, and with a new log or journal what became of its folder."""

    file: str
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that whoever watches wants to find again."""

    what: Any


Change = Write | Truncate | Delete
Event = Change | Sync | Mark


class _Vfs(Structure):
    """sqlite3_vfs of sqlite3.h."""


class _Methods(Structure):
    """sqlite3_io_methods of sqlite3.h."""


class _File(Structure):
    """What all open files begin with."""

    _fields_ = [("methods", POINTER(_Methods))]


_Open = CFUNCTYPE(c_int, POINTER(_Vfs), c_void_p, POINTER(_File), c_int, c_void_p)
_Remove = CFUNCTYPE(c_int, POINTER(_Vfs), c_char_p, c_int)
_Put = CFUNCTYPE(c_int, POINTER(_File), c_void_p, c_int, c_int64)
_Cut = CFUNCTYPE(c_int, POINTER(_File), c_int64)
_Flush = CFUNCTYPE(c_int, POINTER(_File), c_int)

_Vfs._fields_ = [
    ("version", c_int),
    ("size_of_file", c_int),
    ("longest_name", c_int),
    ("next", POINTER(_Vfs)),
    ("name", c_char_p),
    ("data", c_void_p),
    ("open", _Open),
    ("delete", _Remove),
    ("others", c_void_p * 14),
]
_Methods._fields_ = [
    ("version", c_int),
    ("close", c_void_p),
    ("read", c_void_p),
    ("write", _Put),
    ("truncate", _Cut),
    ("sync", _Flush),
    ("others", c_void_p * 13),
]
_OK = 0
_CREATE, _LOGS = 0x4, 0x800 | 0x80000  # SQLITE_OPEN_CREATE; MAIN_JOURNAL, WAL


@dataclass(frozen=True, slots=True)
class Trouble:
    """How a disk fails: what SQLite's own layer makes of it when something is to be written, cut off, synced."""

    write: int
    truncate: int
    sync: int
    writes_half: bool = False


# ENOSPC after a part of the bytes; a sync that finds no room is a broken one.
FULL = Trouble(write=13, truncate=10 | 6 << 8, sync=10 | 4 << 8, writes_half=True)
BROKEN = Trouble(write=10 | 3 << 8, truncate=10 | 6 << 8, sync=10 | 4 << 8)  # EIO


@dataclass
class Disk:
    """What happened to the files of one folder whose names begin alike, and what shall fail."""

    path: Path
    trace: list[Event] = field(default_factory=list)
    failed: bool = False
    _left: int | None = None
    _trouble: Trouble = FULL
    _for_good: bool = True

    def mark(self, what: Any) -> None:
        """Note that something has happened by now."""
        self.trace.append(Mark(what))

    def refuse(self, number: int | None, trouble: Trouble = FULL, *, for_good: bool = True) -> None:
        """Have the n-th change or sync from now on fail, counted from 1, and all that follow or that one alone. None
        lets everything through again.
        """
        self._left, self._trouble, self._for_good = number, trouble, for_good

    def done(self) -> int:
        """Give how often something was changed or synced so far."""
        return sum(isinstance(event, Write | Truncate | Sync) for event in self.trace)

    def trouble(self) -> Trouble | None:
        """Count what is about to be done; give how it fails, None when it does not."""
        if self._left is None:
            return None
        self._left -= 1
        if self._left > 0 or (self._left < 0 and not self._for_good):
            return None
        self.failed = True
        return self._trouble


_watched: list[Disk] = []
_names: dict[int, str] = {}  # of the open files, by where they lie in memory
_new: set[int] = set()  # those with whose next sync SQLite syncs the folder
_methods: dict[int, _Methods] = {}  # by where they lie: of the usual ones ours, and of ours the usual ones
_kept: list[Any] = []  # SQLite holds on to these for as long as the process lives


def _library() -> ctypes.CDLL | None:
    """Find the SQLite that the module sqlite3 uses, wherever it is linked; None where its names are hidden."""
    for place in (getattr(_sqlite3, "__file__", None), None):
        library = ctypes.CDLL(place)
        if hasattr(library, "sqlite3_vfs_register"):
            library.sqlite3_vfs_find.restype = POINTER(_Vfs)
            return library
    return None


LIBRARY = _library()


def _disk_of(name: str) -> Disk | None:
    return next((disk for disk in _watched if name.startswith(str(disk.path))), None)


def _about(file: Any) -> tuple[Any, Disk, str]:
    """Give the usual methods of an open file, its disk, and its name there: the end by which it differs from others."""
    name = _names[ctypes.addressof(file.contents)]
    disk = _disk_of(name)
    assert disk is not None, f"{name} is open for longer than it was watched"
    return _methods[ctypes.addressof(file.contents.methods.contents)], disk, name.removeprefix(str(disk.path))


def _write(file: Any, data: int, size: int, place: int) -> int:
    usual, disk, name = _about(file)
    trouble = disk.trouble()
    some = size if trouble is None else size // 2 if trouble.writes_half else 0
    code = int(usual.write(file, data, some, place)) if some else _OK
    if some:
        disk.trace.append(Write(name, place, ctypes.string_at(data, some)))
    return code if trouble is None else trouble.write


def _truncate(file: Any, size: int) -> int:
    usual, disk, name = _about(file)
    if (trouble := disk.trouble()) is not None:
        return trouble.truncate
    disk.trace.append(Truncate(name, size))
    return int(usual.truncate(file, size))


def _sync(file: Any, flags: int) -> int:
    usual, disk, name = _about(file)
    if (trouble := disk.trouble()) is not None:
        return trouble.sync
    disk.trace.append(Sync(name, folder=ctypes.addressof(file.contents) in _new))
    _new.discard(ctypes.addressof(file.contents))
    return int(usual.sync(file, flags))


_OURS = _Put(_write), _Cut(_truncate), _Flush(_sync)


def _before(usual: _Methods) -> _Methods:
    """Give methods that do as others do, and tell of it."""
    where = ctypes.addressof(usual)
    if where not in _methods:
        ours = _Methods.from_buffer_copy(usual)
        ours.write, ours.truncate, ours.sync = _OURS
        ours.version = min(ours.version, 2)  # the third maps files into memory, where nobody sees a write
        _methods[where] = ours
        _methods[ctypes.addressof(ours)] = usual
    return _methods[where]


def _watchful(usual: _Vfs) -> _Vfs:
    """Make a VFS that stands before another one, and knows its files by their names."""
    ours = _Vfs.from_buffer_copy(usual)

    def opened(vfs: Any, name: int | None, file: Any, flags: int, told: int | None) -> int:
        code = int(usual.open(vfs, name, file, flags, told))
        text = ctypes.string_at(name).decode() if name else ""
        if code == _OK and _disk_of(text) is not None:
            where = ctypes.addressof(file.contents)
            _names[where] = text
            (_new.add if flags & _CREATE and flags & _LOGS else _new.discard)(where)
            file.contents.methods = ctypes.pointer(_before(file.contents.methods.contents))
        return code

    def deleted(vfs: Any, name: bytes, sync: int) -> int:
        disk = _disk_of(name.decode())
        if disk is not None and Path(name.decode()).exists():
            disk.trace.append(Delete(name.decode().removeprefix(str(disk.path))))
        return int(usual.delete(vfs, name, sync))

    ours.name, ours.open, ours.delete = b"watchful", _Open(opened), _Remove(deleted)
    return ours


@contextmanager
def watching(path: Path) -> Iterator[Disk]:
    """Watch what is done to a database and the files whose names begin with its own. What is opened meanwhile must be
    closed meanwhile.
    """
    assert LIBRARY is not None
    if not _kept:
        usual = LIBRARY.sqlite3_vfs_find(None).contents
        _kept.extend((usual, _watchful(usual)))
    usual, ours = _kept
    disk = Disk(path.absolute())
    LIBRARY.sqlite3_vfs_register(ctypes.byref(ours), 1)
    _watched.append(disk)
    try:
        yield disk
    finally:
        _watched.remove(disk)
        LIBRARY.sqlite3_vfs_unregister(ctypes.byref(ours))
        LIBRARY.sqlite3_vfs_register(ctypes.byref(usual), 1)


Kept = Iterator[tuple[Change, Callable[[], bool]]]  # what was not synced and is there, and whether a sector of it is


def _whole() -> bool:
    return True


def _everything(pending: list[Change], _: random.Random) -> Kept:
    return ((change, _whole) for change in pending)


def _nothing(_: list[Change], __: random.Random) -> Kept:
    return iter(())


def _the_first(pending: list[Change], chance: random.Random) -> Kept:
    return ((change, _whole) for change in pending[: chance.randint(0, len(pending))])


def _any(pending: list[Change], chance: random.Random) -> Kept:
    """Writes are reordered: the later ones may be there without the earlier."""
    likely = chance.choice((0.1, 0.5, 0.9, 0.99))
    return ((change, _whole) for change in pending if chance.random() < likely)


def _parts(pending: list[Change], chance: random.Random) -> Kept:
    """Writes are torn: any sector may be there without its neighbours."""
    likely = chance.choice((0.5, 0.9, 0.99))
    return ((change, lambda: chance.random() < likely) for change in pending)


# What may have become of the changes that were not synced, file by file.
WAYS: Mapping[str, Callable[[list[Change], random.Random], Kept]] = {
    "everything": _everything,
    "nothing": _nothing,
    "the first": _the_first,
    "any": _any,
    "parts": _parts,
}


class Platter:
    """What a disk holds for certain at a moment of a trace, and what it may hold besides."""

    def __init__(self) -> None:
        self._certain: dict[str, bytearray] = {}
        self._pending: dict[str, list[Change]] = {}

    def add(self, event: Event) -> None:
        """Go on by one event."""
        if isinstance(event, Sync):
            for change in self._pending.pop(event.file, []):
                _apply(self._certain, change, _whole)
            if event.folder:
                for name, pending in self._pending.items():
                    if gone := max(
                        (at for at, change in enumerate(pending, 1) if isinstance(change, Delete)), default=0
                    ):
                        self._certain.pop(name, None)
                        del pending[:gone]
        elif not isinstance(event, Mark):
            self._pending.setdefault(event.file, []).append(event)

    def power_cut(self, way: str, chance: random.Random) -> dict[str, bytes]:
        """Give the files as they may be found when the power comes back, by the ends of their names."""
        files = {name: bytearray(data) for name, data in self._certain.items()}
        for pending in self._pending.values():
            for change, is_there in WAYS[way](pending, chance):
                _apply(files, change, is_there)
        return {name: bytes(data) for name, data in files.items()}


def _apply(files: dict[str, bytearray], change: Change, is_there: Callable[[], bool]) -> None:
    if isinstance(change, Delete):
        files.pop(change.file, None)
        return
    data = files.setdefault(change.file, bytearray())
    if isinstance(change, Truncate):
        del data[change.size :]
        data.extend(bytes(change.size - len(data)))
        return
    end = change.place + len(change.data)
    data.extend(bytes(max(0, end - len(data))))
    place = change.place
    while place < end:
        upto = min(end, (place // SECTOR + 1) * SECTOR)
        if is_there():
            data[place:upto] = change.data[place - change.place : upto - change.place]
        place = upto


def lay_down(files: Mapping[str, bytes], path: Path) -> None:
    """Put the files of a disk where a database is to be found at a path."""
    for end, data in files.items():
        path.with_name(path.name + end).write_bytes(data)
