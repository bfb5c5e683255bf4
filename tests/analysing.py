"""Write small files of likes by hand, and say by plain sets what an analysis of them must find."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from harvest.analysis.methods import Choices
from harvest.analysis.run import Analysis, analyse
from harvest.store.database import open_for_crawl
from harvest.system.clock import SystemClock
from tests.booking import add_harvest
from tests.unused import unused

_DAY = "2026-01-01T00:00:00Z"
Pair = tuple[int, int]


class LikesFile:
    """A harvest file that is filled like by like, and closed at the end of a `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(unused())
        self._connection = open_for_crawl(path).conn
        self._connection.execute("PRAGMA synchronous = OFF")
        self.write(
            [
                (
                    "INSERT INTO runs (id, started_at, version, api_url, credential_kind) VALUES (1, ?, '0', 'x', 'x')",
                    (_DAY,),
                ),
            ]
        )
        add_harvest(self._connection, 1, track_likers=20_000, user_likes=500)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def write(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> None:
        self._connection.execute("BEGIN")
        for sql, parameters in statements:
            self._connection.execute(sql, parameters)
        self._connection.execute("COMMIT")

    def read(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()

    def likes(self, user: int, tracks: Sequence[int], *, outcome: str = "complete", newer: bool = False) -> None:
        """Let a list be read (on): these tracks behind those that are there, or before them."""
        known = {row[0] for row in self.read("SELECT track_id FROM user_engagements WHERE user_id = ?", user)}
        fresh = [track for track in dict.fromkeys(tracks) if track not in known]
        first, last = self.read(
            "SELECT coalesce(min(user_list_rank), 0), coalesce(max(user_list_rank) + 1, 0) FROM user_engagements"
            " WHERE user_id = ?",
            user,
        )[0]
        start = first - len(fresh) if newer else last
        task = self._task("user_likes", user)
        self.write(
            [
                *(self._track(track) for track in fresh),
                *self._page(task, outcome, len(fresh)),
                *(
                    (
                        "INSERT INTO user_engagements VALUES (?, ?, 'like', ?, NULL, (SELECT max(id) FROM pages))",
                        (user, track, rank),
                    )
                    for rank, track in enumerate(fresh, start=start)
                ),
            ]
        )

    def frame(self, track: int) -> None:
        """Say that people were chosen for liking this track."""
        self.write([self._track(track)])
        task = self._task("track_likers", track)
        self.write(self._page(task, "complete", 0))

    def counted(self, track: int, likes: int | None) -> None:
        """Let the service say how many like a track; a page brings it."""
        self.write(self._page(self._task("track_reposters", 999_999, wanted=False), "complete", 0))
        self.write(
            [
                self._track(track),
                (
                    "UPDATE tracks SET likes_count = ?, counts_page_id = (SELECT max(id) FROM pages) WHERE id = ?",
                    (likes, track),
                ),
            ]
        )

    def listed(self, user: int, track: int) -> None:
        """Let a track's own list bring a like that does not stand in the user's list."""
        self.write([self._user(user), self._track(track)])
        task = self._task("track_likers", track)
        self.write(
            [
                *self._page(task, "complete", 1),
                (
                    "INSERT OR IGNORE INTO user_engagements"
                    " VALUES (?, ?, 'like', NULL, 0, (SELECT max(id) FROM pages))",
                    (user, track),
                ),
            ]
        )

    def forget(self, user: int) -> None:
        """Take a user's likes out."""
        self.write(
            [
                ("DELETE FROM user_engagements WHERE user_id = ?", (user,)),
                (
                    "UPDATE tasks SET outcome = 'gone', collected = 0 WHERE kind = 'user_likes' AND subject_id = ?",
                    (user,),
                ),
            ]
        )
        self.write(self._page(self._task("track_reposters", 999_999, wanted=False), "complete", 0))

    def title(self, track: int, title: str, *, artist: int, label: str | None = None) -> None:
        self.write(
            [
                self._track(track),
                self._user(artist),
                (
                    "UPDATE tracks SET title = ?, uploader_id = ?, label_name = ? WHERE id = ?",
                    (title, artist, label, track),
                ),
            ]
        )

    def name(self, user: int, name: str) -> None:
        self.write([self._user(user), ("UPDATE users SET username = ? WHERE id = ?", (name, user))])

    def _task(self, kind: str, subject: int, *, wanted: bool = True) -> int:
        self.write(
            [
                *([self._user(subject)] if kind == "user_likes" else []),
                ("INSERT OR IGNORE INTO tasks (kind, subject_id) VALUES (?, ?)", (kind, subject)),
            ]
        )
        ((task,),) = self.read("SELECT id FROM tasks WHERE kind = ? AND subject_id = ?", kind, subject)
        self.write([("INSERT OR IGNORE INTO readings (task_id, number, kind) VALUES (?, 0, ?)", (task, kind))])
        if wanted:
            thing, number = ("user", 1) if kind == "user_likes" else ("track", 0)
            self.write(
                [
                    (
                        "INSERT OR IGNORE INTO visits (harvest_id, thing, thing_id, round, depth)"
                        " VALUES (1, ?, ?, ?, ?)",
                        (thing, subject, number, number),
                    )
                ]
            )
        return int(task)

    def _page(self, task: int, outcome: str, kept: int) -> list[tuple[str, Sequence[Any]]]:
        return [
            (
                "UPDATE readings SET state = 'ended', outcome = ?, collected = collected + ?,"
                " pages_read = pages_read + 1 WHERE task_id = ?",
                (outcome, kept, task),
            ),
            (
                "UPDATE tasks SET (outcome, collected, pages_read) ="
                " (SELECT outcome, collected, pages_read FROM readings WHERE task_id = id) WHERE id = ?",
                (task,),
            ),
            (
                "INSERT INTO pages (task_id, reading, number, run_id, request, first_rank, received, skipped, kept,"
                " fetched_at, elapsed_ms, bytes) SELECT ?, 0, coalesce(max(number) + 1, 0), 1, '', 0, 0, 0, 0, ?, 0, 0"
                " FROM pages WHERE task_id = ?",
                (task, _DAY, task),
            ),
        ]

    def _user(self, user: int) -> tuple[str, Sequence[Any]]:
        return (
            "INSERT OR IGNORE INTO users (id, username, seen_as, first_seen_at, last_seen_on)"
            " VALUES (?, 'user ' || ?1, 'list', ?, ?)",
            (user, _DAY, _DAY[:10]),
        )

    def _track(self, track: int) -> tuple[str, Sequence[Any]]:
        return (
            "INSERT OR IGNORE INTO tracks (id, title, seen_as, first_seen_at, last_seen_on)"
            " VALUES (?, 'track ' || ?1, 'list', ?, ?)",
            (track, _DAY, _DAY[:10]),
        )

    def analysed(self, *methods: str, choices: Choices | None = None, fresh: bool = False, **more: Any) -> Analysis:
        """Analyse it."""
        return analyse(
            self.path, methods, choices or Choices(), clock=SystemClock(), memory_mb=512, fresh=fresh, **more
        )

    def pairs(self, method: str) -> dict[Pair, tuple[Any, ...]]:
        """Give what stands in the tables: (one, other) -> (common, score, rank, basis) or (common, score)."""
        rows = self.read(
            "SELECT track_id, related_track_id, common, score, rank, basis FROM related_tracks WHERE method = ?"
            " UNION ALL SELECT user_id, other_user_id, common, score, NULL, NULL FROM user_similarity WHERE method = ?"
            " UNION ALL SELECT artist_id, other_artist_id, common, score, NULL, NULL FROM artist_relationships"
            " WHERE method = ?",
            *[method] * 3,
        )
        return {(row[0], row[1]): tuple(value for value in row[2:] if value is not None) for row in rows}


def counting_likes(file: LikesFile, choices: Choices) -> tuple[dict[int, set[int]], int]:
    """Give what counts of whom, and how many people were asked."""
    whole = {"complete", "short"}
    asked = [
        user
        for user, outcome, collected in file.read(
            "SELECT subject_id, outcome, collected FROM tasks WHERE kind = 'user_likes'"
        )
        if outcome in whole or (choices.include_incomplete and collected)
    ]
    likes: dict[int, set[int]] = {}
    for user in asked:
        ranked = file.read(
            "SELECT user_list_rank, track_id FROM user_engagements"
            " WHERE user_id = ? AND engagement_type = 'like' AND user_list_rank IS NOT NULL",
            user,
        )
        if ranked:
            likes[user] = {track for _, track in sorted(ranked)[: choices.newest]}
    return likes, len(asked)


def expected_related(file: LikesFile, measure: str, choices: Choices) -> dict[Pair, tuple[Any, ...]]:
    """Say by brute force what related_tracks must hold."""
    likes, people = counting_likes(file, choices)
    likers: dict[int, set[int]] = {}
    for user, tracks in likes.items():
        for track in tracks:
            likers.setdefault(track, set()).add(user)
    frames = _frames(file)
    counted = dict(file.read("SELECT id, likes_count FROM tracks"))
    result: dict[Pair, tuple[Any, ...]] = {}
    for one, mine in likers.items():
        near = []
        for other, theirs in likers.items():
            common = len(mine & theirs)
            if other == one or common < choices.min_common:
                continue
            if one in frames:
                if measure in ("lift", "npmi") or not counted[one] or not counted[other]:
                    continue
                both = common / len(mine) * counted[one]
                if other in frames:
                    both = math.sqrt(both * (common / len(theirs) * counted[other]))
                both = min(both, counted[one], counted[other])
                score, basis = brute_score(measure, both, counted[one], counted[other], people), "service"
            elif other in frames or (measure == "npmi" and common == people):
                continue
            else:
                score, basis = brute_score(measure, common, len(mine), len(theirs), people), "sample"
            near.append((-score, other, common, basis))
        for rank, (minus, other, common, basis) in enumerate(sorted(near)[: choices.neighbours]):
            result[one, other] = (common, -minus, rank, basis)
    return result


def expected_similar(file: LikesFile, measure: str, choices: Choices) -> dict[Pair, tuple[Any, ...]]:
    """Say by brute force what user_similarity must hold."""
    likes, people = counting_likes(file, choices)
    frames = _frames(file)
    return _nearest({user: tracks - frames for user, tracks in likes.items()}, measure, choices, people)


def expected_artists(file: LikesFile, at_least: int, choices: Choices) -> dict[Pair, tuple[Any, ...]]:
    """Say by brute force which artists have likers, or fans, in common."""
    likes, people = counting_likes(file, choices)
    frames = _frames(file)
    uploader = dict(file.read("SELECT id, uploader_id FROM tracks WHERE uploader_id IS NOT NULL"))
    fans: dict[int, set[int]] = {}
    for user, tracks in likes.items():
        theirs = [uploader[track] for track in tracks - frames if track in uploader]
        for artist in set(theirs):
            if theirs.count(artist) >= at_least:
                fans.setdefault(artist, set()).add(user)
    return _nearest(fans, "cosine", choices, people)


def _nearest(sets: dict[int, set[int]], measure: str, choices: Choices, people: int) -> dict[Pair, tuple[Any, ...]]:
    near: dict[int, list[tuple[float, int, int]]] = {}
    for one, other in combinations(sets, 2):
        common = len(sets[one] & sets[other])
        if common >= choices.min_common:
            score = brute_score(measure, common, len(sets[one]), len(sets[other]), people)
            near.setdefault(one, []).append((-score, other, common))
            near.setdefault(other, []).append((-score, one, common))
    return {
        (one, other): (common, -minus)
        for one, found in near.items()
        for minus, other, common in sorted(found)[: choices.neighbours]
    }


def _frames(file: LikesFile) -> set[int]:
    if not file.read("SELECT 1 FROM tasks WHERE kind = 'user_likes'"):
        return set()
    return {row[0] for row in file.read("SELECT thing_id FROM visits WHERE thing = 'track'")}


def brute_score(measure: str, common: float, one: int, other: int, people: int) -> float:
    """Write the formulas a second time."""
    value = {
        "cosine": lambda: common / math.sqrt(one * other),
        "jaccard": lambda: common / (one + other - common),
        "lift": lambda: common * people / (one * other),
        "npmi": lambda: math.log(common * people / (one * other)) / -math.log(common / people),
    }[measure]()
    return round(value * 1e12) / 1e12
