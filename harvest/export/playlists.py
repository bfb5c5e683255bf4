"""Write a list of tracks for players: extended M3U, or JSPF (XSPF in JSON, as ListenBrainz and others take it); or CSV.

A track is its page on soundcloud.com; where that is not in the file, its address in the API. No audio is fetched. M3U
gives title and length of each track (`#EXTINF`, whole seconds, -1 unknown); JSPF gives the URN besides, and
milliseconds, and so does CSV, with a header. All are UTF-8, written track by track, and appear only when they are
whole.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from harvest.errors import QueryError, SettingsError, StorageFailed
from harvest.export.escaping import cell, field
from harvest.system.files import beside, write_through

_OF_ID = "https://api.soundcloud.com/tracks/{}"
_URN = "soundcloud:tracks:"
_M3U = "#EXTM3U"
_JSPF = '{"playlist": {'
_CSV = ("track_id", "title", "artist", "address", "duration_ms")
_TRACK = """
SELECT t.title, coalesce(t.metadata_artist, a.username), t.permalink_url, t.duration_ms
FROM tracks AS t LEFT JOIN users AS a ON a.id = t.uploader_id WHERE t.id = ?
"""


@dataclass(frozen=True, slots=True)
class Played:
    """A track in a list for players; `duration_ms` is in milliseconds, None where it is not known."""

    track_id: int
    title: str | None
    artist: str | None
    address: str
    duration_ms: int | None


def check_target(out: Path) -> None:
    """Refuse a name of another format, and to write over what is no such list. Raises SettingsError, StorageFailed."""
    _writer(out)
    try:
        if out.exists() and not _is_playlist(out):
            raise StorageFailed(f"{out} exists and is no playlist: name another file.")
    except OSError as error:
        raise StorageFailed(f"Cannot look at {out}: {error.strerror or error}. Name another place.") from error


def write(connection: sqlite3.Connection, ids: Iterable[Any], out: Path, *, title: str, now: str) -> int:
    """Write the tracks with these ids, in their order, into a file that its name says the format of; give how many.

    What is no id of a track in the file is left out. Raises SettingsError, StorageFailed.
    """
    check_target(out)
    try:
        with beside(out) as part:
            with part.open("w", encoding="utf-8", newline="\n") as file:
                n = _writer(out)(file, _played(connection, ids), title, now)
            write_through(part)
            part.replace(out)
    except OSError as error:
        raise StorageFailed(f"Cannot write {out}: {error.strerror or error}. Name another place.") from error
    return n


def tracks_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Any]:
    """Give what stands in the column `track_id` of an answer, or in `urn`. Raises QueryError where there is neither."""
    names = [name.lower() for name in columns]
    place = next((names.index(name) for name in ("track_id", "urn") if name in names), None)
    if place is None:
        raise QueryError("A playlist is made of a column track_id: SELECT id AS track_id FROM tracks, or urn.")
    return (_id(row[place]) for row in rows)


def _id(value: Any) -> Any:
    """Give the id that a value says: itself, or the number in a URN of a track."""
    number = value.removeprefix(_URN) if isinstance(value, str) else ""
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else value


def _played(connection: sqlite3.Connection, ids: Iterable[Any]) -> Iterator[Played]:
    for track_id in ids:
        row = connection.execute(_TRACK, (track_id,)).fetchone() if type(track_id) is int else None
        if row is not None:
            yield Played(track_id, row[0], row[1], address_of(row[2], track_id), row[3])


def address_of(url: str | None, track_id: int) -> str:
    """Give the address by which a list names a track: its page, or else its address in the API."""
    return url or _OF_ID.format(track_id)


def _write_m3u(file: TextIO, tracks: Iterator[Played], title: str, _: str) -> int:
    file.write(f"{_M3U}\n#PLAYLIST:{field(title)}\n")
    n = 0
    for one in tracks:
        n += 1
        seconds = -1 if one.duration_ms is None else round(one.duration_ms / 1000)
        name = " - ".join(field(text) for text in (one.artist, one.title) if text) or f"track {one.track_id}"
        file.write(f"#EXTINF:{seconds},{name}\n{one.address}\n")
    return n


def _write_jspf(file: TextIO, tracks: Iterator[Played], title: str, now: str) -> int:
    head = {"title": title, "creator": "harvest", "date": now}
    file.write(f'{_JSPF}{json.dumps(head, ensure_ascii=False)[1:-1]}, "track": [')
    n = 0
    for one in tracks:
        n += 1
        told = {
            "location": [one.address],
            "identifier": [f"soundcloud:tracks:{one.track_id}"],
            "title": one.title,
            "creator": one.artist,
            "duration": one.duration_ms,
            "trackNum": n,
        }
        known = {name: value for name, value in told.items() if value is not None}
        file.write(f"{',' * (n > 1)}\n{json.dumps(known, ensure_ascii=False)}")
    file.write("\n]}}\n")
    return n


def _write_csv(file: TextIO, tracks: Iterator[Played], _: str, __: str) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_CSV)
    n = 0
    for one in tracks:
        n += 1
        texts = [cell(text) if text else text for text in (one.title, one.artist)]
        writer.writerow([one.track_id, *texts, one.address, one.duration_ms])
    return n


_WRITERS: dict[str, Callable[[TextIO, Iterator[Played], str, str], int]] = {
    ".m3u": _write_m3u,
    ".m3u8": _write_m3u,
    ".jspf": _write_jspf,
    ".csv": _write_csv,
}


def _writer(out: Path) -> Callable[[TextIO, Iterator[Played], str, str], int]:
    found = _WRITERS.get(out.suffix.lower())
    if found is None:
        raise SettingsError(f"The name of a playlist ends in {', '.join(_WRITERS)}; {out.name} does not.")
    return found


def _is_playlist(out: Path) -> bool:
    with out.open("rb") as file:
        head = file.read(100).decode(errors="replace")
    return head.startswith((_M3U, _JSPF, f"{','.join(_CSV)}\n"))
