"""The statements of the report: what each of them reads, and that it reads no more."""

from __future__ import annotations

import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from harvest.report import rows
from harvest.report.statements import query
from tests.booking import add_list

ROOM = Path(str(resources.files("harvest.report")))
NAMES = sorted(path.stem for path in (ROOM / "sql").glob("*.sql"))
PARAMETERS = {
    "rows": 5,
    "least": 3,
    "seed": 1,
    "tracks": "[1]",
    "people": 5,
    "tags": "[]",
    "harvest": 1,
    "track": 1,
    "folded": "x",
}
LARGE = (
    "engagements",
    "users",
    "tracks",
    "pages",
    "track_tags",
    "tags",
    "t",
    "u",
    "g",
    "tt",
)
# What may be read from end to end, and why.
WHOLE = {
    "heard": [
        "SCAN engagements USING COVERING INDEX engagements_by_track",  # every like is counted, once
        "SCAN engagements USING INDEX engagements_listed",  # a partial index: likers of spilled tracks alone
        "SCAN u",  # whether all are followed: only where the ledger says that most likers were listed
    ],
    "last_page": ["SCAN pages"],  # one row, the last one
    "last_run": [
        "SCAN pages",
        "SCAN pages",
    ],  # which one it is, whether there was another; then its pages, one per 200 rows
}


@pytest.fixture
def conn(db):
    db.conn.execute(query("heard"))
    return db.conn


