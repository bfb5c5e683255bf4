"""What a run writes into its file, act by act. Each act is one transaction, and none is written into a file that
another process has taken over.

In: what happened, and when. Out: the file as it is after that. Never: a request, or a look at the clock. So the same
acts, in the same order, make the same file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from harvest._version import __version__
from harvest.api.cursors import canonical
from harvest.errors import ApiError, Withdrawn
from harvest.models import Limits, Outcome, Page, Receipt, Task
from harvest.profiles import USUAL
from harvest.store import (
    doubts,
    harvests,
    history,
    levels,
    lookups,
    readings,
    refreshes,
    runs,
    standstill,
    sweeps,
    withdrawals,
)
from harvest.store.act_kinds import (
    Act,
    Began,
    Ended,
    Forgets,
    Heard,
    NextRound,
    PutBack,
    PutBackEmpty,
    Refreshed,
    TookBack,
)
from harvest.store.commit import PageCommitter
from harvest.store.journal import Journal
from harvest.store.lease import Lease, writing
from harvest.store.refreshes import Refresh
from harvest.store.schema import schema_version
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

    def __init__(
        self,
        db: Database,
        beginning: Beginning,
        *,
        lease: Lease | None = None,
        keep: Callable[[sqlite3.Connection], Journal] | None = None,
    ) -> None:
        """Begin the run, inside the caller's transaction: enrol its harvests and let them go on.

        With `keep`, which opens the journal, this and every further act is kept there. Raises StoreError when the file
        holds another service's data, or the journal cannot be opened.
        """
        self._db, self._lease, self._beginning = db, lease, beginning
        now = beginning.now
        (self.runs_before,) = db.conn.execute("SELECT count(*) FROM runs").fetchone()
        profiles = str(beginning.options.get("profiles", USUAL))
        self.emptied_content = levels.keep_to(db.conn, profiles)  # the bytes are to be seen to: `levels.cut`
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
        self.journal: Journal | None = None
        if keep is not None:
            self.journal = keep(db.conn)
            self._note(self._began())
            if self.emptied_content and self.journal.has_state():
                self._note(Forgets(before=""))  # the file as it was holds it still: it is to follow again
        self._pages = PageCommitter(
            db, self.run_id, canonical=canonical, lease=lease, journal=self.journal, profiles=profiles
        )

    def hear_world(self, world: str) -> None:
        """Keep which world answers; raise StoreError when the file holds another one's data."""
        with writing(self._db, self._lease):
            runs.hear_world(self._db.conn, self.run_id, world)
            self._note(Heard(world=world))

    def refresh(self, refresh: Refresh | None, now: str, *, room: int | None) -> None:
        """Begin a refresh, or go on with the one that was stopped, with `room` for so many requests. What has stood
        still too long to go on is begun again, whether a refresh is asked for or not.
        """
        with writing(self._db, self._lease):
            begun, stood_still = standstill.begin_anew(self._db.conn, now)
            if (wanted := refresh or stood_still) is not None:
                refreshes.begin(self._db.conn, wanted, now, room=room)
            if begun or wanted is not None:
                self._note(Refreshed(now=now, refresh=refresh, room=room))

    def keep(
        self, task: Task, page: Page, tally: Mapping[int, int], *, body_hash: int | None = None, left_out: int = 0
    ) -> Receipt:
        """Keep a page with everything it brings; `body_hash` is its hash where the body that had it is not there,
        `left_out` counts the items that were left out before, since they were forgotten.
        """
        return self._pages.keep(task, page, tally, body_hash=body_hash, left_out=left_out)

    def fail(self, task: Task, error: ApiError, now: str, tally: Mapping[int, int]) -> Outcome:
        """End a list by what went wrong with it; give the outcome."""
        return self._pages.fail(task, error, now, tally)

    def release(self, task: Task, tally: Mapping[int, int]) -> None:
        """Give back a list that was taken up and not finished."""
        self._pages.release(task, tally)

    def withdraw(
        self,
        error: Withdrawn,
        tasks: Collection[Task],
        now: str,
        tally: Mapping[int, int],
        *,
        being_read: Collection[int] | None = None,
    ) -> None:
        """End every list of the kind of these by what is wrong with all of them, but for others that are being read.

        `being_read` names the subjects of those that are being read, where that does not stand in the file.
        """
        self._withdrawn.update(task.kind for task in tasks)
        self._pages.withdraw(tasks, error, self._beginning.now, now, tally, being_read=being_read)

    def next_round(self, now: str, *, room: int | None, was_read: bool | None = None) -> bool:
        """Choose what is read next, now that nothing is read any more; say whether there is anything.

        A refresh has `room` for so many requests, None for any number. `was_read` says whether some list was marked as
        being read, where that does not stand in the file: nothing is drained then, even if another run marked it.
        """
        with writing(self._db, self._lease):
            put_back = harvests.take_back(self._db.conn) > 0
            was_read = put_back if was_read is None else was_read
            more = was_read or self._choose(now, room)
            self._note(NextRound(now=now, room=room, was_read=was_read))
        return more

    def _choose(self, now: str, room: int | None) -> bool:
        connection = self._db.conn
        on = harvests.next_round(connection, self.run_id, now)
        withdrawals.end_open(connection, self._withdrawn, now)
        if on or readings.confirm(connection, now) or history.ask_why(connection, now):
            return True
        if refreshes.go_on(connection, now, page_size=self._beginning.page_size, room=room):
            return True
        if self._beginning.sweep is not None:
            # Again and again: what is looked up shows others, such as the artist of a track.
            sweeps.ask(connection, self._beginning.sweep, datetime.fromisoformat(self._beginning.now))
        return lookups.are_open(connection)

    def emptied(self) -> list[doubts.Emptied]:
        """Count how lists came back in this run, for every kind of which lengths are claimed."""
        return doubts.emptied(self._db.conn, self._newest_page)

    def put_back_empty(self, kind: str) -> int:
        """Put every list of a kind back that was empty in this run; give how many."""
        with writing(self._db, self._lease):
            lists = doubts.put_back(self._db.conn, kind, self._newest_page)
            self._note(PutBackEmpty(kind=kind))
        return lists

    def take_back(self, of_the_app: Callable[[int, str], bool]) -> None:
        """Put lists back that were called forbidden because the app is refused, as status and message tell."""
        verdicts: dict[tuple[int, str], bool] = {}

        def ask(status: int, message: str) -> bool:
            return verdicts.setdefault((status, message), of_the_app(status, message))

        with writing(self._db, self._lease):
            harvests.take_back_verdicts(self._db.conn, ask)
            self._note(TookBack(verdicts=[said for said, is_of_the_app in verdicts.items() if is_of_the_app]))

    def end(self, now: str, *, stop_reason: str, waited_ms: int, tally: Mapping[int, int], is_ours: bool) -> None:
        """Close the books, inside the caller's transaction. The harvests are paused and the act is kept only while the
        file `is_ours`: another process that has the file keeps its own acts.
        """
        if is_ours:
            harvests.pause(self._db.conn)
        runs.end_run(self._db.conn, self.run_id, now=now, stop_reason=stop_reason, waited_ms=waited_ms, tally=tally)
        if is_ours:
            self._note(Ended(now=now, reason=stop_reason, waited_ms=waited_ms, tally=dict(tally)))

    def _note(self, act: Act) -> None:
        if self.journal is not None:
            self.journal.note(self._db.conn, act)

    def _began(self) -> Began:
        begun, journal = self._beginning, self.journal
        assert journal is not None
        return Began(
            now=begun.now,
            version=begun.version,
            schema=schema_version(),
            runs_before=self.runs_before,
            api_url=begun.api_url,
            credential_kind=begun.credential_kind,
            harvests=[
                ([journal.without_secret(address) for address in addresses], limits.dump())
                for addresses, limits in begun.harvests
            ],
            options=dict(begun.options),
            page_size=begun.page_size,
            sweep=begun.sweep,
        )


def put_back(
    db: Database, now: str, *, failure_class: str | None, outcomes: Sequence[str], journal: Journal | None
) -> int:
    """Put lists back between two runs, inside the caller's transaction, as `harvests.put_back` does; give how many."""
    lists = harvests.put_back(db.conn, now, failure_class=failure_class, outcomes=outcomes)
    if journal is not None:
        journal.note(db.conn, PutBack(now=now, failure=failure_class, outcomes=list(outcomes)))
    return lists
