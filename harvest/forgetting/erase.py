"""Take what is doomed out of the file, within the caller's transaction.

Rows that lead to it go, and its own. What the ledger needs in its place stays, under a number that says nothing: its
visits and lists, with the pages, whose requests and cursors are emptied, since other rows name them as their origin.
Ranks and places of what remains keep their holes. Numbers made of what is forgotten keep it out from now on.

In: `temp.doomed` (doomed.py). Out: a count of rows. Never: a commit of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator

from harvest.forgetting import doomed
from harvest.forgetting.doomed import beside, of
from harvest.forgetting.leads import GOES, is_of_things, leads_everywhere
from harvest.forgetting.proof import pattern_of
from harvest.lists import KINDS, LOOKUP, RESOLVE, STORED, ListKind
from harvest.models import Outcome
from harvest.store import suppression
from harvest.store.edges import of_type
from harvest.things import SHOWN, THINGS

_FORGOTTEN = "forgotten"  # what stands in a failure for what was said
_EMPTIED = "request = '', asks = NULL, next_cursor = NULL, cursor_time = NULL, body_hash = NULL"


def erase(
    connection: sqlite3.Connection,
    texts: Collection[str],
    now: str,
    *,
    key: bytes | None,
    outcome: Outcome = Outcome.FORGOTTEN,
) -> int:
    """Erase what is doomed; `texts` are those that lead to it. Give how many rows were deleted.

    Its lists end with the `outcome`; with a `key` it never comes back.
    """
    for kind in KINDS.values():
        _note_losses(connection, kind)
    _empty_changes(connection)
    rows = sum(_delete_named_beside(connection))
    _empty_lookups(connection, outcome)
    _empty_seeds(connection)
    _empty_lists(connection, now, outcome)
    _number_visits(connection)
    _empty_failures(connection, texts)
    _take_out_of_search(connection)
    tags = _tags_of_doomed(connection)
    for lead in leads_everywhere(connection):
        if not is_of_things(lead.table):
            rows += connection.execute(
                f"DELETE FROM {STORED.get(lead.table, lead.table)} WHERE {lead.column} IN ({of(lead.thing)})"  # noqa: S608 - names of the schema
            ).rowcount
    for thing in SHOWN:
        rows += connection.execute(f"DELETE FROM {thing.table} WHERE id IN ({of(thing.name)})").rowcount  # noqa: S608
    _drop_tags(connection, tags)
    _make_stale(connection)
    if key is not None:
        _suppress(connection, key)
    connection.execute("INSERT INTO track_search (track_search) VALUES ('optimize')")  # else the index keeps old words
    return rows


def _note_losses(connection: sqlite3.Connection, kind: ListKind) -> None:
    """Let every list of a kind, and its reading, know how much of it goes."""
    edge = kind.edge
    if edge is None:
        return
    other, thing = (edge.leads, edge.leads_to) if edge.leads else (edge.item, kind.item)
    if thing not in THINGS:
        return
    for table in (edge.table, edge.past):
        if table:
            lost = f"""
                SELECT t.id AS task_id, t.reading AS number, l.n FROM (
                    SELECT e.{edge.subject} AS subject_id, count(*) AS n FROM {table} AS e
                    WHERE e.{other} IN ({of(thing)}) {of_type(edge, "e.")} AND +e.{edge.rank} IS NOT NULL
                    GROUP BY e.{edge.subject}
                ) AS l
                CROSS JOIN tasks AS t ON t.kind = '{kind.name}' AND t.subject_id = l.subject_id
            """  # noqa: S608 - built from our own declarations
            _lose(connection, lost, is_past=table != edge.table)
    waiting = f"""
        SELECT i.task_id, i.reading AS number, count(*) AS n FROM reading_items AS i
        CROSS JOIN tasks AS t ON t.id = i.task_id AND t.kind = '{kind.name}'
        WHERE i.item_id IN ({of(kind.item)}) GROUP BY i.task_id, i.reading
    """  # noqa: S608 - built from our own declarations
    _lose(connection, waiting, is_past=True)


def _lose(connection: sqlite3.Connection, lost: str, *, is_past: bool) -> None:
    """Count what the query says is lost, of each reading; lists count what is past no longer."""
    connection.execute("DROP TABLE IF EXISTS temp.lost")
    connection.execute(
        """
        CREATE TEMP TABLE lost (task_id INTEGER, number INTEGER, n INTEGER, PRIMARY KEY (task_id, number)) WITHOUT ROWID
        """
    )
    connection.execute(f"INSERT INTO temp.lost (task_id, number, n) {lost}")
    # Not UPDATE FROM: SQLite would go through all lists for each that loses something.
    connection.execute(
        """
        UPDATE readings SET forgotten = forgotten + (
            SELECT l.n FROM temp.lost AS l WHERE l.task_id = readings.task_id AND l.number = readings.number
        )
        WHERE (task_id, number) IN (SELECT l.task_id, l.number FROM temp.lost AS l)
        """
    )
    if not is_past:
        connection.execute(
            """
            UPDATE tasks SET collected = collected - (SELECT l.n FROM temp.lost AS l WHERE l.task_id = tasks.id)
            WHERE id IN (SELECT l.task_id FROM temp.lost AS l)
            """
        )


def _empty_changes(connection: sqlite3.Connection) -> None:
    """Empty the changes that speak of what goes, and take it out of the orders of playlists."""
    cases = []
    by_table: dict[str, list[str]] = {}
    for lead in leads_everywhere(connection):
        by_table.setdefault(lead.table, []).append(f"ids ->> '{lead.column}' IN ({of(lead.thing)})")
    for thing in SHOWN:
        by_table.setdefault(thing.table, []).append(f"ids ->> 'id' IN ({of(thing.name)})")
    by_table.setdefault("comments", []).append(f"ids ->> 'id' IN ({of('comment')})")
    for kind in KINDS.values():
        if kind.own_rows:
            by_table.setdefault(kind.name, []).append(f"ids ->> 'id' IN ({of(kind.item)})")
    by_table["search_results"] = ["(ids ->> 'thing', ids ->> 'thing_id') IN (SELECT thing, id FROM temp.doomed)"]
    for table, conditions in by_table.items():
        cases.append(f"WHEN '{table}' THEN {' OR '.join(conditions)}")
    connection.execute(
        f"""
        UPDATE changes SET what = 'forgotten', ids = '{{}}', old = NULL, new = NULL, reason = NULL
        WHERE CASE "table" {" ".join(cases)} ELSE 0 END
        """  # noqa: S608 - names of the schema
    )
    gone = {row[0] for row in connection.execute(of("track"))}
    if not gone:
        return
    rows = connection.execute("SELECT version, old, new FROM changes WHERE what = 'edited'").fetchall()
    for version, *orders in rows:
        lists = [json.loads(order) for order in orders]
        left = [[one for one in order if one not in gone] for order in lists]
        if left != lists:
            connection.execute(
                "UPDATE changes SET old = ?, new = ? WHERE version = ?",
                (*(json.dumps(order, separators=(",", ":")) for order in left), version),
            )


def _delete_named_beside(connection: sqlite3.Connection) -> Iterator[int]:
    """Delete the rows that name what goes by its kind and id."""
    for named in GOES:
        yield connection.execute(f"DELETE FROM {named.table} AS x WHERE {beside(named)}").rowcount  # noqa: S608


def _empty_lookups(connection: sqlite3.Connection, outcome: Outcome) -> None:
    """Take what goes out of the batches it was looked up in, or is to be."""
    in_batches = """
        SELECT i.batch_id FROM temp.doomed AS d
        CROSS JOIN batch_items AS i ON i.thing_id = d.id
        CROSS JOIN batches AS b ON b.id = i.batch_id AND b.thing = d.thing
    """
    of_batches = f"SELECT t.id FROM tasks AS t WHERE t.kind = '{LOOKUP.name}' AND t.subject_id IN ({in_batches})"  # noqa: S608
    _empty_what_was_asked(connection, of_batches)
    connection.execute(  # of what is still to be asked for, only others; a batch of none ends
        f"""
        DELETE FROM batch_items AS x
        WHERE (x.batch_id, x.thing_id) IN (
            SELECT i.batch_id, i.thing_id FROM temp.doomed AS d
            CROSS JOIN batch_items AS i ON i.thing_id = d.id
            CROSS JOIN batches AS b ON b.id = i.batch_id AND b.thing = d.thing
            CROSS JOIN tasks AS t ON t.kind = '{LOOKUP.name}' AND t.subject_id = b.id
            CROSS JOIN readings AS r ON r.task_id = t.id AND r.state <> 'ended'
        ) AND EXISTS (
            SELECT 1 FROM batch_items AS o CROSS JOIN batches AS b ON b.id = o.batch_id
            WHERE o.batch_id = x.batch_id AND (b.thing, o.thing_id) NOT IN (SELECT d.thing, d.id FROM temp.doomed AS d)
        )
        """  # noqa: S608 - our own text
    )
    connection.execute(
        """
        UPDATE batch_items SET thing_id = (
            SELECT d.number FROM batches AS b CROSS JOIN temp.doomed AS d ON d.thing = b.thing
            WHERE b.id = batch_items.batch_id AND d.id = batch_items.thing_id
        )
        WHERE (batch_id, thing_id) IN (
            SELECT i.batch_id, i.thing_id FROM temp.doomed AS d
            CROSS JOIN batch_items AS i ON i.thing_id = d.id
            CROSS JOIN batches AS b ON b.id = i.batch_id AND b.thing = d.thing
        )
        """
    )
    ended = f"""
        SELECT r.task_id FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        WHERE r.state <> 'ended' AND r.kind = '{LOOKUP.name}'
            AND NOT EXISTS (SELECT 1 FROM batch_items AS i WHERE i.batch_id = t.subject_id AND i.thing_id > 0)
    """  # noqa: S608 - our own text
    for (task_id,) in connection.execute(ended).fetchall():
        connection.execute(
            "UPDATE readings SET state = 'ended', outcome = ?2, ended_at = coalesce(ended_at, claimed_at, '')"
            " WHERE task_id = ?1 AND state <> 'ended'",
            (task_id, outcome),
        )
        connection.execute(
            """
            UPDATE tasks SET outcome = ?2, collected = r.collected, pages_read = r.pages_read
            FROM readings AS r WHERE r.task_id = ?1 AND r.number = tasks.reading AND tasks.id = ?1
            """,
            (task_id, outcome),
        )


def _empty_seeds(connection: sqlite3.Connection) -> None:
    """Empty seeds and what the harvests of a single seed show of it; they stay, and nothing is asked of them again."""
    doomed = "SELECT s.id FROM seeds AS s WHERE (s.thing, s.thing_id) IN (SELECT d.thing, d.id FROM temp.doomed AS d)"
    looked_up = f"SELECT t.id FROM tasks AS t WHERE t.kind = '{RESOLVE.name}' AND t.subject_id IN ({doomed})"  # noqa: S608
    _empty_what_was_asked(connection, looked_up)
    connection.execute(
        f"""
        UPDATE harvests SET seed_url = 'forgotten:' || s.seed_id FROM harvest_seeds AS s
        WHERE s.harvest_id = harvests.id AND harvests.seed_url IS NOT NULL AND s.seed_id IN ({doomed})
        """  # noqa: S608 - our own text
    )
    connection.execute(
        """
        UPDATE harvests SET seed_id = (
            SELECT d.number FROM temp.doomed AS d WHERE d.thing = harvests.seed_kind AND d.id = harvests.seed_id
        )
        WHERE (seed_kind, seed_id) IN (SELECT d.thing, d.id FROM temp.doomed AS d)
        """
    )
    connection.execute(
        f"""
        UPDATE seeds SET address = 'forgotten:' || id, aliases = '[]', reason = NULL, thing_id = (
            SELECT d.number FROM temp.doomed AS d WHERE d.thing = seeds.thing AND d.id = seeds.thing_id
        )
        WHERE id IN ({doomed})
        """  # noqa: S608 - our own text
    )


def _empty_what_was_asked(connection: sqlite3.Connection, tasks: str) -> None:
    """Empty the requests, cursors and failures of the tasks that a query gives; what they brought of others stays."""
    connection.execute(f"UPDATE pages SET {_EMPTIED} WHERE task_id IN ({tasks})")  # noqa: S608 - our own text
    connection.execute(f"UPDATE readings SET next_cursor = NULL WHERE task_id IN ({tasks})")  # noqa: S608 - likewise
    connection.execute(
        f"UPDATE OR REPLACE failures SET message = '{_FORGOTTEN}', reply = NULL WHERE task_id IN ({tasks})"  # noqa: S608
    )


def _empty_lists(connection: sqlite3.Connection, now: str, outcome: Outcome) -> None:
    """Empty the lists of what goes. They end; the pages stay, for other rows came with them."""
    connection.execute("DROP TABLE IF EXISTS temp.its_lists")
    connection.execute("CREATE TEMP TABLE its_lists (task_id INTEGER PRIMARY KEY, number INTEGER)")
    connection.execute(
        """
        INSERT INTO temp.its_lists
        SELECT t.id, d.number FROM temp.doomed AS d
        CROSS JOIN list_kinds AS k ON k.subject = d.thing
        CROSS JOIN tasks AS t ON t.kind = k.kind AND t.subject_id = d.id
        """
    )
    its = "SELECT l.task_id FROM temp.its_lists AS l"
    connection.execute(f"DELETE FROM reading_items WHERE task_id IN ({its})")  # noqa: S608 - our own text
    connection.execute(f"DELETE FROM failures WHERE task_id IN ({its})")  # noqa: S608 - likewise
    connection.execute(f"UPDATE pages SET {_EMPTIED} WHERE task_id IN ({its})")  # noqa: S608 - likewise
    connection.execute(
        f"""
        UPDATE readings SET state = 'ended', outcome = ?1, ended_at = coalesce(ended_at, ?2), next_cursor = NULL,
            claimed = NULL, claimed_at = NULL, forgotten = collected, doubted = 0, unproven = 0
        WHERE task_id IN ({its})
        """,  # noqa: S608 - our own text
        (outcome, now),
    )
    connection.execute(
        f"""
        UPDATE tasks SET subject_id = (SELECT l.number FROM temp.its_lists AS l WHERE l.task_id = tasks.id),
            outcome = ?, collected = 0, claimed = NULL,
            pages_read = (
                SELECT r.pages_read FROM readings AS r WHERE r.task_id = tasks.id AND r.number = tasks.reading
            )
        WHERE id IN ({its})
        """,  # noqa: S608 - our own text
        (outcome,),
    )


def _number_visits(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        UPDATE visits SET claims = NULL, thing_id = (
            SELECT d.number FROM temp.doomed AS d WHERE d.thing = visits.thing AND d.id = visits.thing_id
        )
        WHERE (harvest_id, thing, thing_id) IN (
            SELECT v.harvest_id, v.thing, v.thing_id FROM temp.doomed AS d
            CROSS JOIN visits AS v ON v.thing_id = d.id AND v.thing = d.thing
        )
        """
    )


