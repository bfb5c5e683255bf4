"""A harvest with everything in it that can be exported, and what its rows say, read and counted another way."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from harvest.export.choices import ExportChoices, parse_split
from harvest.export.exporter import export
from harvest.models import Limits
from harvest.simulator import World
from tests.crawling import crawl_world, read

WORLD = World(11, users=60, tracks=300, likes_per_user=30, seed_likers=30, seed_reposters=10, null_entries=0.05)
LIMITS = Limits(max_users=32, max_user_likes=25)
NOW = "2026-11-21T12:00:00Z"

HOSTILE = (
    "\"Quoted\" and 'quoted'",
    "tab\there",
    "line\nbreak\r\nand return\ralone",
    "nul\x00 bell\x07 escape\x1b[31m file\x1c next\x85 separator\u2028end",
    "=1+1",
    "  @SUM(A1)",
    "＝wide",
    "\tbegins with a tab",
    "🎧 émoji 音楽 \u202eright to left",
    "a,b;c|d",
    "<b>&amp;</b> ]]>",
    "back\\slash\\n",
    " blanks around ",
    "not a character \ufffe",
    "'=looks done",
)

_RELATED = (
    "INSERT OR IGNORE INTO related_tracks (track_id, related_track_id, method, score, common, rank, derivation_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_SIMILAR = (
    "INSERT INTO user_similarity (user_id, other_user_id, method, score, common, derivation_id)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_ARTISTS = (
    "INSERT INTO artist_relationships (artist_id, other_artist_id, method, score, common, derivation_id)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_UNFOLLOWED = ("not followed", None, None, "not followed", None)
_MOMENT = "'2026-01-01T00:00:00Z'"


def rich_file(path: Path) -> Path:
    """Crawl a small world with capped, short and forbidden lists, and add what a plain crawl leaves empty."""
    crawl_world(path, WORLD, limits=LIMITS)
    connection = sqlite3.connect(path)
    with connection:
        tracks = [row[0] for row in connection.execute("SELECT id FROM tracks ORDER BY id")]
        users = [row[0] for row in connection.execute("SELECT DISTINCT user_id FROM user_engagements ORDER BY 1")]
        for track, title in zip(tracks, HOSTILE, strict=False):
            connection.execute("UPDATE tracks SET title = ?, genre = ? WHERE id = ?", (title, title, track))
            connection.execute("INSERT OR IGNORE INTO tags (name, folded) VALUES (?, ?)", (title, title))
            connection.execute("INSERT INTO track_tags SELECT ?, id FROM tags WHERE name = ?", (track, title))
        for user, name in zip(users, HOSTILE, strict=False):
            connection.execute("UPDATE users SET username = ? WHERE id = ?", (name, user))
        connection.execute("UPDATE tracks SET created_at = '0000-00-00T00:00:00Z' WHERE id = ?", (tracks[0],))
        connection.execute("UPDATE tracks SET uploader_id = NULL WHERE id = ?", (tracks[1],))
        _add_lists(connection, users, tracks)
        _add_scores(connection, users, tracks)
        connection.executemany(
            f"INSERT INTO judgments (track_id, verdict, at) VALUES (?, ?, {_MOMENT})",
            [(tracks[3], "liked"), (tracks[4], "liked"), (tracks[3], "not_quite"), (tracks[4], "none")],
        )
        connection.execute("DELETE FROM changes")  # nothing was read a second time
    connection.close()
    return path


def _add_lists(connection: sqlite3.Connection, users: list[int], tracks: list[int]) -> None:
    """Follows, some of people who like nothing here, and playlists, one of them with a track twice."""
    strangers = [row[0] for row in connection.execute("SELECT id FROM users ORDER BY id DESC LIMIT 30")]
    ends = [(a, b) for a in users[:6] for b in users[3:9] if a != b] + [(users[0], other) for other in strangers]
    connection.executemany(
        "INSERT OR IGNORE INTO user_follows (follower_id, followee_id, first_page_id) VALUES (?, ?, 1)", ends
    )
    for number in (7, 3):
        connection.execute(
            "INSERT INTO playlists (id, title, first_page_id, first_seen_at, last_seen_on)"
            f" VALUES (?, 'list', 1, {_MOMENT}, '2026-01-01')",
            (number,),
        )
        held = [*tracks[number : number + 4], tracks[number]]
        connection.executemany(
            "INSERT INTO playlist_tracks VALUES (?, ?, ?, 1)", [(number, place, t) for place, t in enumerate(held)]
        )


def _add_scores(connection: sqlite3.Connection, users: list[int], tracks: list[int]) -> None:
    """Five derivations: the service's own, of whole lists, of all lists, and two that count no list (see links.py)."""
    for number, (method, parameters) in enumerate(
        (
            ("soundcloud", "{}"),
            ("whole", '{"include_incomplete": false}'),
            ("all", '{"include_incomplete": true}'),
            ("featuring", "{}"),
            ("label", '{"label_artists": 100}'),
        ),
        1,
    ):
        connection.execute(
            f"INSERT INTO derivations (id, method, parameters, made_at) VALUES (?, ?, ?, {_MOMENT})",
            (number, method, parameters),
        )
        score = None if method == "soundcloud" else number / 7
        for rank, (a, b) in enumerate(zip(tracks[:9], tracks[3:12], strict=True)):
            for ends in ((a, b), (b, a)):
                row = (*ends, method, score, 3 + rank, rank, number)
                connection.execute(_RELATED, row)
        if method == "whole":
            connection.executemany(
                "INSERT INTO track_communities VALUES (?, 'leiden_tracks', ?, ?)",
                [(track, place % 3, number) for place, track in enumerate(tracks[:60])],
            )
        if method == "all":
            connection.executemany(
                "INSERT INTO user_communities VALUES (?, 'leiden_people', ?, ?)",
                [(user, place % 2, number) for place, user in enumerate(users[:20])],
            )
        for rank, (a, b) in enumerate(pairwise(users)):
            for ends in ((a, b), (b, a)):
                row = (*ends, method, (rank % 3) / 7, 5, number)
                connection.execute(_SIMILAR, row)
                connection.execute(_ARTISTS, row)


