"""What a description says as facts, what a newer one says otherwise, and files that are no description."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import yaml

from harvest.errors import SettingsError
from harvest.probing.description import LARGEST, read_description
from harvest.probing.facts import Facts, as_json, official
from harvest.probing.spec import spec_differences
from tests.describing import described


def facts_of(document: dict[str, Any], day: str = ""):
    return read_description(json.dumps(document).encode(), "api.json", day=day)


def test_the_stored_facts_hold_names_and_types_and_no_sentence() -> None:
    texts: list[str] = []

    def gather(value: Any) -> None:
        if isinstance(value, dict):
            for name, part in value.items():
                texts.append(name)
                gather(part)
        elif isinstance(value, list):
            for part in value:
                gather(part)
        elif isinstance(value, str):
            texts.append(value)

    gather(json.loads(as_json(official())))
    words = re.compile(r"#?[\w./\[\]-]*|(GET|PUT|POST|DELETE) [\w./{}-]+", re.ASCII)
    assert len(texts) > 700
    assert [text for text in texts if not words.fullmatch(text)] == []


def test_facts_are_stored_as_they_are_read_again() -> None:
    assert msgspec.json.decode(as_json(official()), type=Facts) == official()


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump], ids=["json", "yaml"])
def test_a_description_with_the_same_facts_differs_in_nothing(write: Callable[[Any], str]) -> None:
    read = read_description(write(described()).encode(), "api.yaml", day=official().day)
    assert read == official()
    assert spec_differences(official(), read) == []


def _rename(fields: dict[str, Any], old: str, new: str) -> None:
    fields["properties"][new] = fields["properties"].pop(old)


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], list[str]]] = {
    "endpoint gone": (
        lambda api: api["paths"].pop("/tracks/{urn}/favoriters"),
        ["GET /tracks/{urn}/favoriters: is gone; we ask it"],
    ),
    "endpoint gone that nobody asks": (
        lambda api: api["paths"]["/me/activities"].pop("get"),
        ["GET /me/activities: is gone"],
    ),
    "endpoint new": (
        lambda api: api["paths"].update({"/moods/{mood_urn}": api["paths"]["/users/{urn}"]}),
        ["GET /moods/{urn}: is new"],
    ),
    "endpoint new that we ask": (
        lambda api: api["paths"].update({"/system-playlists/{urn}": api["paths"]["/users/{urn}"]}),
        ["GET /system-playlists/{urn}: is new; we ask it already"],
    ),
    "parameter gone": (
        lambda api: api["paths"]["/users/{urn}/likes/tracks"]["get"].update(parameters=[]),
        [
            "GET /users/{urn}/likes/tracks: parameter access is gone; we send it",
            "GET /users/{urn}/likes/tracks: parameter limit is gone; we send it",
            "GET /users/{urn}/likes/tracks: parameter linked_partitioning is gone; we send it",
        ],
    ),
    "parameter new": (
        lambda api: api["paths"]["/users"]["get"]["parameters"].append({"in": "query", "name": "city"}),
        ["GET /users: parameter city is new"],
    ),
    "other answer": (
        lambda api: api["paths"]["/users/{urn}"]["get"].update(responses=api["paths"]["/me"]["get"]["responses"]),
        ["GET /users/{urn}: answers with Me, not User"],
    ),
    "field gone and new": (
        lambda api: _rename(api["components"]["schemas"]["Comment"], "body", "text"),
        ["Comment: body is gone; we read it", "Comment: text is new"],
    ),
    "field gone that nobody reads": (
        lambda api: api["components"]["schemas"]["Track"]["properties"].pop("commentable"),
        ["Track: commentable is gone"],
    ),
    "field new that we read": (
        lambda api: api["components"]["schemas"]["User"]["properties"].update(station_urn={"type": "integer"}),
        ["User: station_urn is new; we read it already and do not take integer"],
    ),
    "other type": (
        lambda api: api["components"]["schemas"]["Playlist"]["properties"].update(duration={"type": "string"}),
        ["Playlist: duration is string, was integer; we read integer and do not take string"],
    ),
    "may be null": (
        lambda api: api["components"]["schemas"]["Me"]["properties"]["quota"].update(nullable=True),
        ["Me: quota is object or null, was object"],
    ),
    "inside of something": (
        lambda api: api["components"]["schemas"]["WebProfiles"]["items"]["properties"].pop("service"),
        ["WebProfiles: [].service is gone; we read it"],
    ),
    "schema new": (
        lambda api: api["components"]["schemas"].update(Mood={"type": "object"}),
        ["Mood: is a new schema"],
    ),
    "schema gone": (
        lambda api: api["components"]["schemas"].pop("Streams"),
        ["Streams: is gone"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_one_line(name: str) -> None:
    change, told = CHANGES[name]
    document = described()
    change(document)
    assert [one.line for one in spec_differences(official(), facts_of(document))] == told


def test_references_and_parts_of_parameters_are_followed() -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"version": 2},
        "paths": {"/a/{x}": {"parameters": [{"$ref": "#/components/parameters/range"}], "get": {"responses": {
            "200": {"$ref": "#/components/responses/A"}}}}},
        "components": {
            "parameters": {"range": {"in": "query", "name": "bpm", "schema": {"properties": {"from": {}, "to": {}}}}},
            "responses": {"A": {"content": {"any": {"schema": {"$ref": "#/components/schemas/A"}}}}},
            "schemas": {
                "A": {"allOf": [{"$ref": "#/components/schemas/B"},
                                {"properties": {"b": {"items": {"type": "string"}}}}]},
                "B": {"type": "object", "properties": {"c": {"type": ["integer", "null"]},
                                                       "a": {"$ref": "#/components/schemas/A"}}},
            },
        },
    }  # fmt: skip
    facts = facts_of(document)
    assert {name: (one.parameters, one.answers) for name, one in facts.endpoints.items()} == {
        "GET /a/{urn}": (["bpm[from]", "bpm[to]"], ["#A"])
    }
    assert facts.schemas == {
        "A": {"": ["object"], "a": ["#A"], "b": ["array"], "b[]": ["string"], "c": ["integer", "null"]},
        "B": {"": ["object"], "a": ["#A"], "c": ["integer", "null"]},
    }
    assert facts.version == "2"


def bomb() -> bytes:
    """Few bytes that stand for 10^9 schemas."""
    levels = ["a0: &a0 {type: string}"]
    for n in range(1, 10):
        names = ", ".join(f"p{i}: *a{n - 1}" for i in range(10))
        levels.append(f"a{n}: &a{n} {{properties: {{{names}}}}}")
    parts = "\n    ".join(levels)
    return f"openapi: 3.0.0\npaths: {{}}\ncomponents:\n  schemas:\n    {parts}\n".encode()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "it has no `openapi` and `paths`"),
        (b"[1, 2]", "it has no `openapi` and `paths`"),
        (b"openapi: 3.0.0", "it has no `openapi` and `paths`"),
        (b"openapi: 3.0.0\npaths: []", "it has no `openapi` and `paths`"),
        (b"# A page\n\n* like `this`: and *that\n", "neither YAML nor JSON can be read in it"),
        (b"SQLite format 3\x00\xff", "neither YAML nor JSON can be read in it"),
        (b"!!python/object/apply:os.system ['true']", "neither YAML nor JSON can be read in it"),
        (b"[" * 100_000, "neither YAML nor JSON can be read in it"),
        (b" " * (LARGEST + 1), "it is larger than 20 MB"),
        (bomb(), "its parts never end"),
        (b"openapi: 3.0.0\npaths: {}\ncomponents: {schemas: {A: &a {items: *a}}}", "its parts never end"),
        (b"openapi: 3.0.0\npaths: {/a: {get: {$ref: '#/paths/~1a/get'}}}", "its parts never end"),
    ],
)
def test_what_is_no_description_gets_one_line(body: bytes, why: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_description(body, "x.yaml")
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize("part", [None, 5, "x", [], [5], {"x": 5}, {"schemas": 5}])
def test_parts_of_the_wrong_type_are_passed_over(part: Any) -> None:
    paths = {"/a": part, "/b": {"get": {"parameters": part, "responses": part}}}
    document = {"openapi": "3", "info": part, "paths": paths, "components": part}
    assert set(facts_of(document).endpoints) == {"GET /b"}
