"""Text that people typed, made safe for one kind of file."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.export.escaping import cell, field, moment, time, word, xml

# Characters that break one reader or another, and a few that do not.
ODD = st.text(alphabet="\0\a\t\n\v\r\x1b\x1c\x85\u2028\ufffe\"'=+-@＝ \xa0,;<>&]\\aé音🎧")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("  +1", "'  +1"),
        ("-", "'-"),
        ("@x", "'@x"),
        ("＝1", "'＝1"),
        ("\tx", "'\tx"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\r=x", "'\n=x"),
        ("a=b", "a=b"),
        ("", ""),
        ("a\0b", "ab"),
        ("\0=1", "'=1"),
        ("two\nlines", "two\nlines"),
        ("'=x", "'=x"),
    ],
)
def test_a_cell_is_no_formula_and_otherwise_untouched(text, safe):
    assert cell(text) == safe


@settings(max_examples=50)
@given(ODD)
def test_a_cell_is_read_back_as_it_was_written(text):
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerow([cell(text), "next"])
    file.seek(0)
    assert list(csv.reader(file)) == [[cell(text), "next"]]


@settings(max_examples=50)
@given(ODD)
def test_a_field_is_one_line_without_tabs_and_quotes(text):
    made = field(text)
    assert made.splitlines() in ([made], [])
    assert not set(made) & set('\t"\0\r\n')
    assert made == made.strip() == field(made)


@settings(max_examples=50)
@given(ODD)
def test_a_word_has_no_blanks(text):
    assert len(word(text).split()) <= 1


def test_what_a_field_keeps():
    assert field(' a\tb\r\nc "d" é 🎧\x00 ') == "a b c 'd' é 🎧"
    assert word("hip hop") == "hip_hop"


@settings(max_examples=50)
@given(ODD)
def test_any_text_can_stand_in_xml(text):
    from xml.sax.saxutils import escape

    kept = xml(text)
    assert ElementTree.fromstring(f"<a>{escape(kept, {chr(13): '&#13;'})}</a>").text == (kept or None)


def test_what_xml_keeps():
    assert xml("a\x00\x08\x0b\x1b\ufffe\uffffb\t\n\r\x85é🎧") == "ab\t\n\r\x85é🎧"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02T00:00:01Z", 86401),
        ("2026-08-07T14:18:05Z", 1786112285),
        ("0000-00-00T00:00:00Z", None),
        (None, None),
        ("2026-13-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_a_time_that_is_none_is_unknown(text, seconds):
    assert moment(text) == seconds
    assert time(text) == (text if seconds is not None else None)
