"""Make a file again from the replies that were kept of it: the same acts in the same order, without a request.

Bodies are parsed again, so that columns which the tables have got since are filled. A stranger may have made the file
of replies: what is no act of ours is refused, and nothing is left behind.

In: a file of replies. Out: a file that appears when it is whole. Never: a request, or the time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harvest.crawler.recorded import check_not_forgetting
from harvest.crawler.sieve import page_of
from harvest.errors import ApiError, NotADatabase, SchemaTooNew, StoreError, Withdrawn, failures_by_name
from harvest.lists import KINDS
from harvest.models import Limits, Page, Task
from harvest.replies.files import beside as replies_of
from harvest.replies.files import damaged
from harvest.replies.recording import Act as Told
from harvest.replies.recording import Recording
from harvest.store import act_kinds, harvests, journal, levels, tables
from harvest.store.acts import Acts, Beginning, put_back
from harvest.store.commit import count_requests
from harvest.store.database import OLDEST_SCHEMA, immediately, open_for_crawl, storage_errors
from harvest.store.frontier import open_list
from harvest.store.placing import check_target, put_in_place
from harvest.store.schema import apply_schema, schema_version
from harvest.system.files import beside, write_through

if TYPE_CHECKING:
    from sqlite_utils import Database

_STATE = act_kinds.NAMES[act_kinds.State]
_ACTS_TOGETHER = 256  # in one transaction, so that a place that many of them touch is written once
# What acts that are none lead to.
_MISLED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, sqlite3.IntegrityError, StoreError)


@dataclass(slots=True)
class Replayed:
    """What was made again: runs and pages. `left_out` pages and failures are of lists that today's rules do not ask
    for, `unreadable` pages are such that today's parser does not read.
    """

    acts: int = 0
    runs: int = 0
    pages: int = 0
    left_out: int = 0
    unreadable: int = 0
    bytes: int = 0


def replay(
    path: Path,
    out: Path,
    *,
    force: bool = False,
    from_version: int | None = None,
    tell: Callable[[Replayed], None] = lambda so_far: None,
) -> Replayed:
    """Make the file again whose replies these are; `tell` hears after every act how far it is.

    `from_version` is the version of the tables that wrote the replies, where what they say of that is not to be
    believed. Raises StoreError.
    """
    with storage_errors(out), Recording.open(path) as recording:
        check_target(out, force=force)
        state = _check_whole(recording, from_version)
        with beside(out) as part:
            begun = _write_state(recording, state, part, from_version)
            db = open_for_crawl(part)
            try:
                done = _play(db, recording, from_version, tell, after=begun)
                if replies_of(out).resolve() == path.resolve():  # made again in its place
                    journal.name_pair(db.conn, recording.facts.pair, done.acts)
                db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                db.conn.close()
            write_through(part)
            done.bytes = part.stat().st_size
            put_in_place(part, out, force=force)
    return done


def _check_whole(recording: Recording, from_version: int | None) -> list[tuple[Told, act_kinds.State]]:
    """Raise StoreError where a file cannot be made again from these replies; give the pieces of the one that stands
    among them, if there is one.
    """
    facts, path = recording.facts, recording.path
    if from_version is not None and not OLDEST_SCHEMA <= from_version <= schema_version():
        newest = schema_version()
        known = f"{newest}" if newest == OLDEST_SCHEMA else f"one of {OLDEST_SCHEMA} to {newest}"
        raise StoreError(
            f"This harvest knows no tables of version {from_version}: leave --from-version out, as what the replies say"
            f" of their version is nearly always right; or give {known}."
        )
    _check_version(path, facts.main_schema, facts.harvest, from_version)
    first = next(recording.acts(with_bodies=False), None)
    if first is None:
        raise StoreError(f"{path} holds no reply yet.")
    state = _state_of(recording)
    if not state and (facts.pages_before or first.detail.get("runs_before")):
        raise StoreError(
            f"{path} begins in the middle: replies of {facts.pages_before:,} pages before it were not kept, so the file"
            " cannot be made again. `harvest simulate --from` can serve what is there."
        )
    return state


def _state_of(recording: Recording) -> list[tuple[Told, act_kinds.State]]:
    """Give the pieces of the file that stands among the acts, the last one where there are several. Raises NotADatabase
    where it is not whole, StoreError where forgetting has not ended.
    """
    pieces: list[tuple[Told, act_kinds.State]] = []
    for told in recording.acts(with_bodies=False):
        check_not_forgetting(told, recording.path)
        if told.what != _STATE:
            continue
        try:
            act = act_kinds.from_detail(told.what, told.detail)
        except ValueError as error:
            raise damaged(recording.path, f"act {told.number} cannot be read ({error})") from error
        assert isinstance(act, act_kinds.State)
        if act.piece == 1:
            pieces = []
        pieces.append((told, act))
    numbers = [act.piece for _, act in pieces]
    if pieces and numbers != list(range(1, pieces[0][1].pieces + 1)):
        raise damaged(recording.path, "the file that stands in it is not whole")
    return pieces


def _write_state(
    recording: Recording, pieces: list[tuple[Told, act_kinds.State]], part: Path, from_version: int | None
) -> int:
    """Write the file that stands among the acts in these pieces; give the number of the last act that it holds, 0 where
    there is none. Raises StoreError.
    """
    if not pieces:
        return 0
    told, act = pieces[-1]
    _check_version(recording.path, act.schema, act.version, from_version)
    with part.open("wb") as file:
        for piece, _ in pieces:
            if piece.body_id is not None:
                file.write(recording.body(piece.body_id))
    return told.number


def _check_state(db: Database, recording: Recording) -> None:
    """Raise NotADatabase where a file that a stranger may have made is damaged, another one, or has other tables, views
    or triggers than ours.
    """
    (sound,) = db.conn.execute("PRAGMA quick_check(1)").fetchone()
    (key,) = db.conn.execute("SELECT key FROM file_key").fetchone()
    if sound != "ok" or key != recording.facts.key:
        raise damaged(recording.path, "the file that stands in it is damaged, or another one")
    if not tables.are_ours(db.conn):
        raise damaged(recording.path, "the tables of the file that stands in it are not ours")


def _check_version(path: Path, version: int, harvest: str, from_version: int | None) -> None:
    if version > schema_version() and from_version is None:
        raise SchemaTooNew(
            f"{path} was kept by a newer harvest ({harvest}, schema {version}; this one knows {schema_version()}):"
            f" upgrade, or take it as older with --from-version {schema_version()}."
        )


def _play(
    db: Database, recording: Recording, from_version: int | None, tell: Callable[[Replayed], None], *, after: int
) -> Replayed:
    """Do the acts after one; the file is there as it was then."""
    # No reader sees the file before it is whole, and what fails is thrown away: nothing is ever taken back.
    db.conn.execute("PRAGMA synchronous = OFF")
    db.conn.execute("PRAGMA journal_mode = OFF").fetchone()
    with immediately(db):
        apply_schema(db)
        if after:
            _check_state(db, recording)
        else:
            db.conn.execute("UPDATE file_key SET key = ?", (recording.facts.key,))
    player = _Player(db, recording.path, from_version)
    if after:
        player.count(after)
    acts = (told for told in recording.acts(with_bodies=False) if told.number > after)
    while together := list(islice(acts, _ACTS_TOGETHER)):
        with immediately(db):
            for told in together:
                _play_one(player, recording, told)
                tell(player.done)
    with immediately(db):  # the crawl is not at work any more
        harvests.take_back(db.conn)
        harvests.pause(db.conn)
    db.conn.execute("PRAGMA journal_mode = WAL").fetchone()
    db.conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # this opens the log, which a checkpoint needs
    if player.emptied:
        levels.cut(db.conn)
    return player.done


def _play_one(player: _Player, recording: Recording, told: Told) -> None:
    """Do an act. Raises NotADatabase where it cannot be done, SchemaTooNew where this harvest is too old for it."""
    if told.body_id is not None:
        told = msgspec.structs.replace(told, body=recording.body(told.body_id))
    try:
        player.play(told)
    except SchemaTooNew:
        raise
    except _MISLED as error:
        raise NotADatabase(
            f"{recording.path} is damaged, or was made by another program: act {told.number:,} cannot be done"
            f" ({error})."
        ) from error
    player.done.acts = told.number


class _Player:
    """Does one act after the other."""

    def __init__(self, db: Database, path: Path, from_version: int | None) -> None:
        self.done = Replayed()
        self._db, self._path, self._from_version = db, path, from_version
        self._run: Acts | None = None
        self._full_profiles = False
        self.emptied = False  # at some run, of what is above its level of profiles

    def count(self, last: int) -> None:
        """Count what the file holds, whose last act is that."""
        self.done.acts = last
        (self.done.runs, self.done.pages) = self._db.conn.execute(
            "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM pages)"
        ).fetchone()

    def play(self, told: Told) -> None:
        """Do an act. Raises ValueError where it is none."""
        act = act_kinds.from_detail(told.what, told.detail)
        match act:
            case act_kinds.Began():
                self._begin(act)
            case act_kinds.Refreshed():
                self._acts.refresh(act.refresh, act.now, room=act.room)
            case act_kinds.Heard():
                self._acts.hear_world(act.world)
            case act_kinds.KeptPage():
                self._keep(act, told.body)
            case act_kinds.Failed():
                self._fail(act)
            case act_kinds.Released():
                self._count(act.tally)
            case act_kinds.Withdrew():
                self._withdraw(act)
            case act_kinds.NextRound():
                self._acts.next_round(act.now, room=act.room, was_read=act.was_read)
            case act_kinds.PutBackEmpty():
                self._acts.put_back_empty(act.kind)
            case act_kinds.TookBack():
                verdicts = set(act.verdicts)
                self._acts.take_back(lambda status, message: (status, message) in verdicts)
            case act_kinds.PutBack():
                with immediately(self._db):
                    put_back(self._db, act.now, failure_class=act.failure, outcomes=act.outcomes, journal=None)
            case act_kinds.Ended():
                with immediately(self._db):
                    self._acts.end(
                        act.now, stop_reason=act.reason, waited_ms=act.waited_ms, tally=act.tally, is_ours=True
                    )
            case _:
                raise ValueError(f"it is {told.what!r}, after which no file follows")

    @property
    def _acts(self) -> Acts:
        if self._run is None:
            raise ValueError("no run has begun")
        return self._run

    def _begin(self, act: act_kinds.Began) -> None:
        _check_version(self._path, act.schema, act.version, self._from_version)
        beginning = Beginning(
            act.now,
            tuple((tuple(addresses), Limits.load(limits)) for addresses, limits in act.harvests),
            act.api_url,
            act.credential_kind,
            options=act.options,
            page_size=act.page_size,
            sweep=act.sweep,
            version=act.version,
        )
        with immediately(self._db):
            self._run = Acts(self._db, beginning)
        self.emptied |= self._run.emptied_content
        self._full_profiles = act.options.get("profiles") == "full"
        self.done.runs += 1

    def _keep(self, act: act_kinds.KeptPage, body: bytes | None) -> None:
        if body is None:
            raise ValueError("it has no body")
        task = self._find(act)
        if task is None or task.page_number != act.number:
            return self._leave_out(act.tally)
        try:
            page = self._parsed(task, act, body)
        except ApiError as error:
            self.done.unreadable += 1
            error.request = error.request or act.request
            self._acts.fail(task, error, act.fetched_at, act.tally)
            return None
        self._acts.keep(task, page, act.tally, body_hash=act.hash, left_out=act.left_out)
        self.done.pages += 1
        return None

    def _parsed(self, task: Task, act: act_kinds.KeptPage, body: bytes) -> Page:
        page = page_of(task, body, act.thing, full_profiles=self._full_profiles)
        return replace(
            page,
            request=act.request,
            skipped=page.skipped - act.left_out,  # nothing stands in their places
            next_cursor=act.next_cursor,
            cursor_time=act.cursor_time,
            fetched_at=act.fetched_at,
            elapsed_ms=act.elapsed_ms,
            size_bytes=act.size,
        )

    def _fail(self, act: act_kinds.Failed) -> None:
        kind = failures_by_name().get(act.failure)
        if kind is None:
            raise ValueError(f"no list fails as {act.failure[:40]!r}")
        task = self._find(act)
        if task is None:
            return self._leave_out(act.tally)
        error = kind(act.message, status=act.status, reply=act.reply)
        error.attempts = act.attempts
        self._acts.fail(task, error, act.now, act.tally)
        return None

    def _withdraw(self, act: act_kinds.Withdrew) -> None:
        rows = [
            self._db.conn.execute(
                "SELECT id, kind, subject_id FROM tasks WHERE kind = ? AND subject_id = ?", (act.kind, subject)
            ).fetchone()
            for subject in act.subjects
        ]
        tasks = [Task(*row) for row in rows if row is not None]
        if not tasks:
            return self._leave_out(act.tally)
        error = Withdrawn(act.message, status=act.status, reply=act.reply)
        self._acts.withdraw(error, tasks, act.now, act.tally, being_read=act.being_read)
        return None

    def _find(self, act: act_kinds.OfList) -> Task | None:
        return open_list(self._db.conn, act.kind, act.subject, act.about) if act.kind in KINDS else None

    def _leave_out(self, tally: act_kinds.Tally) -> None:
        self.done.left_out += 1
        self._count(tally)

    def _count(self, tally: act_kinds.Tally) -> None:
        with immediately(self._db):
            count_requests(self._db.conn, self._acts.run_id, tally)