def leave(path: Path, target: Path, **wishes: Any) -> dict[str, Any]:
    """Export as somebody with these wishes would; give the manifest as it was written. Frames stay, also in a split."""
    wishes.setdefault("without_frames", False)
    how = {name: wishes.pop(name) for name in ("key_file", "force", "rows_per_file", "tell") if name in wishes}
    if "split" in wishes:
        wishes["split"] = parse_split(wishes["split"])
    given = export(path, target, ExportChoices(**wishes), now=NOW, **{"tell": lambda *_: None, **how})
    written: dict[str, Any] = json.loads((target / "manifest.json").read_text("utf-8"))
    assert written == given
    return written


class Expected:
    """What an export has to hold, by going through all rows in Python."""

    def __init__(
        self,
        path: Path,
        kinds: Sequence[str] = ("like",),
        *,
        complete: bool = False,
        min_users: int = 0,
        min_items: int = 0,
        kcore: int = 0,
    ) -> None:
        self.path = path
        self.whole = {
            row[0] for row in read(path, "SELECT subject_id FROM tasks WHERE kind='user_likes' AND outcome='complete'")
        }
        self.edges = [
            row
            for row in read(
                path,
                "SELECT user_id, track_id, engagement_type, user_list_rank, track_list_rank FROM user_engagements",
            )
            if row[2] in kinds
        ]
        self.steps = [self._counted(f"kind {','.join(kinds)}")]
        if complete:
            self._keep(lambda users, _: {u for u in users if u in self.whole}, None)
            self.steps.append(self._counted("complete users only"))
        if min_users:
            self._keep(None, lambda _, tracks: {t for t, n in tracks.items() if n >= min_users})
            self.steps.append(self._counted(f"min users {min_users}"))
        if min_items:
            self._keep(lambda users, _: {u for u, n in users.items() if n >= min_items}, None)
            self.steps.append(self._counted(f"min items {min_items}"))
        if kcore:
            before = None
            while before != len(self.edges):
                before = len(self.edges)
                self._keep(
                    lambda users, _: {u for u, n in users.items() if n >= kcore},
                    lambda _, tracks: {t for t, n in tracks.items() if n >= kcore},
                )
            self.steps.append(self._counted(f"kcore {kcore}"))
        self.edges.sort(key=lambda edge: edge[:3])

    def _degrees(self) -> tuple[Counter[int], Counter[int]]:
        pairs = self.pairs
        return Counter(u for u, _ in pairs), Counter(t for _, t in pairs)

    def _keep(self, which_users: Any, which_tracks: Any) -> None:
        users, tracks = self._degrees()
        kept_users = which_users(users, tracks) if which_users else set(users)
        kept_tracks = which_tracks(users, tracks) if which_tracks else set(tracks)
        self.edges = [edge for edge in self.edges if edge[0] in kept_users and edge[1] in kept_tracks]

    def _counted(self, name: str) -> dict[str, Any]:
        users, tracks = self._degrees()
        return {"filter": name, "users": len(users), "items": len(tracks), "interactions": len(self.pairs)}

    @property
    def pairs(self) -> set[tuple[int, int]]:
        return {edge[:2] for edge in self.edges}

    @property
    def users(self) -> list[int]:
        return sorted({edge[0] for edge in self.edges})

    @property
    def tracks(self) -> list[int]:
        return sorted({edge[1] for edge in self.edges})

    @property
    def interactions(self) -> list[tuple[Any, ...]]:
        """The rows of `interactions`."""
        chances = {row[0]: row[1] for row in self.weights}
        lists = {
            (row[0], row[1]): row[2]
            for row in read(self.path, "SELECT subject_id, replace(kind, 'user_', ''), outcome FROM tasks")
        }
        return [
            (
                u,
                t,
                kind,
                1.0,
                mine,
                theirs,
                chances[u],
                lists.get((u, f"{kind}s")),
                lists.get((u, f"{kind}s")) == "capped",
            )
            for u, t, kind, mine, theirs in self.edges
        ]

    @property
    def ordered_pairs(self) -> list[tuple[int, int, float, int | None]]:
        """User, track, rating, negated rank: the like's where there is one."""
        found: dict[tuple[int, int], list[Any]] = {}
        for user, track, _, rank, _ in self.edges:  # likes come first
            entry = found.setdefault((user, track), [0.0, None if rank is None else -rank])
            entry[0] += 1.0
        return [(*pair, *found[pair]) for pair in sorted(found)]

    def in_hash_test(self, seed: int, share: float) -> set[tuple[int, int]]:
        """The pairs that a hash sends to test."""
        return {
            (u, t)
            for u, t in self.pairs
            if int(hashlib.sha1(f"{seed}:{u}:{t}".encode()).hexdigest()[:8], 16) / 2**32 < share
        }

    def in_last_test(self, newest: int) -> set[tuple[int, int]]:
        """The pairs that are the newest of their users."""
        chosen: set[tuple[int, int]] = set()
        for user in self.users:
            mine = [(edge[3], edge[1]) for edge in self.edges if edge[0] == user]
            ranked = sorted(entry for entry in mine if entry[0] is not None)
            if len(mine) > newest and len(ranked) >= newest:
                chosen |= {(user, track) for _, track in ranked[:newest]}
        return chosen

    @property
    def items(self) -> list[tuple[Any, ...]]:
        """The rows of `items`, tags as a tuple, times as the database has them."""
        tags: dict[int, list[str]] = {}
        for track, name in read(
            self.path, "SELECT m.track_id, g.name FROM track_tags m JOIN tags g ON g.id = m.tag_id"
        ):
            tags.setdefault(track, []).append(name)
        here = Counter(track for user, track in self.pairs if user in self.whole)
        rows = read(
            self.path,
            "SELECT t.id, t.title, t.uploader_id, t.genre, t.duration_ms, t.playback_count, t.created_at,"
            " coalesce(t.metadata_artist, u.username), t.permalink_url FROM tracks t"
            " LEFT JOIN users u ON u.id = t.uploader_id ORDER BY t.id",
        )
        kept, frames = set(self.tracks), self.frames
        known = {track: tuple(sorted(names, key=str.encode)) for track, names in tags.items()}
        of = dict(read(self.path, "SELECT track_id, community FROM track_communities"))
        history = dict(read(self.path, "SELECT track_id, verdict FROM judgments ORDER BY id"))  # the last one counts
        verdicts = {track: verdict for track, verdict in history.items() if verdict != "none"}
        return [
            (
                *row[:4],
                known.get(row[0], ()),
                *row[4:6],
                _known(row[6]),
                *row[7:],
                row[0] in frames,
                verdicts.get(row[0]),
                here[row[0]],
                of.get(row[0]),
            )
            for row in rows
            if row[0] in kept
        ]

    @property
    def frames(self) -> set[int]:
        """The seed: nobody was chosen for liking another track."""
        return {row[0] for row in read(self.path, "SELECT seed_id FROM harvests")}

    @property
    def weights(self) -> list[tuple[Any, ...]]:
        """Of each user, id and what `users` says of how they were sampled: the newest were, all around one seed."""
        places = dict(read(self.path, "SELECT thing_id, place FROM visits WHERE thing = 'user'"))
        lists = {
            row[0]: row[1:]
            for row in read(
                self.path, "SELECT subject_id, claimed, collected, outcome FROM tasks WHERE kind = 'user_likes'"
            )
        }
        return [
            (
                user,
                None,
                *(("not drawn by lot", places[user], 1, "newest", "track") if user in places else _UNFOLLOWED),
                *lists.get(user, (None, None))[:2],
                lists.get(user, (None,))[-1] == "capped",
            )
            for user in self.users
        ]

    @property
    def profiles(self) -> list[tuple[Any, ...]]:
        """The rows of `users`; their communities are of lists that are not whole, and stay behind."""
        lists = {
            row[0]: row[1] for row in read(self.path, "SELECT subject_id, outcome FROM lists WHERE kind = 'user_likes'")
        }
        rows = {row[0]: row for row in read(self.path, "SELECT id, followers_count, likes_given_count FROM users")}
        weights = {row[0]: row[1:] for row in self.weights}
        return [
            (*rows[user], user in self.whole, lists.get(user, "not asked"), *weights[user], None) for user in self.users
        ]


def _known(text: str | None) -> str | None:
    try:
        return text if text and datetime.fromisoformat(text) else None
    except ValueError:
        return None
