"""What is read of an export by columns is what its table gives row by row, whatever is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from harvest.export import columns, csr, tables
from harvest.export.choices import ExportChoices, Split
from harvest.export.parquet import as_batch, schema_of
from harvest.export.selection import select
from tests.exporting import rich_file

BOTH = ("like", "repost")
CHOICES = {
    "likes": ExportChoices(),
    "reposts": ExportChoices(kinds=("repost",)),
    "both": ExportChoices(kinds=BOTH),
    "dense ids": ExportChoices(kinds=BOTH, ids="dense"),
    "core": ExportChoices(kinds=BOTH, kcore=4),
    "without frames": ExportChoices(without_frames=True, ids="dense"),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return rich_file(tmp_path_factory.mktemp("rich") / "t.db")


def chosen(path, choices):
    return select(path, Path(":memory:"), choices, tell=lambda *step: None)


@pytest.mark.parametrize("name", CHOICES)
def test_columns_give_what_the_rows_give(path, name, monkeypatch):
    monkeypatch.setattr(columns, "_ROWS_AT_ONCE", 4)
    with chosen(path, CHOICES[name]) as selection:
        assert columns.can_give(selection)
        table = tables.interactions(selection)
        schema = schema_of(table.columns)
        expected = [
            row for rows in table.batches(selection) for row in as_batch(rows, table.columns, schema).to_pylist()
        ]
        batches = list(columns.batches(selection, schema))
    assert len(batches) > 2
    assert expected
    assert [row for batch in batches for row in batch.to_pylist()] == expected


@pytest.mark.parametrize("name", CHOICES)
def test_places_in_the_matrix_are_those_of_the_rows(path, name, monkeypatch):
    monkeypatch.setattr(csr, "_ENTRIES_AT_ONCE", 4)
    with chosen(path, CHOICES[name]) as selection:
        tables.number_places(selection.connection, "people", "things")
        expected = [row[:3] for rows in tables.places(selection).batches(selection) for row in rows]
        batches = list(csr.entries(selection))
    assert len(batches) > 2
    found = [zip(b.rows.tolist(), b.columns.tolist(), b.ratings.tolist(), strict=True) for b in batches]
    assert [entry for batch in found for entry in batch] == expected


@pytest.mark.parametrize("choices", [ExportChoices(ids="pseudonym"), ExportChoices(split=Split("hash", 0.2))])
def test_what_has_an_order_or_parts_of_its_own_is_read_by_rows(path, choices):
    with chosen(path, choices) as selection:
        assert not columns.can_give(selection)


@pytest.mark.parametrize("sql", [columns.PEOPLE, csr.ENTRIES, csr.RATED_ENTRIES])
def test_people_are_read_along_the_key_and_nothing_is_sorted(path, sql):
    with chosen(path, ExportChoices()) as selection:
        wanted = {**selection.parameters, "both": 0}
        steps = [row[3] for row in selection.connection.execute(f"EXPLAIN QUERY PLAN {sql}", wanted)]
    assert any(step.startswith("SCAN p") for step in steps), steps
    assert any("USING PRIMARY KEY (user_id=?)" in step for step in steps), steps
    assert not [step for step in steps if "TEMP B-TREE" in step]
