import pytest

from harvest.report.texts import (
    capital,
    count,
    counted,
    cut,
    day,
    fitted,
    link_target,
    listed,
    minute,
    share,
    shown,
    times,
    width,
)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("Velvet Drift", "Velvet Drift"),
        ("  two\t lines\nand\r\nmore ", "two lines and more"),
        ("\u202eevil rtl\u2066 override\u200e", "evil rtl override"),
        ("bell\x07, escape\x1b[31m", "bell , escape [31m"),
        ("\ud800half", "half"),
        ("\ufeff\u200b", "(no name)"),
        ("", "(no name)"),
        (None, "(no name)"),
        ("👩‍🚀", "👩‍🚀"),
        ("Z" + "\u0301" * 50 + "algo", "Z\u0301\u0301algo"),
        ("ヒップホップ מוזיקה", "ヒップホップ מוזיקה"),
    ],
)
def test_what_was_sent_is_shown_without_what_cannot_be_seen(sent, seen):
    assert shown(sent) == seen


def test_a_long_text_is_cut_and_says_so():
    assert shown("na " * 1000, 10) == "na na na…"
    assert len(shown("x" * 100_000, 80)) == 80
    assert cut("short", 5) == "short"


def test_a_label_fits_its_room():
    for text in ("i" * 200, "W" * 200, "漢" * 200, "🎧" * 200):
        assert 100 < width(fitted(text, 13, 150), 13) <= 150
    assert fitted("short", 13, 150) == "short"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://soundcloud.com/a/b",
        "https://evil.example/soundcloud.com",
        "https://soundcloud.com.evil.example/a",
        "https://notsoundcloud.com/a",
        "https://soundcloud.com@evil.example/a",
        "https://soundcloud.com/a b",
        'https://soundcloud.com/"onclick',
        "https://soundcloud.com/\u202ea",
        "https://[broken",
        "data:text/html,x",
        "//soundcloud.com/a",
        "",
        None,
    ],
)
def test_nothing_but_a_page_of_soundcloud_is_linked_to(url):
    assert link_target(url) is None


@pytest.mark.parametrize("url", ["https://soundcloud.com/artist/track", "https://on.soundcloud.com/abc"])
def test_a_page_of_soundcloud_is_linked_to(url):
    assert link_target(url) == url


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 10, "0%"),
        (10, 10, "100%"),
        (9_999, 10_000, "over 99.9%"),
        (997, 1000, "99.7%"),
        (999_999_999, 10**9, "over 99.9%"),
        (1, 1295, "0.08%"),
        (1, 10**6, "0.0001%"),
        (1, 10**7, "under 0.0001%"),
        (5, 1000, "0.5%"),
        (1, 3, "33%"),
        (997, 10_000, "10%"),
        (994, 10_000, "9.9%"),
        (11, 10, "110%"),
        (1, 0, "–"),
    ],
)
def test_a_share_is_never_called_all_or_nothing_when_it_is_not(part, whole, told):
    assert share(part, whole) == told


def test_numbers_and_times_in_words():
    assert [times(r) for r in (None, 0.031, 0.96, 1.0, 3.14, 250.4)] == ["–", "0.03×", "1.0×", "1.0×", "3.1×", "250×"]
    assert [count(n, "list") for n in (0, 1, 2000)] == ["0 lists", "1 list", "2,000 lists"]
    assert count(2, "person", "people") == "2 people"
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert [day("2026-08-07T14:18:05Z"), day(None), day("?")] == ["7 August 2026", "unknown", "unknown"]
    assert [minute("2026-08-07T14:18:05Z"), minute(None)] == ["2026-08-07 14:18 UTC", "–"]


def test_what_there_is_none_of_is_left_out():
    assert counted([(2000, "cut by a cap"), (0, "in circles"), (1, "without an answer")]) == [
        "2,000 cut by a cap",
        "1 without an answer",
    ]


def test_a_capital_begins_a_text_and_changes_nothing_else():
    assert [capital(text) for text in ("on SoundCloud, by DJ X", "", "é")] == ["On SoundCloud, by DJ X", "", "É"]
