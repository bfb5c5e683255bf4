"""What is a difference and what is chance: replies made up of what is known, each changed in one way."""

from __future__ import annotations

from typing import Any

import pytest

from harvest.probing.compare import changes
from harvest.probing.differences import Difference, together
from harvest.probing.expected import fields_of
from harvest.probing.findings import findings
from harvest.probing.onward import GoesOn
from harvest.probing.report import Answer, Endpoint, Report
from harvest.probing.shapes import Fields

RELATED = "/tracks/{urn}/related"
OFFSET = GoesOn({"offset": "number", "limit": "number"}, size=20)


def page_of(kind: str, n: int, *without: str, **more: dict[str, int]) -> Fields:
    """The shape of a page of so many things that have all that is always there, and the counts that may be hidden."""
    found: Fields = {"": {"object": 1}, "collection": {"array": 1}, "collection[]": {"object": n}}
    for path, field in fields_of(kind).items():
        if (field.always or field.hidden) and path not in without:
            described = sorted("object" if word[0] == "#" else word for word in field.described - {"null"})
            found[f"collection[].{path}"] = {described[0] if not field.leads else "null": n}
    return found | {f"collection[].{path}": types for path, types in more.items()}


def told(fields: Fields, endpoint: str = RELATED, **answer: Any) -> list[str]:
    made = Answer(200, fields=fields, **{"asked_for": 20, "entries": 20, "goes_on": OFFSET, **answer})
    return [one.line.removeprefix(f"{endpoint}: ") for one in findings({endpoint: Endpoint({"application": made})})]


@pytest.mark.parametrize("kind", ["track", "user", "playlist", "comment", "station"])
def test_what_is_known_differs_in_nothing(kind):
    endpoint = {
        "track": RELATED,
        "user": "/users?q",
        "playlist": "/playlists?q",
        "comment": "/tracks/{urn}/comments",
        "station": "/users/{urn}/likes/system-playlists",
    }[kind]
    assert told(page_of(kind, 20), endpoint, goes_on=None) == []


def test_a_count_that_owners_may_hide_is_missed_only_where_many_are_without():
    assert told(page_of("track", 49, "playback_count")) == []
    assert told(page_of("track", 50, "playback_count")) == ["track.playback_count is missing from all of them"]
    assert told(page_of("track", 50, playback_count={"integer": 1})) == []


def test_each_of_several_new_names_is_found_by_its_likeness_and_its_type():
    without = page_of("track", 20, "permalink_url", "artwork_url", "duration")
    new = {"collection[].permalink": {"string": 20}, "collection[].artwork": {"string": 20}}
    assert told(without | new | {"collection[].length_ms": {"integer": 20}}) == [
        "track.artwork_url is missing; artwork, which is new, may be its new name; we read it",
        "track.duration is missing; we read it",
        "track.permalink_url is missing; permalink, which is new, may be its new name; we read it",
        "track.length_ms is new: it is neither read nor described",
    ]


def test_a_new_field_of_another_type_is_no_new_name():
    fields = page_of("track", 20, "title") | {"collection[].caption": {"integer": 20}}
    assert told(fields) == [
        "track.title is missing; we read it",
        "track.caption is new: it is neither read nor described",
    ]


def test_what_stands_inside_of_something_new_is_told_with_it():
    fields = page_of("track", 20) | {
        "collection[].mood": {"object": 20},
        "collection[].mood.valence": {"number": 20},
        "collection[].mood.words[]": {"string": 5},
    }
    assert told(fields) == ["track.mood is new: it is neither read nor described"]


def test_differences_stand_in_the_same_order_every_time():
    names = [f"mood_{letter}" for letter in "abcdefgh"]
    fields = page_of("track", 20) | {f"collection[].{name}": {"integer": 20} for name in reversed(names)}
    headers = {f"x-quota-{letter}": "5" for letter in "hgfedcba"}
    assert told(fields, limits=headers) == [
        *(f"track.{name} is new: it is neither read nor described" for name in names),
        *(f"header {name} tells of a limit, and we do not read it" for name in sorted(headers)),
    ]


def test_names_that_were_withheld_are_said_so():
    fields = page_of("track", 20) | {"collection[].*": {"integer": 3}}
    assert told(fields) == ["track.* are fields whose names are withheld: they may be somebody's"]


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ({"number": 20}, ["track.duration is number; we read integer"]),
        ({"string": 1, "integer": 19}, ["track.duration is string; we read integer"]),
        ({"integer": 20}, []),
        ({"null": 20}, []),
    ],
)
def test_a_type_that_the_parser_does_not_take_is_named(types, words):
    assert told(page_of("track", 20, duration=types)) == words


