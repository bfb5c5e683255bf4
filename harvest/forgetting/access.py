"""Give everything that a file holds about one person, track, playlist or station: the answer to who asks for it. Reads
only.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from harvest.forgetting.leads import GOES, KEPT_UNDER_A_NUMBER, leads_everywhere
from harvest.things import THINGS

Rows = list[dict[str, Any]]


def everything(connection: sqlite3.Connection, thing: str, thing_id: int) -> dict[str, Rows]:
    """Give the rows that are of a thing or lead to it, by table; tables without any are left out.

    The pages of its lists come with them: what was asked, when. So does what `changes` tells of any of these rows.
    """
    found: dict[str, Rows] = {}
    for table, conditions in sorted(_conditions(connection, thing).items()):
        rows = connection.execute(
            f"SELECT x.* FROM {table} AS x WHERE {' OR '.join(conditions)}",  # noqa: S608 - our own words
            {"thing": thing, "id": thing_id},
        )
        names = [column[0] for column in rows.description]
        if held := [dict(zip(names, tuple(row), strict=True)) for row in rows]:
            found[table] = held
    return found


def _conditions(connection: sqlite3.Connection, thing: str) -> dict[str, list[str]]:
    """Write, by table, which rows `x` are of the thing `:id` or lead to it."""
    own = THINGS[thing].table
    found = {own: ["x.id = :id"], "changes": [f"""x."table" = '{own}' AND x.ids ->> 'id' = :id"""]}
    for lead in leads_everywhere(connection):
        if lead.thing == thing:
            found.setdefault(lead.table, []).append(f"x.{lead.column} = :id")
            found["changes"].append(f"""x."table" = '{lead.table}' AND x.ids ->> '{lead.column}' = :id""")
    for named in (*GOES, *KEPT_UNDER_A_NUMBER):
        found.setdefault(named.table, []).append(f"x.{named.column} = :id AND {named.kind} = :thing")
    its_lists = """
        SELECT t.id FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind
        WHERE t.subject_id = :id AND k.subject = :thing
    """
    for of_list in ("readings", "pages", "failures"):
        found.setdefault(of_list, []).append(f"x.task_id IN ({its_lists})")
    return found
