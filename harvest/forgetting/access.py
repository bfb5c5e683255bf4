"""Give everything that a file holds about one person, track, playlist or station: the answer to who asks for it. Reads
only.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from harvest.forgetting.leads import GOES, KEPT_UNDER_A_NUMBER, leads
from harvest.things import THINGS

Rows = list[dict[str, Any]]


def everything(connection: sqlite3.Connection, thing: str, thing_id: int) -> dict[str, Rows]:
    """Give the rows that are of a thing or lead to it, by table; tables without any are left out.

    The pages of its lists come with them: what was asked, when.
    """
    found: dict[str, Rows] = {}

    def add(table: str, sql: str, *parameters: object) -> None:
        rows = connection.execute(sql, parameters)
        names = [column[0] for column in rows.description]
        known = found.setdefault(table, [])
        known += [row for row in (dict(zip(names, tuple(one), strict=True)) for one in rows) if row not in known]

    table = THINGS[thing].table
    add(table, f"SELECT * FROM {table} WHERE id = ?", thing_id)  # noqa: S608 - our own words
    for lead in leads(connection):
        if lead.thing == thing:
            add(lead.table, f"SELECT * FROM {lead.table} WHERE {lead.column} = ?", thing_id)  # noqa: S608 - of the schema
    for named in (*GOES, *KEPT_UNDER_A_NUMBER):
        add(
            named.table,
            f"SELECT x.* FROM {named.table} AS x WHERE x.{named.column} = ? AND {named.kind} = ?",  # noqa: S608 - our own
            thing_id,
            thing,
        )
    its_lists = """
        SELECT t.id FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind WHERE t.subject_id = ? AND k.subject = ?
    """
    for of_list in ("readings", "pages", "failures"):
        add(of_list, f"SELECT * FROM {of_list} WHERE task_id IN ({its_lists})", thing_id, thing)  # noqa: S608 - our own
    add("changes", """SELECT * FROM changes WHERE "table" = ? AND ids ->> 'id' = ?""", table, thing_id)
    return {name: rows for name, rows in sorted(found.items()) if rows}