def plan(conn, name):
    wanted = {key: PARAMETERS[key] for key in re.findall(r":(\w+)", query(name))}
    return [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {query(name)}", wanted)]


@pytest.mark.parametrize("name", NAMES)
def test_no_large_table_is_read_from_end_to_end_without_need(conn, name):
    if name == "heard":
        conn.execute("DROP TABLE temp.heard")
    scans = [line for line in plan(conn, name) if re.match(rf"SCAN ({'|'.join(LARGE)})\b", line)]
    scans = [line.removesuffix(" EXISTS") for line in scans]  # newer ones say so of what they only look into
    assert sorted(scans) == WHOLE.get(name, [])


@pytest.mark.parametrize(
    ("name", "uses"),
    [
        ("heard", "engagements_listed"),
        ("ledger", "COVERING INDEX tasks_by_outcome"),
        ("readers", "COVERING INDEX tasks_by_outcome"),
        ("likes_per_person", "COVERING INDEX tasks_by_outcome"),
        ("likes_claimed", "COVERING INDEX tasks_by_outcome"),
        ("top_artists", "tracks_by_uploader"),
        ("tag_name", "tags_by_folded"),
        ("near", "COVERING INDEX engagements_by_track (track_id=?)"),
        ("near", "SEARCH engagements USING PRIMARY KEY (user_id=?)"),
        ("near_of_most", "SEARCH engagements USING COVERING INDEX engagements_by_track (track_id=? AND user_id=?)"),
        ("near_of_most", "SEARCH engagements USING PRIMARY KEY (user_id=?"),
        ("likes_of_fans", "COVERING INDEX engagements_by_track (track_id=?)"),
        ("likes_of_fans", "SEARCH engagements USING PRIMARY KEY (user_id=?"),
        ("given_communities", "SEARCH track_communities"),
        ("sample", "engagements_listed"),
    ],
)
def test_an_index_leads_to_what_is_wanted(conn, name, uses):
    if name == "heard":
        conn.execute("DROP TABLE temp.heard")
    assert any(uses in line for line in plan(conn, name)), plan(conn, name)


VALUES = [
    0,
    0,
    1,
    7,
    99,
    100,
    109,
    110,
    999,
    1000,
    1234,
    9999,
    10_500,
    99_999,
    123_456,
    2_345_678,
    34_567_890,
    987_654_321,
]


def two_digits(value):
    return int(str(value)[:2]) * 10 ** (len(str(value)) - 2) if value >= 100 else value


def cut(values):
    return sorted(Counter(map(two_digits, values)).items())


def add_lists(conn, claims):
    for n, (outcome, kept, claimed) in enumerate(claims):
        add_list(conn, "user_likes", n, outcome, collected=kept, claimed=claimed)


@pytest.mark.parametrize("outcome", ["complete", "capped", "short", "loop"])
def test_likes_per_person_are_cut_to_two_digits(conn, outcome):
    add_lists(
        conn,
        [(outcome, value, value + 5) for value in VALUES[:-3]] + [("gone", 3, 3), (None, 4, 4), (outcome, 8, None)],
    )
    assert [tuple(row) for row in conn.execute(query("likes_per_person"))] == cut([*VALUES[:-3], 8])
    assert [tuple(row) for row in conn.execute(query("likes_claimed"))] == cut([value + 5 for value in VALUES[:-3]])


def test_likers_per_track_are_cut_to_two_digits(conn):
    known = [value for value in VALUES if value]
    conn.executemany("INSERT INTO temp.heard VALUES (?, ?, ?, NULL, NULL, 0)", [(n, v, v) for n, v in enumerate(known)])
    conn.execute("INSERT INTO temp.heard VALUES (90, 5, NULL, NULL, NULL, 0), (91, 6, 6, NULL, NULL, 1)")
    here = [tuple(row) for row in conn.execute(query("likers_per_track")) if row[0] < 1_000_000]
    assert here == [pair for pair in cut([*known, 5]) if pair[0] < 1_000_000]
    assert [tuple(row) for row in conn.execute(query("likers_counted"))] == cut(known)


def test_what_most_like_is_counted_by_the_others_and_is_the_same(conn):
    likes = [(person, track) for person in range(1, 9) for track in range(10, 19) if (person * track) % 4]
    conn.execute("PRAGMA foreign_keys = OFF")
    for person in range(1, 9):
        add_list(conn, "user_likes", person, "complete")
    conn.executemany(
        "INSERT INTO tracks (id, seen_as, first_seen_at, last_seen_on) VALUES (?, 'list', '', '')",
        [(track,) for track in range(10, 19)],
    )
    conn.executemany("INSERT INTO user_engagements VALUES (?, ?, 'like', ?, NULL, 1)", [(*one, 0) for one in likes])
    conn.execute("INSERT INTO user_engagements VALUES (9, 11, 'like', NULL, 0, 1), (2, 18, 'repost', 1, NULL, 1)")
    conn.execute("DROP TABLE temp.heard")
    conn.execute(query("heard"))
    for seed in range(10, 19):
        fans = {person for person, track in likes if track == seed}
        common = Counter(track for person, track in likes if person in fans and track != seed)
        expected = sorted(common.items(), key=lambda pair: (-pair[1], pair[0]))[:5]
        for name in ("near", "near_of_most"):
            found = [tuple(row)[:2] for row in conn.execute(query(name), {"seed": seed, "rows": 5})]
            assert found == expected, (name, seed)


def test_a_list_that_brought_more_than_claimed_does_not_hide_what_another_lacks(conn):
    add_lists(conn, [("complete", 10, 4), ("complete", 3, 5), ("complete", 7, None), ("complete", 0, 0)])
    (found,) = [rows.ListsEnded(*row) for row in conn.execute(query("ledger")) if row[0] == "user_likes"]
    assert found == rows.ListsEnded("user_likes", "tracks the user likes", "complete", 4, 20, 9, 13, 2, 1, 10)


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_says_what_it_is_for_and_is_used(name):
    assert query(name).startswith("-- ")
    sources = "\n".join(path.read_text("utf-8") for path in ROOM.glob("*.py"))
    assert f'"{name}"' in sources


def test_rows_are_in_the_column_order_of_their_queries(conn):
    """A query that gains a column must not fill the wrong field."""
    pairs = re.findall(r'_rows\(connection, "(\w+)", (\w+)', (ROOM / "facts.py").read_text("utf-8"))
    assert len(pairs) > 15
    for name, kind in pairs:
        wanted = {key: PARAMETERS[key] for key in re.findall(r":(\w+)", query(name))}
        columns = tuple(column[0] for column in conn.execute(query(name), wanted).description)
        fields = tuple({"failure_class": "class"}.get(field, field) for field in getattr(rows, kind)._fields)
        alias = {"permalink_url": "url", "uploader_id": "artist_id"}
        assert tuple(alias.get(c, c) for c in columns) == fields, name
