"""The comments at the head of named queries say what the code needs to know."""

from __future__ import annotations

import re

import pytest

from harvest.explore.named import THINGS, Parameter, named_queries, named_query, read_named
from harvest.explore.tokenizer import parameters

QUERIES = named_queries()
HEAD = """-- Who is
-- who?
--
-- :track  track = seed      which one
-- :order  people|lift = people  what comes first
-- :words  words             what to look for
--
-- Mind this.
--
-- And this.
SELECT 1; -- not this
"""


def test_a_head_is_read_whole():
    query = read_named("who", HEAD)
    assert query.question == "Who is who?"
    assert query.parameters == (
        Parameter("track", "track", "seed", "which one"),
        Parameter("order", "people|lift", "people", "what comes first"),
        Parameter("words", "words", None, "what to look for"),
    )
    assert query.parameters[1].choices == ("people", "lift")
    assert query.notes == "Mind this.\n\nAnd this."
    assert query.body == "SELECT 1; -- not this"
    assert query.sql == HEAD


def test_a_line_that_is_no_parameter_is_refused():
    with pytest.raises(ValueError, match=r"who\.sql: ':track which' is no parameter"):
        read_named("who", "-- Who?\n--\n-- :track which\nSELECT 1")


def test_a_query_is_found_in_either_spelling_and_others_are_not():
    assert named_query("co_likes") == named_query("CO-LIKES") == QUERIES["co-likes"]
    assert named_query("no-such-query") is None
    assert named_query("..") is None


def test_there_are_the_queries_that_were_promised():
    assert QUERIES.keys() >= {
        "co-likes", "shared-fans", "taste-overlap", "playlists-around", "not-whole", "growth-by-day", "tag-pairs",
        "negative-samples", "methods", "search",
    }  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_takes_what_its_head_says(name):
    query = QUERIES[name]
    assert set(parameters(query.body)) == {p.name for p in query.parameters}
    assert query.question.endswith(("?", ".")) or ":" in query.question
    assert len(query.question) < 110
    known = {"integer", "text", "words", "tracks", "tag", *THINGS}
    assert all(p.type in known or p.default in p.choices for p in query.parameters)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_laid_out_like_the_others(name):
    lines = QUERIES[name].sql.splitlines()
    assert [line for line in lines if len(line) > 120 or line != line.rstrip() or "\t" in line] == []
    assert lines[-1].endswith(";")
    keywords = r"(?<![:.\w])(select|from|where|join|group by|order by|limit|with|union)\b"
    code = re.sub(r"--.*|'[^']*'", "", QUERIES[name].body)
    assert re.findall(keywords, code) == []
