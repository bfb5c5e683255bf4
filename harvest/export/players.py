"""Write the tracks that leave for players, as M3U or JSPF: those of each playlist that is a seed, in its own order;
where none is, one list of all tracks that leave, those that most people have first.
"""

from __future__ import annotations

from collections.abc import Iterator

from harvest.export.job import Job, OutFile
from harvest.export.playlists import write as write_list

_SEEDS = """
SELECT l.id, coalesce(l.title, 'playlist ' || l.id) FROM seeds AS s JOIN playlists AS l ON l.id = s.thing_id
WHERE s.thing = 'playlist' ORDER BY s.id
"""
_OF_PLAYLIST = """
SELECT l.track_id FROM playlist_tracks AS l JOIN things AS t ON t.id = l.track_id
WHERE l.playlist_id = ? ORDER BY l.position
"""
_ALL = "SELECT id FROM things ORDER BY n DESC, id"


def write(job: Job) -> list[OutFile]:
    """Write them; nothing but the files, which say of each track its page, title, artist and length."""
    connection, files = job.selection.connection, []
    (now,) = connection.execute("SELECT max(fetched_at) FROM pages").fetchone()
    for name, title, sql, given in _lists(job):
        path = f"{name}.{job.choices.format}"
        ids = (row[0] for row in connection.execute(sql, given).fetchall())
        n = write_list(connection, ids, job.folder / path, title=title, now=now)
        files.append(OutFile(path, "playlist", n, ()))
    return files


def _lists(job: Job) -> Iterator[tuple[str, str, str, tuple[int, ...]]]:
    seeds = job.selection.connection.execute(_SEEDS).fetchall()
    for playlist, title in seeds:
        yield f"playlist-{playlist}", title, _OF_PLAYLIST, (playlist,)
    if not seeds:
        yield "tracks", job.name, _ALL, ()
