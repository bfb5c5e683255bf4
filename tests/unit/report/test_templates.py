"""The templates: what they do to whatever is put into them, and that each of them stands on its feet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jinja2 import UndefinedError

from harvest.models import Outcome
from harvest.report.facts import gather
from harvest.report.ledger import COLOURS
from harvest.report.page import page, templates
from harvest.report.rows import ListsEnded, SeedRow
from tests.htmlpages import by_id, parse, table, words

HOSTILE = "</title><script>alert('x')</script> & \"quotes\""
PARTS = '{% from "parts.html" import by, key, name, picture, table %}'


def written(source, **values):
    return templates().from_string(source).render(**values)


def read(source, **values):
    return parse(f"<!doctype html><html>{written(PARTS + source, **values)}</html>")


@pytest.fixture
def facts(db):
    return gather(db.conn, "empty.db")


def test_numbers_are_written_whole_with_separators_and_what_is_none_is_not_known():
    assert written("{{ n }} {{ mean }} {{ nothing }} {{ 0 }}", n=1234567, mean=2345.678, nothing=None) == (
        "1,234,567 2,346 not known 0"
    )


def test_text_is_never_markup_in_any_part():
    found = read(
        """{{ name(text, "https://soundcloud.com/a") }}{{ name(text, text) }}{{ key([(text, text)]) }}
        {% call table("t", text, [(text, text)], text) %}<tr><td>{{ text }}</td></tr>{% endcall %}""",
        text=HOSTILE,
    )
    assert {e.tag for e in found.iter()} == {
        *("html", "a", "bdi", "ul", "li", "span"),
        *("div", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    }
    assert [words(e) for e in found.iter("bdi")] == [HOSTILE, HOSTILE]
    assert [e.get("href") for e in found.iter("a")] == ["https://soundcloud.com/a"]
    assert [words(e) for e in found.iter("th")] == [HOSTILE]
    assert [e.get("class") for e in found.iter("th")] == [HOSTILE]
    assert words(next(found.iter("caption"))) == f"{HOSTILE} {HOSTILE}"


@pytest.mark.parametrize("source", ["{{ nothing }}", "{{ facts.nothing }}", "{% if nothing %}{% endif %}"])
def test_a_name_that_means_nothing_is_an_error_and_no_gap(source, facts):
    with pytest.raises(UndefinedError, match="nothing"):
        written(source, facts=facts)


@pytest.mark.parametrize("name", templates().list_templates())
def test_every_template_is_in_order_and_says_what_it_is_for(name):
    """Also those of sections that a page may lack: a filter that is not there fails here."""
    source, *_ = templates().loader.get_source(templates(), name)
    templates().get_template(name)
    assert source.startswith("{# ")


def test_every_outcome_has_a_colour_and_words(facts):
    """Also those that no crawl of the tests ends with."""
    assert list(COLOURS) == [*Outcome, "doing", "todo"]
    rows = [
        ListsEnded("user_likes", "tracks the user likes", outcome, 1000 + n, 0, None, 0, 0, 1)
        for n, outcome in enumerate(COLOURS)
    ]
    found = parse(page(replace(facts, ledger=rows[::-1])))
    told = table(found, "ledger")
    assert [row[1].split()[0].strip(",") for row in told] == [*Outcome, "open", "open"]
    assert all(len(row[1].split()) > 2 for row in told)
    ended = ", ".join(f"{row.lists:,} {row.outcome}" for row in rows[:-2])
    begun, todo = (f"{row.lists:,}" for row in rows[-2:])
    assert words(by_id(found, "lists-user-likes-desc")) == f"{ended}, {begun} open, begun, {todo} open"


def test_what_one_of_a_kind_is_called(facts):
    """Most pages have many of everything, so the singular is rarely seen."""
    rows = [
        ListsEnded("track_likers", "users who like the track", "complete", 1, 7, 7, 7, 0, 0),
        ListsEnded("user_likes", "tracks the user likes", "complete", 1, 3, 3, 3, 0, 0),
        ListsEnded("user_likes", "tracks the user likes", "loop", 1, 3, None, 0, 0, 1),
        ListsEnded("user_likes", "tracks the user likes", "todo", 1, 0, 5, 0, 5, 0),
    ]
    seed = ("https://soundcloud.com/a/b", "track", None, *[None] * 6, "running", 1, None, "{}", "2026", None)
    found = parse(page(replace(facts, ledger=rows, seeds=[SeedRow(1, 1, 0, 1, *seed)], retryable=1)))
    lead = words(next(p for p in found.iter("p") if p.get("class") == "lead"))
    assert lead == (
        "7 of 7 likers of the seed are listed. 3 people were followed into their likes; 1 of these lists is whole "
        "(1 in circles). The harvest is not finished: 1 list is still open, and these numbers will grow. "
        "Nothing has been fetched yet."
    )
    failed = words(by_id(found, "failed"))
    assert "1 of 4 lists could not be read, or not to the end." in failed
    assert "One of them may be read when asked again: harvest retry." in failed
    assert "1 list led in circles and was stopped; what came is kept." in failed
