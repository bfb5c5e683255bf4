"""Forms and commands of named queries."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from harvest.explore.named import named_queries
from harvest.serving.questions import on_the_command_line, seconds_for, sql_on_the_command_line, values

QUERY = named_queries()["co-likes"]


@pytest.mark.parametrize(
    ("size", "seconds"), [(0, 5), (100_000_000, 5), (140_000_000, 7), (500_000_000, 25), (20_000_000_000, 30)]
)
def test_a_large_file_gets_more_time(size, seconds):
    assert seconds_for(size) == seconds


def test_the_command_says_what_the_form_says_whatever_was_typed():
    fields = {"track": 'it\'s $(rm -rf) "this"', "order": "", "limit": "5", "_size": "9"}
    command = on_the_command_line(Path("/a b/c.db"), QUERY, fields, "--timeout 0")
    assert shlex.split(command) == [
        *("harvest", "sql", "co-likes", f"track={fields['track']}", "limit=5"),
        *("--cache-path", "/a b/c.db", "--timeout", "0"),
    ]
    sql = "select ':x' , :n\n-- that's all"
    assert shlex.split(sql_on_the_command_line(Path("c.db"), sql, {"n": "1"})) == [
        *("harvest", "sql", sql, "n=1", "--cache-path", "c.db"),
    ]


def test_empty_fields_are_defaults_and_what_must_be_given_finds_nothing(db):
    assert values(db.conn, QUERY, {"limit": "7", "order": " "}) == {
        "track": None,
        "at_least": None,
        "order": None,
        "at_most": None,
        "limit": 7,
    }
    search = named_queries()["search"]
    assert values(db.conn, search, {"words": ""}) == {"words": None, "limit": None}
    assert db.conn.execute(search.body, values(db.conn, search, {"words": ""})).fetchall() == []
