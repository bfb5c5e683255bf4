"""What is read of a query in order to speak about it."""

from __future__ import annotations

import pytest

from harvest.explore.tokenizer import parameters, places, position, words

SQL = "SELECT ':no', a.title -- :no\nFROM \"My tracks\" AS a /* :no */ WHERE x = :yes AND y = @also AND z = :yes"


def test_parameters_stand_outside_comments_and_text():
    assert parameters(SQL) == ["yes", "also"]
    assert parameters("SELECT ?, ?2, $c") == ["", "2", "c"]
    assert parameters("SELECT 1") == []


def test_words_are_names_quoted_or_not():
    assert {"my tracks", "title", "x"} <= words(SQL)
    assert "no" not in words(SQL)


@pytest.mark.parametrize(
    ("sql", "wanted", "where"),
    [
        ("SELECT titel FROM tracks", "titel", "column 8"),
        ("SELECT 'titel', titel", "titel", "column 17"),
        ("SELECT 1,\n  t.titel", "t.titel", "line 2, column 3"),
        ('SELECT "Titel"', "titel", "column 8"),
        ("SELECT *\nFORM x", "FORM", "line 2, column 1"),
        ("SELECT count(*)) ", ")", "column 15"),
    ],
)
def test_where_something_stands(sql, wanted, where):
    assert position(sql, places(sql, wanted)[0]) == where


def test_what_does_not_stand_there_has_no_place():
    assert places("SELECT 'titel' -- titel", "titel") == []