def _empty_failures(connection: sqlite3.Connection, texts: Collection[str]) -> None:
    """Empty what the service said of other lists, where it names what goes."""
    rows = connection.execute("SELECT id, message, coalesce(reply, '') FROM failures").fetchall()
    if not rows:
        return  # many texts make a pattern that takes long to write
    naming = pattern_of(texts)
    for failure_id, *said in rows:
        message, reply = (one.encode() for one in said)
        if naming.search(message) or naming.search(reply):
            connection.execute(
                "UPDATE OR REPLACE failures SET message = ?, reply = NULL WHERE id = ?",
                (naming.sub(_FORGOTTEN.encode(), message).decode(errors="replace"), failure_id),
            )


def _take_out_of_search(connection: sqlite3.Connection) -> None:
    """Take the tracks that go out of the index all at once; the triggers then leave them alone."""
    connection.execute(
        """
        INSERT INTO track_search (track_search, rowid, title, artist, tags)
        SELECT 'delete', x.track_id, x.title, x.artist, x.tags
        FROM temp.doomed AS d CROSS JOIN track_texts AS x ON x.track_id = d.id
        WHERE d.thing = 'track' ORDER BY d.id
        """
    )
    connection.execute(
        f"INSERT INTO search_waiting (track_id) SELECT id FROM tracks WHERE id IN ({of('track')})"  # noqa: S608
    )


def _tags_of_doomed(connection: sqlite3.Connection) -> list[tuple[int]]:
    return connection.execute(f"SELECT DISTINCT tag_id FROM track_tags WHERE track_id IN ({of('track')})").fetchall()  # noqa: S608


def _drop_tags(connection: sqlite3.Connection, tags: list[tuple[int]]) -> None:
    """Drop those of some tags that no track carries any more: they were the words of who is forgotten."""
    connection.executemany(
        "DELETE FROM tags WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM track_tags WHERE tag_id = ?1)", tags
    )


def _make_stale(connection: sqlite3.Connection) -> None:
    """Let every result that we computed be computed again: it was made from what is forgotten as well."""
    ours = "SELECT d.id FROM derivations AS d WHERE d.method <> 'soundcloud'"
    connection.execute(f"DELETE FROM derivation_sizes WHERE derivation_id IN ({ours})")  # noqa: S608 - our own text
    connection.execute("UPDATE derivations SET fingerprint = NULL, max_page_id = NULL WHERE method <> 'soundcloud'")


def _suppress(connection: sqlite3.Connection, key: bytes) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO suppressed (hash) VALUES (?)",
        [(suppression.number_of(key, *one),) for one in doomed.named(connection)],
    )
