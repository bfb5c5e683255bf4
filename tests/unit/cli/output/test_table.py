"""Rows under each other, whole and plain."""

from __future__ import annotations

from harvest.cli.output.table import table


def test_cells_stand_two_apart_and_numbers_to_the_right():
    assert list(table([("what", "rows", "note"), ("漢字", "1,234", ""), ("[b]", "5", "x")], right=[1])) == [
        "  what   rows  note",
        "  漢字  1,234",
        "  [b]       5  x",
    ]


def test_nothing_is_cut_wrapped_or_coloured(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert list(table([("a " * 100 + "b", "1")])) == ["  " + "a " * 100 + "b  1"]
