"""Keep one page with its cursor in one transaction.

In: a claimed Task and its Page, or the error that ended it. Out: a Receipt.
Never: a network call, or a second transaction. Before the commit nothing happened; after it the page is done for ever.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

from harvest.errors import ApiError, Withdrawn
from harvest.lists import KINDS, LOOKUP, RESOLVE, Edge, ListKind
from harvest.models import Outcome, Page, Receipt, Task
from harvest.profiles import USUAL
from harvest.store import (
    doubts,
    edges,
    entities,
    history,
    levels,
    lookups,
    proof,
    readings,
    search,
    seeds,
    telling,
    withdrawals,
)
from harvest.store.act_kinds import Forgets, Released
from harvest.store.edges import Kept
from harvest.store.journal import Journal
from harvest.store.lease import Lease, writing
from harvest.store.outcomes import ListStanding, outcome_of
from harvest.store.suppression import Suppressed
from harvest.store.write_cache import Recent
from harvest.things import THINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

_OUTCOMES = {outcome.failure: outcome for outcome in Outcome if outcome.failure}
_UNSUPPORTED_URN = "unsupported_urn"  # of an entry, not of the list: a list that ends well does not mend it


class PageCommitter:
    """The one writer of pages for the length of a run."""

    def __init__(
        self,
        db: Database,
        run_id: int,
        *,
        canonical: Callable[[str], str] = str,
        lease: Lease | None = None,
        journal: Journal | None = None,
        profiles: str = USUAL,
    ) -> None:
        """`canonical` brings spellings of one request together, so that loops are seen; `profiles` is what is kept.

        Once another process has the `lease`, every write raises CrawlBusy instead. What is written is kept in the
        `journal` first.
        """
        self._db = db
        self._connection: sqlite3.Connection = db.conn
        self._run_id = run_id
        self._lease = lease
        self._journal = journal
        self._canonical = canonical
        self._profiles, self._bare = profiles, profiles == "none"
        self._last_below: int | None = None  # the last run that kept less, once it is needed
        self._users, self._tracks = Recent(), Recent()
        self._key: bytes | None = None  # of the file, once it is needed
        self._suppressed = Suppressed(self._connection)  # nothing is forgotten while we hold the file

    def keep(
        self, task: Task, page: Page, tally: Mapping[int, int], *, body_hash: int | None = None, left_out: int = 0
    ) -> Receipt:
        """Commit a page with everything it brings; `body_hash` is its hash where the body that had it is not there,
        `left_out` counts the items that were left out before, since they were forgotten.
        """
        kind = KINDS[task.kind]
        came = page
        if body_hash is None:
            body_hash = self._hash(page.digest)
        with writing(self._db, self._lease):
            cut = left_out
            page, more = self._suppressed.sift(self._item(kind, task, page), page)
            left_out += more
            if kind is RESOLVE and left_out:
                return self._refuse(task, page, tally)
            doubted = doubts.count(self._connection, kind, task, page)
            if doubted == 1:  # asked again some day, so it goes on where it began
                page = dataclasses.replace(page, next_cursor=None, cursor_time=None)
            kept = edges.choose(self._connection, task, kind.edge, page.items)
            page_id = self._insert_page(
                task, page, kept, body_hash, asked_again=kept.cut or doubted == 1, left_out=left_out
            )
            if kind.own_rows or not self._is_revisit(task, page_id):  # what a plug-in reads of a page may be new
                self._merge(kind, page, kept, page_id)
            if kind.edge is not None:
                edges.write(self._connection, task, kind.edge, kept.fresh, page_id)
                self._notice_who_is_back(kind, kind.edge, task, kept, page_id, page.fetched_at)
            on = self._move_on(task, page, kept, left_out)
            self._update_reading(on, page, doubted, left_out)
            outcome = self._outcome(kind, task, page, kept, on)
            self._end_reading(on, outcome, kind, page)
            if kind is RESOLVE:
                seeds.found(self._connection, task, page)
                if self._bare and page.thing is not None:
                    levels.hide_address(self._connection, page.thing, page.items[0])
            elif kind is LOOKUP:
                self._looked_up(task, page, outcome)
            self._note_unsupported(task, page)
            self._count_requests(tally)
            self._note_page(task, came, body_hash, tally, cut)
        self._users.settle()
        self._tracks.settle()
        return Receipt(on, len(kept.fresh), outcome)

    def _item(self, kind: ListKind, task: Task, page: Page) -> str:
        """Give the kind of the items of a page."""
        if kind is LOOKUP and self._suppressed:
            return lookups.thing_of(self._connection, task.subject_id)
        return page.thing or kind.item

    def _refuse(self, task: Task, page: Page, tally: Mapping[int, int]) -> Receipt:
        """End the look-up of a seed that turns out to be something that was forgotten, keeping nothing of it."""
        kind = KINDS[task.kind]
        nothing = dataclasses.replace(
            page, request="", received=1, skipped=0, next_cursor=None, digest=b"", size_bytes=0, unsupported_urns=()
        )
        self._insert_page(task, nothing, Kept((), (), cut=False), None, asked_again=True, left_out=1)
        on = self._move_on(task, nothing, Kept((), (), cut=False), 1)
        self._update_reading(on, nothing, 0, 1)
        self._end_reading(on, Outcome.FORGOTTEN, kind, nothing)
        seeds.refuse(self._connection, task)
        self._count_requests(tally)
        if self._journal is not None:  # the address stands in the act by which the run began
            self._journal.note(self._connection, Forgets())
        return Receipt(on, 0, Outcome.FORGOTTEN)

    def fail(self, task: Task, error: ApiError, now: str, tally: Mapping[int, int]) -> Outcome:
        """End a list by what went wrong with it, keeping its cursor and the evidence; give the outcome.

        A seed that could not be looked up keeps the reason.
        """
        outcome = _OUTCOMES.get(error.name, Outcome.FAILED)
        kind = KINDS[task.kind]
        with writing(self._db, self._lease):
            self._resolve_failures(task, now)  # what was wrong before is no longer what is wrong
            self._note_failure(task, error, now, error.attempts)
            readings.end(self._connection, task, kind, outcome, now)
            if kind.looks_up:
                self._not_looked_up(task, kind, error, outcome, now)
            self._count_requests(tally)
            if self._journal is not None:
                body = None if self._suppressed else error.body  # it may show what was forgotten
                act = telling.failed(task, error, now, tally, hide=self._journal.without_secret)
                self._journal.note(self._connection, act, body, is_read=False)
        return outcome

    def withdraw(
        self,
        tasks: Collection[Task],
        error: Withdrawn,
        since: str,
        now: str,
        tally: Mapping[int, int],
        *,
        being_read: Collection[int] | None = None,
    ) -> None:
        """End every list of the kind of these by what is wrong with all of them, but for others that are being read.

        `being_read` names the subjects of those that are being read, where that does not stand in the file.
        """
        kind = next(iter(tasks)).kind
        with writing(self._db, self._lease):
            if being_read is None:
                being_read = withdrawals.being_read(self._connection, kind)
            else:
                withdrawals.mark_as_read(self._connection, kind, being_read)
            withdrawals.withdraw(self._connection, tasks, error.status, since, now)
            (known,) = self._connection.execute(
                """
                SELECT min(f.task_id) FROM failures AS f JOIN tasks AS t ON t.id = f.task_id AND t.kind = ?
                WHERE f.class = ? AND f.resolved_at IS NULL
                """,
                (kind, error.name),
            ).fetchone()
            first = next(iter(tasks))
            self._note_failure(first if known is None else dataclasses.replace(first, id=known), error, now, len(tasks))
            self._count_requests(tally)
            if self._journal is not None:
                self._journal.note(self._connection, telling.withdrew(tasks, error, now, tally, being_read))

    def _looked_up(self, task: Task, page: Page, outcome: Outcome | None) -> None:
        """Note what a page of a batch shows, and at its end ask for what it has left out."""
        thing = lookups.thing_of(self._connection, task.subject_id)
        lookups.note_shown(self._connection, task, page.items)
        for thing_id in lookups.gone_before(self._connection, thing, page.items):
            readings.judge(self._connection, thing, thing_id, page.fetched_at)
        history.explain(self._connection, thing, page.items, "withdrawn", page.fetched_at)
        seeds.shown(self._connection, task, thing, page)
        if outcome is not None:
            lookups.supersede(self._connection, task, page.fetched_at)
            seeds.look_up_alone(self._connection, task, lookups.ask_for_the_rest(self._connection, task))

    def _not_looked_up(self, task: Task, kind: ListKind, error: ApiError, outcome: Outcome, now: str) -> None:
        """Note that a thing is not there, or why a seed is not; a refused batch says nothing of those in it."""
        alone: Mapping[int, int] = {}
        if kind is LOOKUP:
            thing, ids = lookups.subjects(self._connection, task.subject_id)
            alone = {} if outcome.retryable else lookups.ask_for_the_rest(self._connection, task)
            seeds.look_up_alone(self._connection, task, alone)
            if len(ids) == 1:
                lookups.supersede(self._connection, task, now)
                readings.judge(self._connection, thing, ids[0], now)
                if outcome is Outcome.GONE:
                    history.explain(self._connection, thing, ids, "gone", now)
        if not alone:
            seeds.not_found(self._connection, task, str(error))

    def release(self, task: Task, tally: Mapping[int, int]) -> None:
        """Give back a list that was taken up and not finished; it goes on from its cursor another time."""
        with writing(self._db, self._lease):
            self._connection.execute(
                "UPDATE readings SET state = 'todo' WHERE task_id = ? AND number = ? AND state = 'doing'",
                (task.id, task.reading),
            )
            self._count_requests(tally)
            if self._journal is not None and tally:
                self._journal.note(self._connection, Released(tally=dict(tally)))

    def _note_page(
        self, task: Task, page: Page, body_hash: int | None, tally: Mapping[int, int], left_out: int
    ) -> None:
        """Keep the page as it came, with its body; where that may not be kept, the file itself is to follow."""
        if self._journal is None:
            return
        if page.body is None:
            self._journal.note(self._connection, Forgets())
            return
        act = telling.kept_page(task, page, body_hash, tally, left_out, hide=self._journal.without_secret)
        self._journal.note(self._connection, act, page.body, body_hash, plain=page.plain)

    def _insert_page(
        self, task: Task, page: Page, kept: Kept, body_hash: int | None, *, asked_again: bool, left_out: int
    ) -> int:
        """Record the page. One that our cap cut is asked again some day, so its own cursor stands, without a time:
        that time would bound the wrong edges.
        """
        cursor = self._connection.execute(
            """
            INSERT INTO pages (task_id, reading, number, run_id, request, asks, next_cursor, cursor_time, first_rank,
                received, skipped, suppressed, kept, fetched_at, elapsed_ms, bytes, body_hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                task.id,
                task.reading,
                task.page_number,
                self._run_id,
                page.request,
                None if asked_again else self._asks(page.request),
                task.cursor if kept.cut else page.next_cursor,
                None if kept.cut else page.cursor_time,
                task.collected,
                page.received,
                page.skipped,
                left_out,
                len(kept.fresh),
                page.fetched_at,
                page.elapsed_ms,
                page.size_bytes,
                body_hash,
            ),
        )
        return int(cursor.lastrowid or 0)

    def _notice_who_is_back(self, kind: ListKind, edge: Edge, task: Task, kept: Kept, page_id: int, now: str) -> None:
        """Note which edges of a first reading had vanished from another list; of a later one, ask about what is called
        gone and is new in the list.
        """
        if not task.reading:
            history.note_returned(self._connection, history.Reread(task, kind, edge, now, page_id), kept.fresh)
        elif kind.item in THINGS:
            gone = lookups.gone_before(self._connection, kind.item, kept.fresh)
            new = edges.new_to(self._connection, edge, task.subject_id, gone) if gone else []
            lookups.ask_again(self._connection, kind.item, new)

    def _hash(self, digest: bytes) -> int | None:
        """Give a number for a body, from its digest under the key of the file; None where there is none."""
        if not digest:
            return None
        if self._key is None:
            (self._key,) = self._connection.execute("SELECT key FROM file_key").fetchone()
        return int.from_bytes(blake2b(digest, digest_size=8, key=self._key).digest(), signed=True)

    def _is_revisit(self, task: Task, page_id: int) -> bool:
        """Say whether a page answers what it answered in the reading before, byte for byte: it says nothing new, unless
        less of it was kept then, or has been emptied since.
        """
        if not task.reading:
            return False
        if self._last_below is None:
            self._last_below = levels.last_below(self._connection, self._profiles)
        row = self._connection.execute(
            """
            SELECT 1 FROM pages AS p
            JOIN pages AS b ON b.task_id = p.task_id AND b.asks = p.asks AND b.body_hash = p.body_hash
            WHERE p.id = ? AND b.reading = (
                SELECT max(e.reading) FROM pages AS e WHERE e.task_id = p.task_id AND e.reading < p.reading
            ) AND b.run_id > ?
            """,
            (page_id, self._last_below),
        ).fetchone()
        return row is not None

    def _merge(self, kind: ListKind, page: Page, kept: Kept, page_id: int) -> None:
        """Write what the page says of users, tracks and the rest; of a cut page only what its kept items need."""
        if kept.cut:
            page = _only(page, kind, set(kept.items))
        sighting = entities.Sighting(page_id, page.fetched_at)
        users = self._users.news(page.users, day=sighting.seen_on)
        tracks = self._tracks.news(page.tracks, day=sighting.seen_on, beside=page.tags)
        if users:
            entities.merge_users(self._connection, users.values(), sighting)
        if tracks:
            entities.merge_tracks(self._connection, tracks.values(), sighting)
            entities.merge_tags(self._connection, {i: tags for i, tags in page.tags.items() if i in tracks}, sighting)
            search.add_new_tracks(self._connection)
        if page.playlists:
            entities.merge_playlists(self._connection, page.playlists.values(), sighting)
        if page.stations:
            entities.merge_stations(self._connection, page.stations.values(), sighting)
        if page.comments:
            entities.merge_comments(self._connection, page.comments.values(), sighting)
        if page.links:
            entities.merge_links(self._connection, page.links.values(), sighting)
        if kind.own_rows:
            entities.merge_own(
                self._connection, kind.name, kind.own_rows, page.own_rows.values(), sighting, bare=self._bare
            )

    def _move_on(self, task: Task, page: Page, kept: Kept, left_out: int) -> Task:
        """Give the list as it stands after the page."""
        return dataclasses.replace(
            task,
            cursor=task.cursor if kept.cut else page.next_cursor,
            page_number=task.page_number + 1,
            barren=0 if kept.fresh or left_out else task.barren + 1,
            collected=task.collected + len(kept.fresh),
        )

    def _outcome(self, kind: ListKind, task: Task, page: Page, kept: Kept, on: Task) -> Outcome | None:
        outcome = outcome_of(
            ListStanding(
                collected=on.collected + self._left_out_of(on),
                claimed=on.claimed,
                cut=kept.cut,
                full=task.cap is not None and on.collected >= task.cap,
                goes_on=page.next_cursor is not None,
                asked_before=page.next_cursor is not None and self._asked_before(task, page.next_cursor),
                barren_pages=on.barren,
                caught_up=task.head and edges.stand_in_order(self._connection, task, kind.edge, page),
                ends_when_empty=kind.by_offset and page.received == 0,
            )
        )
        if outcome is Outcome.COMPLETE and not on.collected and proof.is_emptied(self._connection, task, kind):
            return Outcome.SHORT
        return outcome

    def _asked_before(self, task: Task, next_cursor: str) -> bool:
        """Say whether this reading has asked for that page already, the page just in included."""
        row = self._connection.execute(
            "SELECT 1 FROM pages WHERE task_id = ? AND reading = ? AND asks = ?",
            (task.id, task.reading, self._asks(next_cursor)),
        ).fetchone()
        return row is not None

    def _asks(self, path_and_query: str) -> int:
        """Give a number for what a request asks for, the same for all spellings."""
        return int.from_bytes(blake2b(self._canonical(path_and_query).encode(), digest_size=8).digest(), signed=True)

    def _left_out_of(self, task: Task) -> int:
        """Say how many entries of a reading stand for something that was forgotten."""
        return readings.suppressed_in(self._connection, task) if self._suppressed else 0

    def _update_reading(self, on: Task, page: Page, doubted: int, left_out: int) -> None:
        self._connection.execute(
            """
            UPDATE readings SET state = 'doing', next_cursor = ?, collected = ?, skipped = skipped + ?,
                suppressed = suppressed + ?, pages_read = ?, barren = ?, doubted = ?
            WHERE task_id = ? AND number = ?
            """,
            (
                on.cursor,
                on.collected,
                page.skipped,
                left_out,
                on.page_number,
                on.barren,
                doubted,
                on.id,
                on.reading,
            ),
        )

    def _end_reading(self, on: Task, outcome: Outcome | None, kind: ListKind, page: Page) -> None:
        if outcome:
            readings.end(self._connection, on, kind, outcome, page.fetched_at)
            self._resolve_failures(on, page.fetched_at)

    def _resolve_failures(self, task: Task, now: str) -> None:
        self._connection.execute(
            "UPDATE failures SET resolved_at = ? WHERE task_id = ? AND class <> ? AND resolved_at IS NULL",
            (now, task.id, _UNSUPPORTED_URN),
        )

    def _note_unsupported(self, task: Task, page: Page) -> None:
        for urn in page.unsupported_urns:
            named = f": {urn}" if urn else "."
            error = ApiError(f"An entry has an identifier without a number{named}", request=page.request, status=200)
            self._note_failure(task, error, page.fetched_at, 1, name=_UNSUPPORTED_URN)

    def _note_failure(self, task: Task, error: ApiError, now: str, attempts: int, name: str | None = None) -> None:
        self._connection.execute(
            """
            INSERT INTO failures (task_id, class, status, message, reply, attempts, first_at, last_at, retryable)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (task_id, class, message) DO UPDATE SET
                status = excluded.status, reply = excluded.reply, attempts = attempts + excluded.attempts,
                last_at = excluded.last_at, retryable = excluded.retryable, resolved_at = NULL
            """,
            (
                task.id,
                name or error.name,
                error.status,
                str(error),
                None if self._bare else error.reply[: telling.REPLY_KEPT] or None,
                attempts,
                now,
                now,
                int(error.retryable),
            ),
        )

    def _count_requests(self, tally: Mapping[int, int]) -> None:
        count_requests(self._connection, self._run_id, tally)


