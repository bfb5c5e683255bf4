"""Take what is doomed out of the file, within the caller's transaction.

Rows that lead to it go, and its own. What the ledger needs in its place stays, under a number that says nothing: its
visits and lists, with the pages, whose requests and cursors are emptied, since other rows name them as their origin.
Ranks and places of what remains keep their holes. Numbers made of what is forgotten keep it out from now on.

In: `temp.doomed` (doomed.py). Out: a count of rows. Never: a commit of its own.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator

from harvest.forgetting.doomed import of
from harvest.forgetting.leads import GOES, is_of_things, leads
from harvest.lists import KINDS, LOOKUP, RESOLVE, Edge, ListKind
from harvest.models import Outcome
from harvest.store import suppression
from harvest.store.edges import of_type
from harvest.things import SHOWN, THINGS

_FORGOTTEN = "forgotten"  # what stands in a failure for what was said
_EMPTIED = "request = '', asks = NULL, next_cursor = NULL, cursor_time = NULL, body_hash = NULL"


def erase(connection: sqlite3.Connection, key: bytes, texts: Collection[str], now: str) -> int:
    """Erase what is doomed; `texts` are those that lead to it. Give how many rows were deleted."""
    for kind in KINDS.values():
        _note_losses(connection, kind)
    _empty_changes(connection)
    rows = sum(_delete_named_beside(connection))
    _empty_lookups(connection)
    _empty_seeds(connection)
    _empty_lists(connection, now)
    _number_visits(connection)
    _empty_failures(connection, texts)
    _take_out_of_search(connection)
    tags = _tags_of_doomed(connection)
    tables = leads(connection)
    for lead in sorted(tables, key=lambda one: is_of_things(one.table)):
        if not is_of_things(lead.table):
            rows += connection.execute(
                f"DELETE FROM {lead.table} WHERE {lead.column} IN ({of(lead.thing)})"  # noqa: S608 - names of the schema
            ).rowcount
    for thing in SHOWN:
        rows += connection.execute(f"DELETE FROM {thing.table} WHERE id IN ({of(thing.name)})").rowcount  # noqa: S608
    _drop_tags(connection, tags)
    _make_stale(connection)
    _suppress(connection, key)
    connection.execute("INSERT INTO track_search (track_search) VALUES ('optimize')")  # else the index keeps old words
    return rows


def _note_losses(connection: sqlite3.Connection, kind: ListKind) -> None:
    """Let every list of a kind, and its reading, know how much of it goes."""
    edge = kind.edge
    other = (edge.leads or edge.item) if edge is not None else ""
    thing = "user" if edge is not None and edge.leads else kind.item
    if edge is None or thing not in THINGS:
        return
    for table in (edge.table, edge.past):
        if not table:
            continue
        lost = f"""
            SELECT t.id, t.reading AS number, l.n FROM (
                SELECT e.{edge.subject} AS subject_id, count(*) AS n FROM {table} AS e
                WHERE e.{other} IN ({of(thing)}) {of_type(edge, "e.")} AND +e.{edge.rank} IS NOT NULL
                GROUP BY e.{edge.subject}
            ) AS l
            CROSS JOIN tasks AS t ON t.kind = '{kind.name}' AND t.subject_id = l.subject_id
        """  # noqa: S608 - built from our own declarations
        connection.execute(
            f"""
            UPDATE readings SET forgotten = forgotten + l.n FROM ({lost}) AS l
            WHERE readings.task_id = l.id AND readings.number = l.number
            """  # noqa: S608 - built from our own declarations
        )
        if table == edge.table:  # what is past is no longer counted
            connection.execute(f"UPDATE tasks SET collected = collected - l.n FROM ({lost}) AS l WHERE tasks.id = l.id")  # noqa: S608
    connection.execute(
        f"""
        UPDATE readings SET forgotten = forgotten + l.n
        FROM (
            SELECT i.task_id, i.reading, count(*) AS n FROM reading_items AS i
            CROSS JOIN tasks AS t ON t.id = i.task_id AND t.kind = '{kind.name}'
            WHERE i.item_id IN ({of(_item_of(kind, edge))}) GROUP BY i.task_id, i.reading
        ) AS l
        WHERE readings.task_id = l.task_id AND readings.number = l.reading
        """  # noqa: S608 - built from our own declarations
    )


def _item_of(kind: ListKind, edge: Edge) -> str:
    return "comment" if edge.leads else kind.item


def _empty_changes(connection: sqlite3.Connection) -> None:
    """Empty the changes that speak of what goes, and take it out of the orders of playlists."""
    cases = []
    by_table: dict[str, list[str]] = {}
    for lead in leads(connection):
        by_table.setdefault(lead.table, []).append(f"ids ->> '{lead.column}' IN ({of(lead.thing)})")
    for thing in SHOWN:
        by_table.setdefault(thing.table, []).append(f"ids ->> 'id' IN ({of(thing.name)})")
    by_table.setdefault("comments", []).append(f"ids ->> 'id' IN ({of('comment')})")
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
        yield connection.execute(
            f"""
            DELETE FROM {named.table} AS x WHERE x.{named.column} IN (SELECT d.id FROM temp.doomed AS d)
                AND ({named.kind}, x.{named.column}) IN (SELECT d.thing, d.id FROM temp.doomed AS d)
            """  # noqa: S608 - our own declarations
        ).rowcount


def _empty_lookups(connection: sqlite3.Connection) -> None:
    """Take what goes out of the batches it was looked up in, or is to be."""
    in_batches = """
        SELECT i.batch_id FROM temp.doomed AS d
        CROSS JOIN batch_items AS i ON i.thing_id = d.id
        CROSS JOIN batches AS b ON b.id = i.batch_id AND b.thing = d.thing
    """
    of_batches = f"SELECT t.id FROM tasks AS t WHERE t.kind = '{LOOKUP.name}' AND t.subject_id IN ({in_batches})"  # noqa: S608
    connection.execute(f"UPDATE pages SET {_EMPTIED} WHERE task_id IN ({of_batches})")  # noqa: S608 - our own text
    connection.execute(f"UPDATE readings SET next_cursor = NULL WHERE task_id IN ({of_batches})")  # noqa: S608 - likewise
    connection.execute(
        f"UPDATE OR REPLACE failures SET message = '{_FORGOTTEN}', reply = NULL WHERE task_id IN ({of_batches})"  # noqa: S608
    )
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
        UPDATE batch_items SET thing_id = n.number
        FROM (
            SELECT i.batch_id, i.thing_id, d.number FROM temp.doomed AS d
            CROSS JOIN batch_items AS i ON i.thing_id = d.id
            CROSS JOIN batches AS b ON b.id = i.batch_id AND b.thing = d.thing
        ) AS n
        WHERE batch_items.batch_id = n.batch_id AND batch_items.thing_id = n.thing_id
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
            (task_id, Outcome.FORGOTTEN),
        )
        connection.execute(
            """
            UPDATE tasks SET outcome = ?2, collected = r.collected, pages_read = r.pages_read
            FROM readings AS r WHERE r.task_id = ?1 AND r.number = tasks.reading AND tasks.id = ?1
            """,
            (task_id, Outcome.FORGOTTEN),
        )


def _empty_seeds(connection: sqlite3.Connection) -> None:
    """Empty seeds and what the harvests of a single seed show of it; they stay, and nothing is asked of them again."""
    doomed = "SELECT s.id FROM seeds AS s WHERE (s.thing, s.thing_id) IN (SELECT d.thing, d.id FROM temp.doomed AS d)"
    looked_up = f"SELECT t.id FROM tasks AS t WHERE t.kind = '{RESOLVE.name}' AND t.subject_id IN ({doomed})"  # noqa: S608
    connection.execute(f"UPDATE pages SET {_EMPTIED} WHERE task_id IN ({looked_up})")  # noqa: S608 - our own text
    connection.execute(f"UPDATE readings SET next_cursor = NULL WHERE task_id IN ({looked_up})")  # noqa: S608 - likewise
    connection.execute(
        f"UPDATE OR REPLACE failures SET message = '{_FORGOTTEN}', reply = NULL WHERE task_id IN ({looked_up})"  # noqa: S608
    )
    connection.execute(
        f"""
        UPDATE harvests SET seed_url = 'forgotten:' || s.seed_id FROM harvest_seeds AS s
        WHERE s.harvest_id = harvests.id AND harvests.seed_url IS NOT NULL AND s.seed_id IN ({doomed})
        """  # noqa: S608 - our own text
    )
    connection.execute(
        """
        UPDATE harvests SET seed_id = d.number FROM temp.doomed AS d
        WHERE d.thing = harvests.seed_kind AND d.id = harvests.seed_id
        """
    )
    connection.execute(
        """
        UPDATE seeds SET address = 'forgotten:' || seeds.id, aliases = '[]', reason = NULL, thing_id = d.number
        FROM temp.doomed AS d WHERE d.thing = seeds.thing AND d.id = seeds.thing_id
        """
    )


def _empty_lists(connection: sqlite3.Connection, now: str) -> None:
    """Empty the lists of what goes. They end; the pages stay, for other rows came with them."""
    connection.execute("DROP TABLE IF EXISTS temp.its_lists")
    connection.execute(
        """
        CREATE TEMP TABLE its_lists AS
        SELECT t.id AS task_id, d.number FROM temp.doomed AS d
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
        (Outcome.FORGOTTEN, now),
    )
    connection.execute(
        """
        UPDATE tasks SET subject_id = l.number, outcome = ?, collected = 0, claimed = NULL, pages_read = r.pages_read
        FROM temp.its_lists AS l
        CROSS JOIN readings AS r ON r.task_id = l.task_id
        WHERE tasks.id = l.task_id AND r.number = tasks.reading
        """,
        (Outcome.FORGOTTEN,),
    )


