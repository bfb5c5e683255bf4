"""One crawl from start to finish: enrol the harvests, hold the lease, run the engine, close the books.

In: a path, seeds with their options, a client. Out: why it stopped; the file. Never: a word to the user.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from harvest.client.budget import Budget
from harvest.client.client import Client
from harvest.crawler.engine import MAX_IN_FLIGHT, Engine, Hooks, Witness
from harvest.crawler.judge import Docket, Judge
from harvest.crawler.progress import CrawlProgress, Teller
from harvest.crawler.room import Room
from harvest.crawler.sieve import Sieve, whole
from harvest.forgetting.forget import finish
from harvest.forgetting.purge import purge
from harvest.models import Limits, Task
from harvest.replies.files import kept_of
from harvest.store import absent, journal, levels, runs, suppression
from harvest.store.acts import Acts, Beginning
from harvest.store.acts import put_back as put_lists_back
from harvest.store.database import (
    FileGuard,
    back_up_before_migrating,
    fold_wal,
    immediately,
    open_for_crawl,
    storage_errors,
)
from harvest.store.frontier import Frontier, answered_before, other_answered, refused_before, withdrawn_before
from harvest.store.lease import HEARTBEAT_SECONDS, WATCH_SECONDS, Lease, check_free
from harvest.store.refreshes import Refresh
from harvest.store.schema import apply_schema
from harvest.store.sweeps import Sweep
from harvest.store.visited import Visited, visited
from harvest.system.clock import Clock, as_text
from harvest.system.installed import OURS, packages

if TYPE_CHECKING:
    from sqlite_utils import Database

Harvests = Sequence[tuple[Sequence[str], Limits]]  # the addresses each starts from, and its options


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which conditions a crawl runs; nothing here changes what is collected. With `keep_replies` every reply is
    kept beside the file. What was last shown more than `retain` seconds ago is purged in the end; None: nothing.
    """

    api_url: str
    credential_kind: str
    options: Mapping[str, object] = field(default_factory=dict)
    max_in_flight: int = MAX_IN_FLIGHT
    page_size: int = 200
    keep_replies: bool = False
    retain: float | None = None


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
    with storage_errors(path), Lease(path) as lease, contextlib.ExitStack() as stack:
        back_up_before_migrating(path)
        db = open_for_crawl(path)
        stack.callback(db.conn.close)
        await _watch(db, lease, clock)
        acts = _begin(db, path, lease, wanted, conditions, clock, sweep)
        if acts.emptied_content:
            _erase(db, path, replies_stay=acts.journal is None)
        guards, room = [FileGuard(path)], Room(path)
        if acts.journal is not None:
            stack.enter_context(acts.journal)
            acts.journal.cut_people(at_full_profiles=_full_profiles(conditions), emptied=acts.emptied_content)
            guards.append(acts.journal.guard)
            room.grows_with(acts.journal.path)
            client.carry_bodies()
        budget = budget or Budget()
        budget.count_before(*runs.spent(db.conn))
        acts.refresh(refresh, as_text(clock.now()), room=budget.requests_left)
        engine = _engine(db, lease, acts, client, conditions, witness, clock, budget, on_visited)

        def progressed(progress: CrawlProgress) -> None:
            _check(guards)
            if (lacking := room.shortage(progress.standing)) is not None:
                structlog.get_logger().warning("disk.small", **lacking.words)
            if on_progress is not None:
                on_progress(progress)

        teller = Teller(db.conn, acts.run_id, client, clock, page_size=conditions.page_size, on_progress=progressed)
        client.on_world(acts.hear_world)
        client.on_doubt(lambda task: other_answered(db.conn, task))
        on_start(engine)
        stop_reason = "failed"
        try:
            stop_reason = await engine.run(teller.go_on)
            _check(guards)  # since the last look
        except Exception as error:
            stop_reason = type(error).__name__
            raise
        finally:
            await client.settle()
            last = _end(db, lease, acts, stop_reason, client, clock, teller)
            if last is not None and on_progress is not None:
                on_progress(last)
        fold_wal(db.conn)
    if acts.journal is not None and acts.journal.is_unfinished:
        _say_what_is_left(finish(path, now=clock.now()).erased)
    if conditions.retain is not None:
        _purge(path, conditions.retain, clock)
    return stop_reason


def _purge(path: Path, older_than: float, clock: Clock) -> None:
    """Purge what is older than the file is to hold, and say how much that was."""
    done = purge(path, older_than, now=clock.now())
    log = structlog.get_logger()
    if done.lists or done.things:
        log.info("file.purged", lists=done.lists, things=done.things, rows=done.rows)
    _say_what_is_left(done.erased)


def _say_what_is_left(erased: bool) -> None:
    if not erased:
        structlog.get_logger().warning(
            "file.not_yet_erased", why="somebody reads the file", then="harvest forget --finish"
        )


def put_back(
    path: Path, now: datetime, *, failure_class: str | None, outcomes: Sequence[str], keep_replies: bool
) -> int:
    """Put lists back between two runs, as `harvests.put_back` does; give how many. Raises StoreError."""
    with storage_errors(path), contextlib.ExitStack() as stack:
        db = open_for_crawl(path)
        stack.callback(db.conn.close)
        with immediately(db):
            check_free(db.conn, path)
            absent.check(db.conn)
            kept = stack.enter_context(journal.go_on(db.conn, path)) if keep_replies else None
            if not keep_replies:
                journal.keep_no_more(db.conn)
            return put_lists_back(db, as_text(now), failure_class=failure_class, outcomes=outcomes, journal=kept)


