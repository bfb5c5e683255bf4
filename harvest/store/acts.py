"""What a run writes into its file, act by act. Each act is one transaction, and writes nothing into a file that has
become somebody else's.

In: what happened, and when. Out: the file as it is after that. Never: a request, or a look at the clock. So the same
acts, in the same order, make the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from harvest._version import __version__
from harvest.api.cursors import canonical
from harvest.errors import ApiError, Withdrawn
from harvest.models import Limits, Outcome, Page, Receipt, Task
from harvest.store import doubts, harvests, history, lookups, readings, refreshes, runs, sweeps, withdrawals
from harvest.store.commit import PageCommitter
from harvest.store.lease import Lease, writing
from harvest.store.refreshes import Refresh
from harvest.store.sweeps import Sweep

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Beginning:
    """With what a run begins: harvests as (addresses, limits), the conditions it asks under, and what it looks up
    when they are done. `options` are those that are stored with the run.
    """

    now: str
    harvests: tuple[tuple[tuple[str, ...], Limits], ...]
    api_url: str
    credential_kind: str
    options: Mapping[str, object] = field(default_factory=dict)
    page_size: int = 200
    sweep: Sweep | None = None
    version: str = __version__


class Acts:
    """The acts of one run."""

    def __init__(self, db: Database, beginning: Beginning, *, lease: Lease | None = None) -> None:
        """Begin the run, inside the caller's transaction: enrol its harvests and let them go on.

        Raises StoreError when the file holds another service's data.
        """
        self._db, self._lease, self._beginning = db, lease, beginning
        now = beginning.now
        ids = [harvests.enrol(db.conn, addresses, limits, now) for addresses, limits in beginning.harvests]
        self.run_id = runs.start_run(
            db.conn,
            now=now,
            options=beginning.options,
            api_url=beginning.api_url,
            credential_kind=beginning.credential_kind,
            version=beginning.version,
        )
        harvests.begin(db.conn, ids, now)
        (self._newest_page,) = db.conn.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()
        self._withdrawn: set[str] = set()  # kinds of lists, in this run; another one asks again
        self._pages = PageCommitter(db, self.run_id, canonical=canonical, lease=lease)

    def hear_world(self, world: str) -> None:
        """Keep which world answers; raise StoreError when the file holds another one's data."""
        with writing(self._db, self._lease):
            runs.hear_world(self._db.conn, self.run_id, world)

    def refresh(self, refresh: Refresh, now: str, *, room: int | None) -> None:
        """Begin a refresh, or go on with the one that was stopped, with `room` for so many requests."""
        with writing(self._db, self._lease):
            refreshes.begin(self._db.conn, refresh, now, room=room)

    def keep(self, task: Task, page: Page, tally: Mapping[int, int]) -> Receipt:
        """Keep a page with everything it brings."""
        return self._pages.keep(task, page, tally)

    def fail(self, task: Task, error: ApiError, now: str, tally: Mapping[int, int]) -> Outcome:
        """End a list by what went wrong with it; give the outcome."""
        return self._pages.fail(task, error, now, tally)

    def release(self, task: Task, tally: Mapping[int, int]) -> None:
        """Give back a list that was taken up and not finished."""
        self._pages.release(task, tally)

    def withdraw(self, error: Withdrawn, tasks: Collection[Task], now: str, tally: Mapping[int, int]) -> None:
        """End every list of the kind of these, that nobody else reads just now, by what is wrong with all of them."""
        self._withdrawn.update(task.kind for task in tasks)
        self._pages.withdraw(tasks, error, self._beginning.now, now, tally)

    def next_round(self, now: str, *, room: int | None) -> bool:
        """Choose what is read next, now that nothing is read any more; say whether there is anything.

        A refresh has `room` for so many requests, None for any number.
        """
        db = self._db
        with writing(db, self._lease):
            if harvests.take_back(db.conn):  # nothing is drained while a list is marked, whoever marked it
                return True
            on = harvests.next_round(db.conn, self.run_id, now)
            withdrawals.end_open(db.conn, self._withdrawn, now)
            if on or readings.confirm(db.conn, now) or history.ask_why(db.conn, now):
                return True
            if refreshes.go_on(db.conn, now, page_size=self._beginning.page_size, room=room):
                return True
            if self._beginning.sweep is not None:
                # Again and again: what is looked up shows others, such as the artist of a track.
                sweeps.ask(db.conn, self._beginning.sweep, datetime.fromisoformat(self._beginning.now))
            return lookups.are_open(db.conn)

    def emptied(self) -> list[doubts.Emptied]:
        """Count how lists came back in this run, for every kind of which lengths are claimed."""
        return doubts.emptied(self._db.conn, self._newest_page)

    def put_back_empty(self, kind: str) -> int:
        """Put every list of a kind back that was empty in this run; give how many."""
        with writing(self._db, self._lease):
            return doubts.put_back(self._db.conn, kind, self._newest_page)

    def take_back(self, of_the_app: Callable[[int, str], bool]) -> None:
        """Put lists back that were called forbidden because the app is refused, as status and message tell."""
        with writing(self._db, self._lease):
            harvests.take_back_verdicts(self._db.conn, of_the_app)

    def end(self, now: str, *, stop_reason: str, waited_ms: int, tally: Mapping[int, int], is_ours: bool) -> None:
        """Close the books, inside the caller's transaction; the harvests only if the file `is_ours` still."""
        if is_ours:
            harvests.pause(self._db.conn)
        runs.end_run(self._db.conn, self.run_id, now=now, stop_reason=stop_reason, waited_ms=waited_ms, tally=tally)
