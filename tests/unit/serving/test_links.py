"""Whose ids columns hold, and where they lead."""

from __future__ import annotations

import pytest

from harvest.explore.named import named_queries
from harvest.serving.dictionary import read_dictionary
from harvest.serving.links import WAYS, thing_of
from harvest.store.schema import schema_folder
from harvest.things import SHOWN

DICTIONARY = read_dictionary(schema_folder().joinpath("README.md").read_text(encoding="utf-8"))
# Of rows of bookkeeping, which have a page but no thing behind them.
BOOKKEEPING = {
    *("task_id", "parent_task_id", "page_id", "first_page_id", "last_page_id", "gone_page_id", "max_page_id"),
    *("counts_page_id", "run_id", "second_run_id", "harvest_id", "refresh_id", "derivation_id", "batch_id", "tag_id"),
    *("search_id", "item_id", "parent_subject_id"),
}
TOLD = {"thing_id": {"thing": "track"}, "subject_id": {"kind": "user_likes"}, "seed_id": {"seed_kind": "playlist"}}


def test_every_column_that_holds_an_id_is_that_of_a_thing_or_of_bookkeeping():
    columns = {(name, column) for name, entry in DICTIONARY.items() for column in entry.columns}
    ids = {(table, column) for table, column in columns if column.endswith("_id")}
    lost = {
        column
        for table, column in ids
        if thing_of(column, table, TOLD.get(column, {})) is None and column not in BOOKKEEPING
    }
    assert lost == set()
    assert not {column for _, column in ids if column in BOOKKEEPING and thing_of(column, None, {})}


@pytest.mark.parametrize(
    ("column", "table", "row", "thing"),
    [
        ("id", "tracks", {}, "track"),
        ("id", "users", {}, "user"),
        ("id", "user_counts", {}, "user"),
        ("id", "runs", {}, None),
        ("id", None, {}, None),
        ("id", None, {"thing": "playlist"}, "playlist"),
        ("subject_id", "lists", {"kind": "track_likers"}, "track"),
        ("subject_id", "tasks", {"kind": {"value": "user_likes", "label": "what a user likes"}}, "user"),
        ("subject_id", "tasks", {"kind": "resolve"}, None),
        ("subject_id", None, {}, None),
        ("thing_id", "seeds", {"thing": "search_for_tracks"}, None),
        ("thing_id", "visits", {"thing": "station"}, "station"),
        ("uploader_id", "tracks", {}, "user"),
        ("title", "tracks", {}, None),
    ],
)
def test_a_column_says_whose_id_it_holds(column, table, row, thing):
    assert thing_of(column, table, row) == thing


def test_ways_go_to_queries_and_tables_that_take_them():
    assert WAYS.keys() == {thing.name for thing in SHOWN}
    queries = named_queries()
    for thing, ways in WAYS.items():
        for way in ways:
            if way.where in queries:
                types = {p.name: p.type for p in queries[way.where].parameters}
                assert types[way.parameter] == thing
            else:
                assert way.parameter in DICTIONARY[way.where].columns
