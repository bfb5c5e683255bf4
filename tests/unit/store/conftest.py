"""A crawl's books without a crawl."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlite_utils import Database

from harvest.models import Limits, Page, Receipt, SeenAs, Task, Track, User
from harvest.store import harvests, runs
from harvest.store.commit import PageCommitter
from harvest.store.frontier import Frontier

NOW = "2026-11-20T10:00:00Z"
SEED = "https://soundcloud.com/artist/track"


def a_user(id: int, *, seen_as: SeenAs = SeenAs.LIST, **values: object) -> User:
    blank = User(id, *[None] * (len(User._fields) - 2), seen_as)
    return blank._replace(**{"username": f"user {id}", **values})


def a_track(id: int, *, seen_as: SeenAs = SeenAs.LIST, **values: object) -> Track:
    blank = Track(id, *[None] * (len(Track._fields) - 2), seen_as)
    return blank._replace(**{"title": f"track {id}", **values})


def everything(path: Path) -> list[str]:
    """All rows of a file, as SQLite recovers it."""
    copy = path.with_name("copy.db")
    for name in ("", "-wal"):
        source = path.with_name(path.name + name)
        copy.with_name(copy.name + name).unlink(missing_ok=True)
        if source.exists():
            shutil.copy(source, copy.with_name(copy.name + name))
    connection = sqlite3.connect(copy)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


_unique = itertools.count()


def users_page(*ids: int, next_cursor: str | None = None, request: str | None = None, **values: object) -> Page:
    """A page of a list of users, each saying likes_given_count = 1."""
    return Page(
        request=request or f"/page/{next(_unique)}",
        items=ids,
        received=len(ids),
        next_cursor=next_cursor,
        users={i: a_user(i, likes_given_count=1) for i in ids},
        fetched_at=NOW,
        **values,  # type: ignore[arg-type]
    )


def tracks_page(*ids: int, next_cursor: str | None = None, request: str | None = None, **values: object) -> Page:
    """A page of a list of tracks, all uploaded by user 9000."""
    return Page(
        request=request or f"/page/{next(_unique)}",
        items=ids,
        received=len(ids),
        next_cursor=next_cursor,
        tracks={i: a_track(i, uploader_id=9000) for i in ids},
        users={9000: a_user(9000, seen_as=SeenAs.EMBEDDED)} if ids else {},
        fetched_at=NOW,
        **values,  # type: ignore[arg-type]
    )


@dataclass
class Books:
    """A database in which one run is going on."""

    db: Database
    run_id: int
    committer: PageCommitter
    harvest_ids: list[int]
    frontier: Frontier = field(init=False)
    claimed: list[Task] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.frontier = Frontier(self.db.conn)

    def claim(self, kind: str, subject_id: int | None = None) -> Task:
        """Claim on until a list of this kind turns up; the others wait for a claim of their own."""
        while (task := self.frontier.claim()) is not None:
            self.claimed.append(task)
        for task in self.claimed:
            if task.kind == kind and subject_id in (None, task.subject_id):
                self.claimed.remove(task)
                return task
        raise AssertionError(f"no {kind} of {subject_id} to claim")

    def keep(self, task: Task, page: Page) -> Receipt:
        return self.committer.keep(task, page, {200: 1})

    def next_round(self) -> bool:
        """Close the round; say whether there is more to read."""
        with self.db.atomic():
            return harvests.next_round(self.db.conn, self.run_id, NOW)

    def follow(self, *users: int) -> None:
        """Answer the lists of the seed with these people, and go on to them."""
        self.keep(self.claim("track_likers"), users_page(*users))
        self.keep(self.claim("track_reposters"), users_page())
        self.next_round()

    def resolve(self, track_id: int = 1, **values: object) -> None:
        """Answer the look-up of a seed, and begin with the seeds when it was the last."""
        task = self.claim("resolve")
        track = a_track(track_id, seen_as=SeenAs.FULL, uploader_id=9000, **values)
        self.keep(
            task,
            Page(
                request="/tracks/1",
                items=(track_id,),
                received=1,
                thing="track",
                tracks={track_id: track},
                users={9000: a_user(9000, seen_as=SeenAs.FULL)},  # known: nobody is to be looked up
                fetched_at=NOW,
            ),
        )
        if not self.rows("SELECT 1 FROM readings WHERE kind = 'resolve' AND state <> 'ended'"):
            self.next_round()

    def rows(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.db.conn.execute(sql, parameters)]

    def followed(self, harvest_id: int | None = None) -> list[int]:
        """Whom a harvest follows, in the order chosen."""
        return [
            row[0]  # type: ignore[misc]
            for row in self.rows(
                "SELECT thing_id FROM visits WHERE harvest_id = ? AND thing = 'user'"
                " ORDER BY depth, parent_task_id IS NULL, place IS NULL, place",
                harvest_id or self.harvest_ids[0],
            )
        ]


@pytest.fixture
def open_books(db: Database) -> Callable[..., Books]:
    """Begin a run over harvests, given as limits by the addresses of their seeds, with blanks between them."""

    def begin(seeds: dict[str, Limits] | None = None, limits: Limits | None = None) -> Books:
        wanted = seeds or {SEED: limits or Limits()}
        with db.atomic():
            ids = [harvests.enrol(db.conn, url.split(), those, NOW) for url, those in wanted.items()]
            run_id = runs.start_run(db.conn, now=NOW, options={}, api_url="http://test", credential_kind="none")
            harvests.begin(db.conn, ids, NOW)
        return Books(db, run_id, PageCommitter(db, run_id), ids)

    return begin


@pytest.fixture
def books(open_books: Callable[..., Books]) -> Books:
    """A run that knows persons 10 and 11 by the likers of track 1, and has read nothing else."""
    books = open_books()
    books.resolve(1)
    books.keep(books.claim("track_likers", 1), users_page(10, 11))
    return books
