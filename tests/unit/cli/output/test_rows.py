"""Tables, CSV and JSON of an answer: aligned, whole or cut, and harmless to a terminal."""

from __future__ import annotations

import csv
import io
import json

import pytest

from harvest.cli.output.rows import LAID_OUT, fitted, table_writer, write_csv, write_json, write_ndjson

COLUMNS = ("id", "title", "lift")
ROWS = [(7, "Café", 1.5), (1234567, None, None), (3, "漢字", 0.1 + 0.2)]
HOSTILE = "\x1b[2Jred\u202e\r\nnext\x9b"


def written(writer, columns, rows):
    out = io.StringIO()
    assert writer(columns, iter(rows), out) == len(rows)
    return out.getvalue()


def test_a_table_is_aligned_with_numbers_to_the_right():
    assert written(table_writer(None), COLUMNS, ROWS) == (
        "     id  title  lift\n-------  -----  ----\n      7  Café    1.5\n1234567  NULL   NULL\n      3  漢字    0.3\n"
    )


def test_a_text_that_says_null_is_told_from_none_at_all():
    assert written(table_writer(None), ("a",), [("NULL",), (None,), ("",)]).splitlines()[2:] == ['"NULL"', "NULL", ""]
    marked = written(table_writer(40, dim=lambda text: f"<{text}>"), ("a",), [(None,), ("x",)])
    assert marked.splitlines()[2:] == ["<NULL>", "x"]


def test_a_table_is_cut_on_a_terminal_only():
    long = "x" * 100
    assert long in written(table_writer(None), ("a", "b"), [(long, 1)])
    lines = written(table_writer(30), ("a", "b"), [(long, 1)]).splitlines()
    assert {len(line) for line in lines[1:]} == {30}
    assert lines[2] == "x" * 26 + "…  1"


def test_a_long_cell_in_a_pipe_moves_its_own_line_alone():
    lines = written(table_writer(None), ("a", "b"), [("short", 1), ("x" * 61, 2), ("x" * 60, 3)]).splitlines()
    assert lines == [
        *(f"a{' ' * 59}  b", f"{'-' * 60}  -", f"short{' ' * 55}  1"),
        *(f"{'x' * 61}  2", f"{'x' * 60}  3"),
    ]


def test_addresses_are_cut_first_and_nothing_below_its_head():
    assert fitted([10, 60, 80], 100, ["id", "title", "permalink_url"]) == [10, 60, 26]
    assert fitted([10, 60, 80], 60, ["id", "title", "permalink_url"]) == [10, 34, 12]
    assert fitted([3, 4], 80, ["a", "b"]) == [3, 4]


def test_a_row_that_fits_no_line_stands_upright():
    columns = [f"column_{i}" for i in range(20)]
    assert written(table_writer(60), columns, [tuple(range(20))]).splitlines()[:3] == [
        "row 1",
        "column_0   0",
        "column_1   1",
    ]


def test_rows_beyond_those_the_table_was_laid_out_by_are_whole_too():
    rows = [(i,) for i in range(LAID_OUT)] + [(10**12,)]
    assert written(table_writer(None), ("n",), rows).splitlines()[-1] == "1000000000000"


@pytest.mark.parametrize("writer", [write_csv, write_ndjson])
def test_rows_leave_as_they_come(writer):
    seen = []

    class Out(io.StringIO):
        def write(self, text):
            seen.append(text)
            return len(text)

    def rows():
        for i in range(3):
            yield (i,)
            assert str(i) in seen[-1], "the row before is not out yet"

    writer(("n",), rows(), Out())


def test_csv_keeps_spreadsheets_and_terminals_from_obeying():
    text = written(write_csv, ("a", "b"), [("=cmd()", 1), (" +1", None), (HOSTILE, 2.5), ("plain, ok", b"\x01")])
    assert list(csv.reader(io.StringIO(text))) == [
        ["a", "b"],
        ["'=cmd()", "1"],
        ["' +1", ""],
        ["\\x1b[2Jred\\u202e\\x0d\\x0anext\\x9b", "2.5"],
        ["plain, ok", "01"],
    ]


@pytest.mark.parametrize("writer", [table_writer(None), table_writer(80), write_csv, write_json, write_ndjson])
def test_nothing_from_the_service_moves_a_terminal(writer):
    text = written(writer, ("a", HOSTILE), [(HOSTILE, 1)])
    assert not set(text) & set("\x1b\u202e\x9b")


def test_json_says_what_the_rows_say():
    rows = [(7, HOSTILE, 1.5), (2**62, None, None), (3, "漢字", float("inf"))]
    told = [{"id": 7, "title": HOSTILE, "lift": 1.5}, {"id": 2**62, "title": None, "lift": None}]
    assert json.loads(written(write_json, COLUMNS, rows))[:2] == told
    assert [json.loads(line) for line in written(write_ndjson, COLUMNS, rows).splitlines()][:2] == told
    assert "漢字" in written(write_ndjson, COLUMNS, rows)
    assert json.loads(written(write_json, COLUMNS, [])) == []