def test_a_type_that_is_only_described_is_named_as_such():
    assert told(page_of("track", 20, commentable={"string": 20})) == [
        "track.commentable is string; described is boolean, and we do not read it"
    ]
    countries = {"collection[].available_country_codes": {"array": 20}}
    assert told(page_of("track", 20) | countries) == []  # the parser takes what the description does not name


@pytest.mark.parametrize(
    ("on", "words"),
    [
        (GoesOn({"offset": "number"}, path=False), ["next_href leads to another path"]),
        (GoesOn({"offset": "number"}, host=False, path=False), ["next_href names another host; leads to another path"]),
        (GoesOn({"offset": "number"}, size=10), ["next_href asks for pages of 10, not of 20"]),
        (GoesOn({"cursor": "16 digits"}), ["next_href goes on by cursor=16 digits, not by offset=number"]),
        (GoesOn({"limit": "number"}), ["next_href goes on by nothing, not by offset=number"]),
        (None, []),
    ],
)
def test_where_a_page_goes_on_is_compared_with_what_has_been_seen(on, words):
    assert told(page_of("track", 20), goes_on=on) == words


def test_what_was_there_is_said_of_a_reply_that_is_something_else():
    assert told({"": {"string": 1}}) == ["answers with a string, not an object"]
    assert told({"": {"object": 1}, "next_href": {"null": 1}}) == ["page.collection is missing; we read it"]


def test_the_same_at_several_places_is_one_line_and_names_three_of_them():
    found = [Difference((place,), "track.mood", "is new") for place in "abcde"]
    (one,) = together([*found, found[0]])
    assert one.line == "a, b, c and 2 more: track.mood is new"
    assert one.where == tuple("abcde")
    assert together(found[:4])[0].line == "a, b, c, d: track.mood is new"


def report(fields: Fields, **answer: Any) -> Report:
    made = Answer(200, fields=fields, **{"asked_for": 20, "entries": 20, "goes_on": OFFSET, **answer})
    endpoints = {RELATED: Endpoint({"application": made})}
    return Report("harvest", "2026-11-21", ["application"], "whole", 1, endpoints, [], "2026-07-19")


def changed(old: Report, new: Report) -> list[str]:
    return [one.line.removeprefix(f"{RELATED}: ") for one in changes(old, new)]


def test_what_is_chance_is_no_change():
    old = report(page_of("track", 20, "playback_count", bpm={"integer": 20}, download_url={"string": 1}))
    new = report(page_of("track", 7, bpm={"number": 6, "null": 1}, label_name={"null": 7}))
    assert changed(old, new) == changed(new, old) == []
    empty = report({"": {"object": 1}, "collection": {"array": 1}}, entries=0, goes_on=None)
    assert changed(old, empty) == changed(empty, new) == []


def test_a_page_of_nulls_shows_nothing_that_could_have_gone():
    old = report(page_of("track", 20))
    nulls = report({"": {"object": 1}, "collection": {"array": 1}, "collection[]": {"null": 2}}, entries=2)
    assert changed(old, nulls) == changed(nulls, old) == []
    assert told(nulls.endpoints[RELATED].answers["application"].fields) == []


def test_what_is_no_chance_is_a_change_in_both_directions():
    old = report(page_of("track", 20), limits={"x-ratelimit-limit": "600", "x-ratelimit-remaining": "599"})
    new = report(
        page_of("track", 20, "title", bpm={"string": 20}, mood={"integer": 20}),
        limits={"x-ratelimit-limit": "60", "x-ratelimit-remaining": "3", "retry-after": "5"},
        goes_on=GoesOn({"cursor": "uuid"}, size=10),
    )
    assert changed(old, new) == [
        "track.title is gone",
        "track.mood is new",
        "track.bpm is string, was number",
        "next_href goes on by cursor=uuid, before by offset=number",
        "size of a page is 10, was 20",
        "header retry-after is new",
        "header x-ratelimit-limit is 60, was 600",
    ]
    assert changed(new, old) == [
        "track.mood is gone",
        "track.title is new",
        "track.bpm is number, was string",
        "next_href goes on by offset=number, before by cursor=uuid",
        "size of a page is 20, was 10",
        "header retry-after is gone",
        "header x-ratelimit-limit is 600, was 60",
    ]
    assert changed(new, new) == []


def test_an_answer_that_can_be_read_no_more_is_a_change_whatever_its_status():
    fields = page_of("track", 20)
    old, new = report(fields), report({}, problem="unexpected_reply")
    words = "answers the application with 200 (unexpected reply), before with 200 (nothing wrong)"
    assert changed(old, new) == [words]


def test_an_endpoint_that_only_one_has_asked_tells_nothing():
    old = report(page_of("track", 20))
    new = report(page_of("track", 20, "title"))
    new.endpoints[RELATED] = Endpoint(not_asked="no track was met")
    assert changed(old, new) == []
