"""Checks of what vanished and what changed: changes are played again, and what stands now is what they come to."""

from __future__ import annotations

from harvest.lists import KINDS, Edge, ListKind
from harvest.store.edges import of_type
from harvest.store.entities import TRACK_COUNTS, USER_COUNTS
from harvest.things import SHOWN
from harvest.verify.check import Check


def _moved(kind: ListKind, edge: Edge) -> Check:
    """Check that a list that was read but once lacks only what the list of the other side has moved out."""
    return Check(
        f"past.{kind.name}",
        f"a list of kind {kind.name} that was read but once lacks nothing but what has vanished from another list, or"
        " was forgotten",
        f"""
        SELECT '{kind.name} ' || t.subject_id || ': read were ' || r.collected || ', it has ' || t.collected || ', and '
            || count(p.{edge.subject}) || ' have vanished'
        FROM tasks AS t
        CROSS JOIN readings AS r ON r.task_id = t.id AND r.number = 0 AND r.state = 'ended'
        LEFT JOIN {edge.past} AS p ON p.{edge.subject} = t.subject_id
            AND p.{edge.rank} IS NOT NULL {of_type(edge, "p.")}
        WHERE t.kind = '{kind.name}' AND t.collected <> r.collected AND t.outcome IS NOT 'purged'
            AND NOT EXISTS (SELECT 1 FROM readings AS l WHERE l.task_id = t.id AND l.number > 0)
        GROUP BY t.id HAVING t.collected + count(p.{edge.subject}) + r.forgotten <> r.collected
        """,  # noqa: S608 - built from our own declarations
    )


def _played(kind: ListKind, edge: Edge) -> Check:
    """Check that the last change of every edge says whether it stands."""
    same = " AND ".join(f"e.{name} = x.ids ->> '{name}'" for name in edge.key)
    stands = f"AND e.{edge.rank} IS NOT NULL" if edge.on_item and not edge.past else ""
    of_this = f"AND c.ids ->> '{edge.type_column}' = '{edge.engagement_type}'" if edge.engagement_type else ""
    waits = (
        f"OR EXISTS (SELECT 1 FROM {edge.past} AS e WHERE {same} AND e.reason IS NULL)"  # noqa: S608
        if edge.past
        else f"OR EXISTS (SELECT 1 FROM unexplained AS e WHERE e.kind = '{kind.name}'"  # noqa: S608
        f" AND e.subject_id = x.ids ->> '{edge.subject}' AND e.item_id = x.ids ->> '{edge.item}')"
    )
    return Check(
        f"changes.{kind.name}",
        f"what came into lists of kind {kind.name} stands, and what went does not",
        f"""
        SELECT x.ids || ' ' || x.what || ' last, at version ' || x.version
            || iif(x.what = 'went', ', and stands', ', and does not stand')
        FROM (
            SELECT c.ids, c.what, max(c.version) AS version FROM changes AS c
            WHERE c."table" = '{edge.table}' AND c.what IN ('came', 'found', 'back', 'went') {of_this}
            GROUP BY c.ids
        ) AS x
        WHERE (x.what = 'went') = (EXISTS (SELECT 1 FROM {edge.table} AS e WHERE {same} {stands}) {waits})
        """,  # noqa: S608 - built from our own declarations
    )


def _placed(kind: ListKind, edge: Edge) -> Check:
    """Check that changes tell of every entry of a list whose places are its rows, in which one may stand twice: of each
    that a later reading brought, by its page, and of each that went. What stands is what there was at first, and came,
    and did not go.
    """
    subject, item = edge.subject, edge.item
    tables = [edge.table, *([edge.past] if edge.past else [])]
    rows = " UNION ALL ".join(
        f"SELECT 'brought', e.{subject}, e.{item}, e.first_page_id, 1, 0 FROM {table} AS e"  # noqa: S608
        " CROSS JOIN pages AS p ON p.id = e.first_page_id AND p.reading > 0"
        for table in tables
    )
    if edge.past:
        rows += (
            f" UNION ALL SELECT 'lacked', e.{subject}, e.{item}, e.gone_page_id, 1, 0 FROM {edge.past} AS e"  # noqa: S608
            " WHERE e.reason IS NOT NULL"
        )
    return Check(
        f"changes.{kind.name}",
        f"changes tell of every entry that came into a list of kind {kind.name}, or went, as often as it did",
        f"""
        SELECT '{kind.name} ' || subject || ': page ' || page_id || ' ' || how || ' ' || item || ' ' || sum(n)
            || ' times, changes say ' || sum(said)
        FROM (
            SELECT '' AS how, NULL AS subject, NULL AS item, NULL AS page_id, 0 AS n, 0 AS said WHERE 0
            UNION ALL {rows}
            UNION ALL
            SELECT iif(c.what = 'went', 'lacked', 'brought'), c.ids ->> '{subject}', c.ids ->> '{item}', c.page_id, 0, 1
            FROM changes AS c
            WHERE c."table" = '{edge.table}' AND c.what IN ('came', 'found', 'back', 'went')
        )
        GROUP BY how, subject, item, page_id HAVING sum(n) {"<>" if edge.past else ">"} sum(said)
        """,  # noqa: S608 - built from our own declarations
    )


