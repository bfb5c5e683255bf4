"""Every column of the schema that may lead to a person, a track or another thing is known to what forgets."""

from __future__ import annotations

import sqlite3

import pytest

from harvest.forgetting.leads import GOES, KEPT_UNDER_A_NUMBER, leads
from harvest.lists import STORED
from harvest.store.schema import schema_files
from harvest.system.sql import split_statements

# Columns that hold numbers of our own: rows of the ledger, of harvests, of results.
OURS = {
    "batch_id", "counts_page_id", "derivation_id", "first_page_id", "gone_page_id", "harvest_id", "last_page_id",
    "max_page_id", "page_id", "parent_task_id", "refresh_id", "run_id", "search_id", "second_run_id", "seed_id",
    "tag_id", "task_id",
}  # fmt: skip
# The same word for the id of a thing: under which it is declared.
OF_THINGS = {("harvests", "seed_id")}
# Rows of things themselves, and what goes by another column of its row.
THEIR_OWN = {
    ("users", "id"), ("tracks", "id"), ("playlists", "id"), ("stations", "id"),
    ("comments", "id"), ("past_comments", "id"), ("web_profiles", "id"), ("past_web_profiles", "id"),
}  # fmt: skip
# Emptied as a whole, or within each page's transaction.
EMPTIED = {("derivation_sizes", "subject_id"), ("search_waiting", "track_id")}
# Numbers of our own rows.
ROWS = {
    "batches", "changes", "derivations", "failures", "file_key", "forgettings", "handouts", "harvests", "judgments",
    "lease", "pages", "progress", "refreshes", "replies", "runs", "searches", "seeds", "suppression_key", "tags",
    "tasks", "totals", "unexplained",
}  # fmt: skip


@pytest.fixture
def schema():
    connection = sqlite3.connect(":memory:")
    for _, script in schema_files():
        for statement in split_statements(script):
            connection.execute(statement)
    yield connection
    connection.close()


def columns(connection):
    """Every column that holds a number and is called id, or ends so."""
    return {
        (row[0], row[1])
        for row in connection.execute(
            """
            SELECT s.name, c.name FROM sqlite_schema AS s CROSS JOIN pragma_table_xinfo(s.name) AS c
            WHERE s.type = 'table' AND s.name NOT LIKE 'track\\_search%' ESCAPE '\\' AND s.name NOT LIKE 'sqlite%'
                AND (c.name = 'id' OR c.name LIKE '%\\_id' ESCAPE '\\')
            """
        )
    }


def unaccounted(connection):
    known = {(STORED.get(lead.table, lead.table), lead.column) for lead in leads(connection)}
    known |= {(named.table, named.column) for named in (*GOES, *KEPT_UNDER_A_NUMBER)}
    known |= THEIR_OWN | EMPTIED | {(table, "id") for table in ROWS}
    return {one for one in columns(connection) - known if one[1] not in OURS or one in OF_THINGS}


def test_every_column_that_leads_to_a_thing_is_known(schema):
    assert unaccounted(schema) == set()


def test_a_new_list_is_covered_by_what_its_table_refers_to(schema):
    schema.execute(
        "CREATE TABLE waves (user_id INTEGER REFERENCES users (id), track_id INTEGER REFERENCES tracks (id))"
    )
    assert {(lead.column, lead.thing) for lead in leads(schema) if lead.table == "waves"} == {
        ("user_id", "user"),
        ("track_id", "track"),
    }


def test_a_column_that_leads_to_a_thing_and_says_so_nowhere_is_found(schema):
    schema.execute("CREATE TABLE waves (listener_id INTEGER, page_id INTEGER)")
    assert unaccounted(schema) == {("waves", "listener_id")}
