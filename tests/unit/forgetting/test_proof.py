"""What is forgotten is found in every form in which it is written down."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from urllib.parse import quote, quote_plus

import pytest

from harvest.forgetting.proof import mentions, pattern_of, pattern_of_words

TEXTS = [
    "Ære Ñandú",
    "https://soundcloud.com/a-b/ü_c",
    "soundcloud:users:12",
    'DJ "X" \\ y',
    "𝕏tra",
    "a\u2028bcd",
    "50 %?",
]
FORMS = {
    "as it is": str,
    "in a sentence": lambda text: f"by {text}, who left",
    "JSON": json.dumps,
    "JSON with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON with \\/": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON with capitals": lambda text: "\\u".join(
        part if not n else part[:4].upper() + part[4:] for n, part in enumerate(json.dumps(text).split("\\u"))
    ),
    "a path": quote,
    "a parameter": lambda text: quote(text, safe=""),
    "a form": quote_plus,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_text_is_found_in_every_form(form):
    written = [FORMS[form](text.removeprefix("https://")).encode() for text in TEXTS]
    for pattern in (pattern_of(TEXTS), pattern_of_words(TEXTS)):
        assert [bool(pattern.search(one)) for one in written] == [True] * len(TEXTS)
        assert [pattern_of(TEXTS[:n] + TEXTS[n + 1 :]).search(one) for n, one in enumerate(written)] == [None] * len(
            TEXTS
        )


@pytest.mark.parametrize("other", ["soundcloud:users:123", "soundcloud%3Ausers%3A120", "soundcloud:users:1", "abcd"])
def test_what_only_begins_alike_is_not_found(other):
    assert pattern_of(TEXTS).search(other.encode()) is None


def test_whatever_a_table_that_somebody_has_added_holds_its_texts_are_looked_through():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE notes (said TEXT, more TEXT, n INTEGER)")
        rows = [("by Ære Ñandú", None, 1), (b"\xff", "Ære Ñandú, too", 2), (None, "nobody", 3)]
        connection.executemany("INSERT INTO notes VALUES (?, ?, ?)", rows)
        assert mentions(connection, TEXTS) == {"notes.said": 1, "notes.more": 1}
