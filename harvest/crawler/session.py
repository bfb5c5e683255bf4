"""One crawl from start to finish: enrol the harvests, hold the lease, run the engine, close the books.

In: a path, seeds with their options, a client. Out: why it stopped; the file. Never: a word to the user.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from harvest.api.cursors import canonical
from harvest.client.budget import Budget
from harvest.client.client import Client
from harvest.crawler.engine import MAX_IN_FLIGHT, Engine, Hooks, Witness
from harvest.crawler.judge import Docket, Judge
from harvest.crawler.progress import CrawlProgress, Teller
from harvest.crawler.room import Room
from harvest.errors import Withdrawn
from harvest.models import Limits, Task
from harvest.store import doubts, harvests, history, lookups, readings, refreshes, runs, sweeps, withdrawals
from harvest.store.commit import PageCommitter
from harvest.store.database import (
    FileGuard,
    apply_schema,
    back_up_before_migrating,
    fold_wal,
    immediately,
    open_for_crawl,
    storage_errors,
)
from harvest.store.frontier import Frontier, answered_before, other_answered, refused_before
from harvest.store.lease import HEARTBEAT_SECONDS, WATCH_SECONDS, Lease
from harvest.store.refreshes import Refresh
from harvest.store.sweeps import Sweep
from harvest.store.visited import Visited, visited
from harvest.system.clock import Clock, as_text

if TYPE_CHECKING:
    from sqlite_utils import Database

Harvests = Sequence[tuple[Sequence[str], Limits]]  # the addresses each starts from, and its options


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which conditions a crawl runs; nothing here changes what is collected."""

    api_url: str
    credential_kind: str
    options: Mapping[str, object] = field(default_factory=dict)
    max_in_flight: int = MAX_IN_FLIGHT
    page_size: int = 200


async def crawl(
    path: Path,
    wanted: Harvests,
    *,
    client: Client,
    conditions: Conditions,
    witness: Witness,
    clock: Clock,
    on_start: Callable[[Engine], None] = lambda engine: None,
    budget: Budget | None = None,
    on_progress: Callable[[CrawlProgress], None] | None = None,
    sweep: Sweep | None = None,
    refresh: Refresh | None = None,
    on_visited: Callable[[Visited], None] | None = None,
) -> str:
    """Crawl into a file until done or stopped; give 'drained', 'interrupted' or the bound that was met.

    `sweep` says what is looked up after them, `refresh` what is read again; one that was stopped goes on. `budget` is
    the one that the client asks as well. `on_start` gets the engine, so that a signal can stop it; `on_progress`
    hears every second how it goes, `on_visited` of each thing all whose lists have ended. Raises HarvestError; whatever
    happens, what was committed stays and the harvests can be resumed.
    """
    with storage_errors(path), Lease(path) as lease:
        back_up_before_migrating(path)
        db = open_for_crawl(path)
        try:
            await _watch(db, lease, clock)
            run_id = _begin(db, lease, wanted, conditions, clock)
            budget = budget or Budget()
            budget.count_before(*runs.spent(db.conn))
            if refresh is not None:
                with immediately(db):
                    lease.check(db.conn)
                    refreshes.begin(db.conn, refresh, as_text(clock.now()), room=budget.requests_left)
            engine = _engine(db, lease, run_id, client, conditions, witness, clock, budget, sweep, on_visited)
            guard, room = FileGuard(path), Room(path)

            def progressed(progress: CrawlProgress) -> None:
                if (gone := guard.trouble()) is not None:
                    raise gone
                if (lacking := room.shortage(progress.standing)) is not None:
                    structlog.get_logger().warning("disk.small", **lacking.words)
                if on_progress is not None:
                    on_progress(progress)

            teller = Teller(db.conn, run_id, client, clock, page_size=conditions.page_size, on_progress=progressed)
            client.on_world(lambda world: runs.hear_world(db, run_id, world))
            client.on_doubt(lambda task: other_answered(db.conn, task))
            on_start(engine)
            stop_reason = "failed"
            try:
                stop_reason = await engine.run(teller.go_on)
                if (gone := guard.trouble()) is not None:  # since the last look
                    raise gone
            except Exception as error:
                stop_reason = type(error).__name__
                raise
            finally:
                await client.settle()
                last = _end(db, lease, run_id, stop_reason, client, clock, teller)
                if last is not None and on_progress is not None:
                    on_progress(last)
            fold_wal(db.conn)
            return stop_reason
        finally:
            db.conn.close()


