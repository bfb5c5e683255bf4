"""Artists named in titles: what is found, and what only looks like it."""

from __future__ import annotations

import pytest

from harvest.analysis.titles import fold, is_name, named

KOAN, MIRA, SOLVENT, DUO, LABEL = 1, 2, 3, 4, 9
ARTISTS = {"koan": KOAN, "miralane": MIRA, "solvent": SOLVENT, "nightday": DUO, "deepcuts": LABEL}


@pytest.mark.parametrize(
    ("title", "uploader", "expected"),
    [
        ("Rain (feat. Mira Lane)", KOAN, {("featuring", KOAN, MIRA)}),
        ("Rain ft. Mira Lane & Solvent", KOAN, {("featuring", KOAN, MIRA), ("featuring", KOAN, SOLVENT)}),
        ("Rain Featuring MIRA-LANE [Free DL]", KOAN, {("featuring", KOAN, MIRA)}),
        ("Rain (with Solvent)", KOAN, {("featuring", KOAN, SOLVENT)}),
        ("Koan feat. Mira Lane - Rain", LABEL, {("featuring", KOAN, MIRA)}),
        ("Koan (with Mira Lane) - Rain", LABEL, {("featuring", KOAN, MIRA)}),
        ("Koan - Rain (Solvent Remix)", LABEL, {("remix", KOAN, SOLVENT)}),
        ("Rain - Solvent Remix", KOAN, {("remix", KOAN, SOLVENT)}),
        ("Rain [Solvent's VIP Edit]", KOAN, {("remix", KOAN, SOLVENT)}),
        ("Koan x Solvent - Rain", LABEL, {("together", KOAN, SOLVENT)}),
        ("Koan & Mira Lane - Rain", KOAN, {("together", KOAN, MIRA)}),
        ("Koan, Mira Lane vs. Solvent - Rain", 7, {("together", *p) for p in ((1, 2), (1, 3), (2, 3))}),
        ("Koan x Solvent", KOAN, {("together", KOAN, SOLVENT)}),
        ("Night & Day - Rain (feat. Koan)", DUO, {("featuring", KOAN, DUO)}),
    ],
)
def test_a_named_artist_is_found(title, uploader, expected):
    assert named(title, uploader, ARTISTS) == expected


@pytest.mark.parametrize(
    ("title", "uploader"),
    [
        ("Rain", KOAN),
        ("Rain (feat. Nobody Known)", KOAN),
        ("Rain (Original Mix)", KOAN),
        ("Koan - Rain (Koan Remix)", KOAN),  # oneself
        ("Love & Solvent", KOAN),  # no dash: a title, not two artists
        ("Koan x Solvent", MIRA),  # neither of them uploads it
        ("Rain and Solvent", KOAN),
        ("Koan - Solvent", KOAN),  # a title that is somebody's name
        ("Mira Lane - Rain", LABEL),  # uploading somebody is no collaboration
        ("Defeat Solvent", KOAN),  # 'feat' inside a word
        ("Left. Solvent", KOAN),
        ("Solvent remix", KOAN),  # neither in brackets nor behind a dash
        ("Max Koan", SOLVENT),
        ("Mira Lane (Koan - Live)", KOAN),  # a dash inside brackets
        ("", KOAN),
    ],
)
def test_what_only_looks_like_a_name_is_not(title, uploader):
    assert named(title, uploader, ARTISTS) == set()


def test_spellings_of_a_name_are_brought_together():
    assert {fold(name) for name in ("Beyoncé", "BEYONCE", "Bey-once", " beyoncé ")} == {"beyonce"}
    assert fold("Mr. Oizo") == "mroizo"
    assert fold("坂本龍一") == "坂本龍一"


@pytest.mark.parametrize(("name", "is_one"), [("koan", True), ("ab", False), ("remix", False), ("1999", False)])
def test_common_words_and_short_ones_are_no_names(name, is_one):
    assert is_name(name) == is_one


@pytest.mark.timeout(60)  # without a bound each of these takes hours
@pytest.mark.parametrize(
    "piece", ["(", " ", "[(", "( ", " - ", " - a", "a - ", " official", "(with ", "ft ", "a x ", "x, ", "–", "'s "]
)
@pytest.mark.parametrize("end", ["", "x", " remix)"])
def test_a_hostile_title_is_looked_at_quickly(piece, end):
    assert named(piece * 20_000 + end, KOAN, ARTISTS) == set()
    assert named("Rain (feat. Mira Lane)" + piece * 20_000 + end, KOAN, ARTISTS) == {("featuring", KOAN, MIRA)}
    assert named("Rain" + " " * 200 + "(feat.  Mira   Lane)", KOAN, ARTISTS) == {("featuring", KOAN, MIRA)}