def count_requests(connection: sqlite3.Connection, run_id: int, tally: Mapping[int, int]) -> None:
    """Add requests to the run's count, by status."""
    connection.executemany(
        """
        INSERT INTO run_requests (run_id, status, n) VALUES (?, ?, ?)
        ON CONFLICT (run_id, status) DO UPDATE SET n = n + excluded.n
        """,
        [(run_id, status, n) for status, n in tally.items()],
    )


def _only(page: Page, kind: ListKind, items: set[int]) -> Page:
    """Leave of a page only what belongs to these items, the people who made them included."""
    tracks = {i: t for i, t in page.tracks.items() if i in items} if kind.item == "track" else {}
    playlists = {i: p for i, p in page.playlists.items() if i in items} if kind.item == "playlist" else {}
    stations = {i: s for i, s in page.stations.items() if i in items} if kind.item == "station" else page.stations
    comments = {i: c for i, c in page.comments.items() if i in items} if kind.item == "comment" else {}
    made_by = {t.uploader_id for t in tracks.values()} | {p.owner_id for p in playlists.values()}
    people = made_by | {c.user_id for c in comments.values()} | (items if kind.item == "user" else set())
    return dataclasses.replace(
        page,
        tracks=tracks,
        playlists=playlists,
        stations=stations,
        comments=comments,
        links={i: link for i, link in page.links.items() if i in items},
        own_rows={i: row for i, row in page.own_rows.items() if i in items},
        tags={i: t for i, t in page.tags.items() if i in items},
        users={i: u for i, u in page.users.items() if i in people},
    )