def _counted(table: str, counts: tuple[str, ...]) -> Check:
    """Check that a count is what a change has told of it last, or has moved too little since."""
    now = " ".join(f"WHEN '{name}' THEN e.{name}" for name in counts)
    return Check(
        f"changes.{table}_moved",
        f"the counts of {table} are what the last change says, or not far from it",
        f"""
        SELECT '{table} ' || x.id || ': ' || x.name || ' is ' || coalesce(u.count, x.now) || ', version ' || x.version
            || ' says ' || x.told
        FROM (
            SELECT e.id, j.key AS name, CASE j.key {now} END AS now, j.value AS told, max(c.version) AS version
            FROM changes AS c
            CROSS JOIN json_each(c.new) AS j
            CROSS JOIN {table} AS e ON e.id = c.ids ->> 'id' AND e.status <> 'forgotten'
            WHERE c."table" = '{table}' AND c.what = 'moved'
            GROUP BY e.id, j.key
        ) AS x
        LEFT JOIN untold_counts AS u ON u."table" = '{table}' AND u.id = x.id AND u.name = x.name
        WHERE coalesce(u.count, x.now) IS NOT x.told OR abs(x.now - x.told) > max(2, 0.1 * x.told)
        """,  # noqa: S608 - built from our own declarations
    )


def _past(table: str, edge: Edge) -> Check:
    """Check that what is past was seen, then lacked, and that its change was written once its reason is known."""
    key = ", ".join(f"p.{name}" for name in edge.key)
    told = ", ".join(f"c.ids ->> '{name}'" for name in edge.key)
    named = " || ' ' || ".join(f"p.{name}" for name in edge.key)
    return Check(
        f"past.{table}",
        f"what stands in {table} was seen before it was lacked, and went with its reason",
        f"""
        SELECT '{table} ' || {named} || ' was seen on page ' || p.first_page_id || ' to ' || p.last_page_id
            || ', lacked on page ' || p.gone_page_id || ', ' || coalesce(p.reason, 'for no reason yet')
        FROM {table} AS p
        WHERE p.first_page_id > p.last_page_id OR p.last_page_id >= p.gone_page_id
            OR p.reason IS NOT NULL AND ((p.reason, {key}) IN (
                SELECT c.reason, {told} FROM changes AS c -- once for all, not once for each
                WHERE c."table" = '{edge.table}' AND c.what = 'went'
            )) IS NOT TRUE
            OR (p.reason IS NULL) AND NOT EXISTS (
                SELECT 1 FROM unexplained AS u WHERE u.gone_page_id = p.gone_page_id
            )
        """,  # noqa: S608 - built from our own declarations
    )


def _words(table: str, column: str, what: str) -> Check:
    """Check that the last new name of a thing is its name, unless it has none any more."""
    return Check(
        f"changes.{table}_{column}",
        f"the {column} of {table} is what the last change says",
        f"""
        SELECT '{table} ' || x.id || ' has {column} ' || coalesce(e.{column}, 'none') || ', version ' || x.version
            || ' says ' || coalesce(x.new, 'none')
        FROM (
            SELECT c.ids ->> 'id' AS id, c.new, max(c.version) AS version FROM changes AS c
            WHERE c."table" = '{table}' AND c.what IN ({what}) GROUP BY c.ids ->> 'id'
        ) AS x
        LEFT JOIN {table} AS e ON e.id = x.id
        WHERE e.{column} IS NOT x.new
        """,  # noqa: S608 - our own text
    )


_EDGES = [(kind, kind.edge) for kind in KINDS.values() if kind.edge is not None and not kind.own]
HISTORY_CHECKS = (
    *(_moved(kind, edge) for kind, edge in _EDGES if kind.other_side is not None),
    *((_placed if edge.repeats else _played)(kind, edge) for kind, edge in _EDGES),
    *(_past(table, edge) for table, edge in {edge.past: edge for _, edge in _EDGES if edge.past}.items()),
    _words("users", "username", "'renamed'"),
    *(_words(table, "title", "'retitled'") for table in ("tracks", "playlists", "stations")),
    _counted("users", USER_COUNTS),
    _counted("tracks", TRACK_COUNTS),
    *(_words(thing.table, "status", "'gone', 'forbidden', 'returned'") for thing in SHOWN),
    Check(
        "changes.pages",
        "changes speak of pages that are there",
        """
        SELECT 'version ' || c.version || ' speaks of page ' || c.page_id || ', which is not there'
        FROM changes AS c WHERE c.page_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pages AS p WHERE p.id = c.page_id)
        """,
    ),
)