def _number_visits(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        UPDATE visits SET thing_id = n.number, claims = NULL
        FROM (
            SELECT v.harvest_id, v.thing, v.thing_id, d.number FROM temp.doomed AS d
            CROSS JOIN visits AS v ON v.thing_id = d.id AND v.thing = d.thing
        ) AS n
        WHERE visits.harvest_id = n.harvest_id AND visits.thing = n.thing AND visits.thing_id = n.thing_id
        """
    )


def _empty_failures(connection: sqlite3.Connection, texts: Collection[str]) -> None:
    """Empty what the service said of other lists, where it names what goes."""
    naming = re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)")
    rows = connection.execute("SELECT id, message, coalesce(reply, '') FROM failures").fetchall()
    for failure_id, message, reply in rows:
        if naming.search(message) or naming.search(reply):
            connection.execute(
                "UPDATE OR REPLACE failures SET message = ?, reply = NULL WHERE id = ?",
                (naming.sub(_FORGOTTEN, message), failure_id),
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
    """Let every result that we computed be computed anew: it was made from what is forgotten as well."""
    ours = "SELECT d.id FROM derivations AS d WHERE d.method <> 'soundcloud'"
    connection.execute(f"DELETE FROM derivation_sizes WHERE derivation_id IN ({ours})")  # noqa: S608 - our own text
    connection.execute("UPDATE derivations SET fingerprint = NULL, max_page_id = NULL WHERE method <> 'soundcloud'")


def _suppress(connection: sqlite3.Connection, key: bytes) -> None:
    rows = connection.execute("SELECT thing, id FROM temp.doomed WHERE number IS NOT NULL").fetchall()
    connection.executemany(
        "INSERT OR IGNORE INTO suppressed (hash) VALUES (?)",
        [(suppression.number_of(key, thing, thing_id),) for thing, thing_id in rows],
    )
