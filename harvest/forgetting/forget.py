"""Forget: one transaction takes it out of the file, then the bytes go, then it is looked for, everywhere.

In: a path, what to forget. Out: what was done, and the proof. Never: a request.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from harvest.errors import StorageFailed
from harvest.forgetting import doomed, kept, people_lists, proof
from harvest.forgetting.erase import erase
from harvest.forgetting.leads import GOES, leads_everywhere
from harvest.forgetting.logs import logs_of, silence
from harvest.forgetting.remembered import remember
from harvest.forgetting.writing import note_erased, opened, write_down
from harvest.store import lease, suppression
from harvest.store.database import check_readable, storage_errors
from harvest.store.handouts import LOG
from harvest.store.suppression import Named
from harvest.system.clock import as_text
from harvest.system.sqlite_busy import fold, rewrite, writing_in
from harvest.things import SHOWN

REPLIES = "replies"  # the place, among columns, of those who are named in kept replies
_MANY = 200  # texts: some of so many stand in longer ones, so the file is written again before it is searched
_THEN = "run this command again"
_HEX = "[0-9a-f]"  # of which the names of unfinished files have eight (system/files.py)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done: how many things and rows went; whether their bytes are gone too, or what holds them; where texts
    that name them still stand, by file, and in which columns others name them; the `replies` that were reached, and the
    lists beside keys of pseudonyms from which people were taken out (`unlisted`).
    """

    things: int
    rows: int
    erased: bool
    texts: int = 0
    found: dict[Path, Counter[str]] = field(default_factory=dict)
    mentions: dict[str, int] = field(default_factory=dict)
    searched: tuple[Path, ...] = ()
    deleted: tuple[Path, ...] = ()
    handed_out: tuple[tuple[str, str, str, str | None], ...] = ()
    replies: Path | None = None
    unlisted: tuple[Path, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing is left but what others have written, in their own words."""
        return not self.found or (bool(self.mentions) and len(self.found) == 1 and self.replies not in self.found)


def would_go(connection: sqlite3.Connection, wanted: Sequence[Named]) -> dict[str, int]:
    """Count the rows that would go, by table; a connection that writes only temporary tables is enough."""
    doomed.doom(connection, wanted)
    found: dict[str, int] = {}
    columns: dict[str, list[str]] = {}
    for lead in leads_everywhere(connection):
        columns.setdefault(lead.table, []).append(f"{lead.column} IN ({doomed.of(lead.thing)})")
    for thing in SHOWN:
        columns[thing.table] = [f"id IN ({doomed.of(thing.name)})"]
    for named in GOES:
        columns.setdefault(named.table, []).append(f"({doomed.beside(named)})")
    for table, conditions in columns.items():
        sql = f"SELECT count(*) FROM {table} AS x WHERE {' OR '.join(conditions)}"  # noqa: S608 - names of the schema
        (n,) = connection.execute(sql).fetchone()
        if n:
            found[table] = int(n)
    return found


def forget_for_good(path: Path, wanted: Sequence[Named], *, now: datetime, logs: Sequence[Path] = ()) -> Forgotten:
    """Forget things, also in the replies that are kept beside the file, and look for them in both, in what stands
    beside them, and in these logs.

    Raises StoreError: CrawlBusy while another process crawls into the file, KeyMissing.
    """
    check_readable(path)
    with storage_errors(path), opened(path) as connection:
        with writing_in(connection):
            lease.check_free(connection, path, then=_THEN)
            replies = kept.find(connection, path)
            key = suppression.key_to_forget_with(connection)
            leads_everywhere(connection)  # raises where a plug-in is missing, before anything is touched
            doomed.doom(connection, wanted)
            texts = doomed.texts(connection)
            things = doomed.things(connection)
            _silence_logs(logs_of(connection, logs), doomed.named(connection), texts)
            rows = erase(connection, texts, as_text(now), key=key)
            write_down(connection, things, rows, as_text(now))
            kept.begin(connection, replies)
        # The names in an earlier forgetting that was not finished are unknown.
        known = (None, None) if _is_unfinished(connection) else (doomed.named(connection), texts)
        # Who is killed from here on has forgotten in the file alone, and both say so: `finish` goes on.
        if replies is not None:
            kept.take_out(connection, path, replies, *known, now=as_text(now))
        remember(connection)
        unlisted = tuple(people_lists.take_out(connection))
        deleted = _drop_copies(path)
        done = Forgotten(
            things,
            rows,
            erased=False,
            texts=sum(map(proof.can_be_found, texts)),
            deleted=deleted,
            replies=replies,
            unlisted=unlisted,
        )
        return _prove(connection, path, texts, logs, replace(done, handed_out=_handed_out(connection)), now)


def finish(path: Path, *, now: datetime) -> Forgotten:
    """End what a forgetting before was kept from: replies that were not reached, bytes that a reader held. Raises
    StoreError.
    """
    check_readable(path)
    with storage_errors(path), opened(path) as connection:
        lease.check_free(connection, path, then=_THEN)
        replies = kept.find(connection, path, to_finish=True)
        if replies is not None:
            forgets = suppression.has_any(connection) and _is_unfinished(connection, but_for=0)
            kept.go_on(connection, path, replies, forgets=forgets, now=as_text(now))
        remember(connection)
        unlisted = tuple(people_lists.take_out(connection)) if suppression.has_any(connection) else ()
        erased = fold(connection) and rewrite(connection) and kept.fold(replies) and note_erased(connection, now)
        return Forgotten(0, 0, erased, handed_out=_handed_out(connection), replies=replies, unlisted=unlisted)


def _silence_logs(logs: Sequence[Path], gone: Iterable[Named], texts: Sequence[str]) -> None:
    """Let our logs say nothing of what goes: first, since its names are unknown once it is gone."""
    if logs:
        is_gone, sought = frozenset(gone).__contains__, proof.pattern_of(texts)
        for log in logs:
            silence(log, is_gone, sought)


def _prove(
    connection: sqlite3.Connection,
    path: Path,
    texts: Sequence[str],
    logs: Sequence[Path],
    done: Forgotten,
    now: datetime,
) -> Forgotten:
    """Fold the logs into the files and look for the texts; where old copies of rows may still hold them, write the file
    again. Replies are looked through as they stand in their file, and in the clear.
    """
    if not (fold(connection) and kept.fold(done.replies)):
        return done
    files = [*proof.files_of(path), *logs_of(connection, logs)]
    sure = len(texts) > _MANY or not all(map(proof.can_be_found, texts)) or _is_unfinished(connection)
    found = {} if sure else proof.search(files, texts)
    if sure or path in found:
        if not rewrite(connection):
            return done
        found = proof.search(files, texts)
    of_others = found.get(path, Counter[str]())  # the rows are gone: this is a picture of many, a name of two
    mentions = proof.mentions(connection, texts) if path in found else {}
    if path in found and not mentions:  # written again: what is left stands in longer words of others
        del found[path]
    found_there, named_there = kept.found_in(done.replies, texts, of_others)
    if done.replies is not None and found_there:
        found.setdefault(done.replies, Counter()).update(found_there)
    if named_there:
        mentions[REPLIES] = named_there
    erased = note_erased(connection, now)
    return replace(done, erased=erased, found=found, mentions=mentions, searched=(*files, *kept.files_of(done.replies)))


def _is_unfinished(connection: sqlite3.Connection, *, but_for: int = 1) -> bool:
    """Say whether something was forgotten whose bytes may still be there, besides the last time."""
    (n,) = connection.execute("SELECT count(*) FROM forgettings WHERE erased_at IS NULL").fetchone()
    return int(n) > but_for


def _drop_copies(path: Path) -> tuple[Path, ...]:
    """Delete the copies that were made of the file before its schema was changed, and what killed processes have left
    of copies beside it: they hold what is forgotten.
    """
    name = proof.glob_safe(path.name)
    copies = sorted([*path.parent.glob(f"{name}.schema-*"), *path.parent.glob(f".{name}.{_HEX * 8}.part*")])
    for copy in copies:
        try:
            copy.unlink()
        except OSError as error:
            raise StorageFailed(f"{copy} holds what is forgotten, and cannot be deleted: {error.strerror}.") from error
    return tuple(copies)


def _handed_out(connection: sqlite3.Connection) -> tuple[tuple[str, str, str, str | None], ...]:
    rows = connection.execute("SELECT at, what, path, hash FROM handouts ORDER BY id").fetchall()
    reached = {(LOG, str(log)) for log in logs_of(connection)}
    reached |= {
        (what, where)
        for _, what, where, _ in rows
        if what == people_lists.HANDED_OUT and people_lists.is_reached(Path(where))
    }
    return tuple((at, what, where, hash_) for at, what, where, hash_ in rows if (what, where) not in reached)