async def _watch(db: Database, lease: Lease, clock: Clock) -> None:
    """Wait until it is known whether somebody elsewhere, by whose clock nothing can be told, is still at work."""
    told = False
    for seconds in lease.watch(db.conn, clock.now()):
        if not told:
            structlog.get_logger().warning(
                "lease.watched", why="another machine or container held the file", seconds=WATCH_SECONDS
            )
            told = True
        await clock.sleep(seconds)


def _begin(db: Database, lease: Lease, wanted: Harvests, conditions: Conditions, clock: Clock) -> int:
    """Do everything that precedes the first request, in one transaction; give the run's id."""
    now = clock.now()
    with immediately(db):
        apply_schema(db)
        lease.take(db.conn, now)
        ids = [harvests.enrol(db.conn, addresses, limits, as_text(now)) for addresses, limits in wanted]
        run_id = runs.start_run(
            db.conn,
            now=as_text(now),
            options=conditions.options,
            api_url=conditions.api_url,
            credential_kind=conditions.credential_kind,
        )
        harvests.begin(db.conn, ids, as_text(now))
    return run_id


def _engine(
    db: Database,
    lease: Lease,
    run_id: int,
    client: Client,
    conditions: Conditions,
    witness: Witness,
    clock: Clock,
    budget: Budget,
    sweep: Sweep | None,
    on_visited: Callable[[Visited], None] | None,
) -> Engine:
    began = clock.now()

    def list_ended(task: Task) -> None:
        if on_visited is not None and (read := visited(db.conn, task.kind, task.subject_id)) is not None:
            on_visited(read)

    def next_round() -> bool:
        with immediately(db):
            lease.check(db.conn)
            if harvests.take_back(db.conn):  # nothing is drained while a list is marked, whoever marked it
                return True
            now = as_text(clock.now())
            on = harvests.next_round(db.conn, run_id, now)
            withdrawals.end_open(db.conn, withdrawn, now)
            if on or readings.confirm(db.conn, now) or history.ask_why(db.conn, now):
                return True
            if refreshes.go_on(db.conn, now, page_size=conditions.page_size, room=budget.requests_left):
                return True
            if sweep is not None:  # again and again: what is looked up shows others, such as the artist of a track
                sweeps.ask(db.conn, sweep, began)
            return lookups.are_open(db.conn)

    def put_back_empty(kind: str) -> int:
        with immediately(db):
            lease.check(db.conn)
            return doubts.put_back(db.conn, kind, since)

    def take_back(of_the_app: Callable[[int, str], bool]) -> None:
        with immediately(db):
            lease.check(db.conn)
            harvests.take_back_verdicts(db.conn, of_the_app)

    def withdraw(error: Withdrawn, tasks: Collection[Task]) -> None:
        withdrawn.update(task.kind for task in tasks)
        committer.withdraw(tasks, error, started, as_text(clock.now()), client.take_tally())

    withdrawn: set[str] = set()  # in this run; another one asks again
    started = as_text(clock.now())
    committer = PageCommitter(db, run_id, canonical=canonical, lease=lease)
    (since,) = db.conn.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()
    docket = Docket(
        answered_before=lambda kind, most: answered_before(db.conn, kind, most),
        emptied=lambda: doubts.emptied(db.conn, since),
        put_back_empty=put_back_empty,
        withdraw=withdraw,
        take_back=take_back,
        refused_before=lambda: refused_before(db.conn),
    )
    return Engine(
        frontier=Frontier(db.conn, page_size=conditions.page_size, lease=lease),
        client=client,
        committer=committer,
        hooks=Hooks(
            next_round=next_round,
            heartbeat=lambda: lease.renew(db.conn, clock.now()),
            heartbeat_seconds=HEARTBEAT_SECONDS,
            list_ended=list_ended,
        ),
        judge=Judge(client, docket),
        witness=witness,
        clock=clock,
        max_in_flight=conditions.max_in_flight,
        budget=budget,
    )


def _end(
    db: Database, lease: Lease, run_id: int, stop_reason: str, client: Client, clock: Clock, teller: Teller
) -> CrawlProgress | None:
    """Close the books; give how it ended, or None when the file is somebody else's by now."""
    last = None
    with immediately(db):
        if lease.give_back(db.conn):  # else somebody else goes on with these very harvests
            last = teller.last_word()
            harvests.pause(db.conn)
        runs.end_run(
            db.conn,
            run_id,
            now=as_text(clock.now()),
            stop_reason=stop_reason,
            waited_ms=round(client.waited_seconds * 1000),
            tally=client.take_tally(),
        )
    return last
