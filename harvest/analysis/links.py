"""Relations between artists that stand in the words of the file: names in titles, shared labels.

Each is computed as a whole, in one transaction, whenever the file has new pages. Names are those of uploaders of the
file; one that two of them share counts for neither.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from harvest.analysis import derivations
from harvest.analysis.methods import LABEL, LABEL_ARTISTS, NAMED
from harvest.analysis.titles import HINTS, fold, is_name, named

if TYPE_CHECKING:
    from sqlite_utils import Database

_NO_LABELS = ("", "independent", "selfreleased", "none", "unsigned", "na", "indie", "norecordlabel", "nolabel", "dj")

_INSERT = """
INSERT INTO artist_relationships (artist_id, other_artist_id, method, score, common, derivation_id)
VALUES (?, ?, ?, ?, ?, ?)
"""

# Two artists share labels: Jaccard of their sets of labels. Large labels say nothing about any two of their artists.
_SHARED_LABELS = """
INSERT INTO artist_relationships (artist_id, other_artist_id, method, score, common, derivation_id)
WITH small AS MATERIALIZED (
    SELECT label FROM temp.artist_labels GROUP BY label HAVING count(*) BETWEEN 2 AND :most
),
labels AS MATERIALIZED (
    SELECT artist_id, count(*) AS n FROM temp.artist_labels GROUP BY artist_id
)
SELECT a.artist_id, b.artist_id, 'label', count(*) * 1.0 / (m.n + n.n - count(*)), count(*), :derivation
FROM small AS s
JOIN temp.artist_labels AS a ON a.label = s.label
JOIN temp.artist_labels AS b ON b.label = s.label AND b.artist_id <> a.artist_id
JOIN labels AS m ON m.artist_id = a.artist_id
JOIN labels AS n ON n.artist_id = b.artist_id
GROUP BY a.artist_id, b.artist_id
"""


def is_current(connection: sqlite3.Connection, method: str, max_page_id: int | None) -> bool:
    """Say whether a relation of words was computed from the file as it is."""
    past = derivations.find(connection, method)
    return past is not None and past.state == "whole" and past.max_page_id == max_page_id


def link_by_titles(
    db: Database, max_page_id: int | None, now: Callable[[], str], told: Callable[[str, float], None]
) -> int:
    """Relate artists that titles name together; give how many titles were looked into."""
    artists = known_artists(db.conn)
    found: dict[str, Counter[tuple[int, int]]] = {method: Counter() for method in NAMED}
    likely = " OR ".join(["title LIKE ?"] * len(HINTS))
    rows = db.conn.execute(
        f"SELECT title, uploader_id FROM tracks WHERE uploader_id IS NOT NULL AND ({likely})",  # noqa: S608 - only marks
        HINTS,
    )
    looked = 0
    for looked, (title, uploader) in enumerate(rows, start=1):
        for method, one, other in named(title, uploader, artists):
            found[method][one, other] += 1
        if looked % 10_000 == 0:
            told(NAMED[0], 0.5)
    with db.atomic():
        for method, pairs in found.items():
            number = _begin(db.conn, method, "{}", now())
            both_ways = (
                (a, b, method, float(n), n, number)
                for (one, other), n in pairs.items()
                for a, b in ((one, other), (other, one))
            )
            db.conn.executemany(_INSERT, both_ways)
            derivations.finish(db.conn, number, max_page_id=max_page_id, lists_used=None, now=now())
    return looked


def link_by_labels(db: Database, max_page_id: int | None, now: Callable[[], str]) -> None:
    """Relate artists that have a label in common."""
    with db.atomic():
        db.conn.execute(
            "CREATE TEMP TABLE IF NOT EXISTS artist_labels"
            " (label TEXT, artist_id INTEGER, PRIMARY KEY (label, artist_id)) WITHOUT ROWID"
        )
        db.conn.execute("DELETE FROM temp.artist_labels")
        rows = db.conn.execute(
            "SELECT DISTINCT label_name, uploader_id FROM tracks"
            " WHERE label_name IS NOT NULL AND uploader_id IS NOT NULL"
        )
        db.conn.executemany(
            "INSERT OR IGNORE INTO temp.artist_labels (label, artist_id) VALUES (?, ?)",
            ((label, artist) for name, artist in rows if (label := fold(name)) not in _NO_LABELS),
        )
        number = _begin(db.conn, LABEL, f'{{"label_artists": {LABEL_ARTISTS}}}', now())
        db.conn.execute(_SHARED_LABELS, {"most": LABEL_ARTISTS, "derivation": number})
        derivations.finish(db.conn, number, max_page_id=max_page_id, lists_used=None, now=now())
        db.conn.execute("DELETE FROM temp.artist_labels")


def known_artists(connection: sqlite3.Connection) -> dict[str, int]:
    """Give uploaders by folded name, as far as a name is one person's."""
    artists: dict[str, int] = {}
    shared: set[str] = set()
    for number, username in connection.execute(
        """
        SELECT id, username FROM users AS u
        WHERE username IS NOT NULL AND EXISTS (SELECT 1 FROM tracks AS t WHERE t.uploader_id = u.id)
        """
    ):
        name = fold(username)
        if is_name(name) and name not in shared and artists.setdefault(name, number) != number:
            shared.add(name)
            del artists[name]
    return artists


def _begin(connection: sqlite3.Connection, method: str, parameters: str, now: str) -> int:
    number = derivations.begin(connection, method, parameters, None, now, in_order=True)
    connection.execute("DELETE FROM artist_relationships WHERE method = ?", (method,))
    return number