def _full_profiles(conditions: Conditions) -> bool:
    return conditions.options.get("profiles") == "full"


def _erase(db: Database, path: Path, *, replies_stay: bool) -> None:
    """See to the bytes of what was emptied, and say where they still stand."""
    log = structlog.get_logger()
    if not levels.cut(db.conn):
        log.warning("profiles.not_yet_erased", why="another program reads the file; the next crawl ends it")
    if replies_stay and (replies := kept_of(path)).exists():
        log.warning("profiles.replies_stay", why="replies kept before hold what was emptied", file=str(replies))


def _check(guards: Iterable[FileGuard]) -> None:
    for guard in guards:
        if (gone := guard.trouble()) is not None:
            raise gone


async def _watch(db: Database, lease: Lease, clock: Clock) -> None:
    """Wait until it is known whether a process elsewhere, whose clock tells nothing, is still at work."""
    told = False
    for seconds in lease.watch(db.conn, clock.now()):
        if not told:
            structlog.get_logger().warning(
                "lease.watched", why="another machine or container held the file", seconds=WATCH_SECONDS
            )
            told = True
        await clock.sleep(seconds)


def _begin(
    db: Database,
    path: Path,
    lease: Lease,
    wanted: Harvests,
    conditions: Conditions,
    clock: Clock,
    sweep: Sweep | None,
) -> Acts:
    """Do everything that precedes the first request, in one transaction; give what writes from then on."""
    now = clock.now()
    plugins = {name: one.version for one in packages() for name in one.points.get(OURS, {})}
    beginning = Beginning(
        as_text(now),
        tuple((tuple(addresses), limits) for addresses, limits in wanted),
        conditions.api_url,
        conditions.credential_kind,
        options={**conditions.options, "plugins": plugins} if plugins else conditions.options,
        page_size=conditions.page_size,
        sweep=sweep,
    )
    full_profiles = _full_profiles(conditions)

    def keep(connection: sqlite3.Connection) -> journal.Journal:
        return journal.keep(connection, path, full_profiles=full_profiles, service=conditions.api_url)

    with immediately(db):
        apply_schema(db)
        absent.check(db.conn)
        lease.take(db.conn, now)
        was_kept = not conditions.keep_replies and journal.keep_no_more(db.conn)
        acts = Acts(db, beginning, lease=lease, keep=keep if conditions.keep_replies else None)
    if was_kept:
        structlog.get_logger().warning("replies.end", why="replies are kept no more; those kept so far stay")
    if acts.journal is not None and acts.journal.is_new and acts.runs_before:
        why = "replies of earlier runs were not kept: `harvest replay` cannot make this file again"
        structlog.get_logger().warning("replies.partial", why=why, file=str(acts.journal.path))
    return acts


def _engine(
    db: Database,
    lease: Lease,
    acts: Acts,
    client: Client,
    conditions: Conditions,
    witness: Witness,
    clock: Clock,
    budget: Budget,
    on_visited: Callable[[Visited], None] | None,
) -> Engine:
    def list_ended(task: Task) -> None:
        if on_visited is not None and (read := visited(db.conn, task.kind, task.subject_id)) is not None:
            on_visited(read)

    sieve = Sieve(db.conn, full_profiles=_full_profiles(conditions)) if suppression.has_any(db.conn) else None
    docket = Docket(
        answered_before=lambda kind, most: answered_before(db.conn, kind, most),
        emptied=acts.emptied,
        put_back_empty=acts.put_back_empty,
        withdraw=lambda error, tasks: acts.withdraw(error, tasks, as_text(clock.now()), client.take_tally()),
        take_back=acts.take_back,
        refused_before=lambda: refused_before(db.conn),
        withdrawn_before=lambda: withdrawn_before(db.conn),
    )
    return Engine(
        frontier=Frontier(db.conn, page_size=conditions.page_size, lease=lease),
        client=client,
        acts=acts,
        hooks=Hooks(
            next_round=lambda: acts.next_round(as_text(clock.now()), room=budget.requests_left),
            heartbeat=lambda: lease.renew(db.conn, clock.now()),
            heartbeat_seconds=HEARTBEAT_SECONDS,
            list_ended=list_ended,
            sift=sieve or whole,
            sift_error=sieve.cut_error if sieve else lambda error: None,
        ),
        judge=Judge(client, docket),
        witness=witness,
        clock=clock,
        max_in_flight=conditions.max_in_flight,
        budget=budget,
    )


def _end(
    db: Database, lease: Lease, acts: Acts, stop_reason: str, client: Client, clock: Clock, teller: Teller
) -> CrawlProgress | None:
    """Close the books; give how it ended, or None when another process has the file by now."""
    last = None
    with immediately(db):
        is_ours = lease.give_back(db.conn)  # else another process goes on with these very harvests
        if is_ours:
            last = teller.last_word()
        acts.end(
            as_text(clock.now()),
            stop_reason=stop_reason,
            waited_ms=round(client.waited_seconds * 1000),
            tally=client.take_tally(),
            is_ours=is_ours,
        )
    return last
