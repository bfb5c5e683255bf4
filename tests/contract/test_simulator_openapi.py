"""The simulator, and what the crawler asks, against the official description; skipped where that is not at hand."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

import jsonschema
import pytest
import yaml

from harvest.lists import KINDS as ASKED
from harvest.probing.description import read_description
from harvest.probing.facts import official
from harvest.simulator import Terms, World
from harvest.simulator.service.replies import SimRequest
from harvest.simulator.service.service import Service
from harvest.simulator.world.lists import KINDS
from tests.repetitions import slow_but

DESCRIPTION = Path(__file__).parents[2].parent / "shared" / "soundcloud-openapi.yaml"
pytestmark = pytest.mark.skipif(not DESCRIPTION.exists(), reason="the official description is not at hand")

LINKED = "limit=20&linked_partitioning=true&access=playable,preview,blocked"
WIDE = LINKED.replace("limit=20", "limit=200")
# Sent by the service and recorded, though the description does not name them.
RECORDED = {
    "Track": {"id", "station_urn"},  # since a release later than the description
    "User": {"id", "station_urn", "online", "comments_count", "likes_count"},
    "Playlist": {"id"},
    "Comment": {"id"},
    "Me": {"id", "station_urn"},
}
# Addresses that a crawler of lists does not read.
LEFT_OUT = {
    "/me/activities",
    "/me/activities/all/own",
    "/me/activities/tracks",
    "/me/feed",
    "/me/feed/tracks",
    "/me/followings/tracks",
    "/me/followings/{user_urn}",
    "/me/followers/{follower_urn}",
    "/tracks/{track_urn}/preview",
    "/tracks/{track_urn}/streams",
    "/users/{user_urn}/followings/{following_urn}",
}


@cache
def _described() -> dict:
    return yaml.load(DESCRIPTION.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.fixture(scope="module")
def description() -> dict:
    """The official description."""
    return _described()


@pytest.fixture(scope="module", params=slow_but(["odd"], ["plain", "odd", "numeric"]))
def world(request) -> World:
    """A world with plain data, one with everything odd, one that still sends numbers."""
    if request.param == "plain":
        shares = dict.fromkeys(("gone", "forbidden", "private", "null_users", "hidden_stats", "null_access"), 0.0)
        return World(1, 150, 400, quirks=False, **shares)
    odd = dict.fromkeys(("private", "blocked", "preview", "null_users", "hidden_stats", "null_access"), 0.2)
    return World(1, 150, 400, numeric_ids=request.param == "numeric", null_entries=0.1, gone=0, forbidden=0, **odd)


@pytest.fixture(scope="module")
def ask(world):
    """Ask the service as a logged-in person."""
    service = Service(world, terms=Terms())
    token = service.tokens.access_token(user=True)

    def get(target: str):
        return service.handle(SimRequest.of("GET", target, {"authorization": f"OAuth {token}"}))

    return get


@cache
def checker(name: str) -> jsonschema.Draft202012Validator:
    """Return a validator of one schema of the description; null is allowed everywhere, as recordings show."""
    components = deepcopy(_described()["components"])
    _allow_null(components)
    comment = components["schemas"]["Comment"]["properties"]
    comment["timestamp"]["type"] = ["string", "number", "null"]  # a string by its schema, a number in its examples
    countries = components["schemas"]["Track"]["properties"]["available_country_codes"]
    countries["type"] = ["string", "array", "null"]  # a string by its schema, an array where it was seen
    for person in ("User", "Me"):  # the schema says array of arrays, its own example is an array of objects
        del components["schemas"][person]["properties"]["subscriptions"]["items"]["type"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    return jsonschema.Draft202012Validator(schema)


def _allow_null(schema: object) -> None:
    if isinstance(schema, list):
        for part in schema:
            _allow_null(part)
    elif isinstance(schema, dict):
        for part in schema.values():
            _allow_null(part)
        if isinstance(schema.get("type"), str):
            schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]


def fits(name: str, body: bytes) -> object:
    """Check a body against a schema and return it."""
    value = json.loads(body)
    assert [error.message for error in checker(name).iter_errors(value)] == []
    return value


def urn(world: World, thing: str, index: int = 1) -> str:
    """Return the URN of a thing of the world."""
    return f"soundcloud:{thing}s:{world.id(thing, index)}"


def address(template: str, world: World, index: int = 1) -> str:
    """Fill in the path parameters of an address."""
    for thing in ("user", "track", "playlist"):
        template = template.replace(f"{{{thing}_urn}}", urn(world, thing, index))
    return template


def schema_of(operation: dict) -> str:
    """Return the name of what an operation answers with."""
    name = operation["responses"].get("200", operation["responses"].get("302"))["$ref"].rpartition("/")[2]
    return {"TracksList": "Tracks"}.get(name, name)


def readable(description: dict) -> dict[str, dict]:
    """Return what can be read, by address."""
    return {
        path: methods["get"]
        for path, methods in description["paths"].items()
        if "get" in methods and path not in LEFT_OUT
    }


def parameters(operation: dict) -> set[str]:
    """Return the parameters an operation takes."""
    names = {parameter["$ref"].rpartition("/")[2] for parameter in operation.get("parameters", [])}
    return {"access" if name == "access_explicit" else name for name in names}


def test_every_address_answers_in_the_shape_described(description, world, ask):
    for path, operation in readable(description).items():
        if path == "/resolve":
            continue
        name = schema_of(operation)
        for index in range(1, 25, 4):
            reply = ask(f"{address(path, world, index)}?{LINKED}")
            if reply.status == 404 and path == "/tracks/{track_urn}":
                continue  # private
            assert reply.status == 200, path
            value = fits(name, reply.body)
            if name.endswith("s") and name != "WebProfiles":
                assert isinstance(value["collection"], list), path
                assert value.get("next_href") is None or isinstance(value["next_href"], str)


def test_every_thing_has_only_known_keys_of_the_right_type(description, world):
    service = Service(world)
    makers = {
        "Track": service.objects.track,
        "User": service.objects.user,
        "Playlist": service.objects.playlist,
        "Me": service.objects.me,
    }
    for name, make in makers.items():
        known = set(description["components"]["schemas"][name]["properties"]) | RECORDED[name]
        validator = checker(name)
        for index in range(50):
            thing = json.loads(json.dumps(make(index)))
            assert list(validator.iter_errors(thing)) == []
            assert set(thing) <= known, name


def test_comments_have_only_known_keys(description, world):
    service = Service(world)
    schema = description["components"]["schemas"]["Comment"]["properties"]
    for track in range(20):
        for item in world.deeds.entries("track_comments", track).items[:5]:
            comment = service.objects.comment(item)
            assert set(comment) <= set(schema) | RECORDED["Comment"]
            assert set(comment["user"]) <= set(schema["user"]["properties"]) | RECORDED["Comment"]


def test_lists_without_linked_partitioning_are_as_described(description, world, ask):
    """Where the description offers two shapes the bare one comes; user lists without the parameter keep theirs."""
    for path, operation in readable(description).items():
        if not path.startswith(("/users/{", "/tracks/{", "/playlists/{")):
            continue
        body = ask(f"{address(path, world)}?limit=5").body
        name = schema_of(operation)
        if name in ("Tracks", "Playlists") and "linked_partitioning" in parameters(operation):
            fits({"Tracks": "TracksList", "Playlists": "PlaylistsArray"}[name], body)
        elif "linked_partitioning" not in parameters(operation):
            fits(name, body)


def test_next_href_uses_only_parameters_that_are_described(description, world, ask):
    known = readable(description)
    seen = set()
    for path, operation in known.items():
        reply = ask(f"{address(path, world)}?limit=1&linked_partitioning=true&q=x")
        body = json.loads(reply.body) if reply.status == 200 else {}
        if isinstance(body, dict) and body.get("next_href"):
            seen.add(path)
            parts = urlsplit(body["next_href"])
            assert parts.netloc == "api.soundcloud.com"
            query = SimRequest.of("GET", body["next_href"]).query
            allowed = parameters(operation) | {"cursor", "page_size", "limit", "offset", "linked_partitioning", "q"}
            assert set(query) <= allowed, path
            assert json.loads(ask(f"{parts.path}?{parts.query}").body)["collection"] is not None
    assert len(seen) > 8


def test_the_limits_of_limit_are_those_described(description, world, ask):
    schema = description["components"]["parameters"]["limit"]["schema"]
    target = f"/tracks/{world.seed_ids(1)[0]}/favoriters"
    assert (schema["minimum"], schema["maximum"], schema["default"]) == (1, 200, 50)
    assert ask(f"{target}?limit={schema['maximum']}").status == 200
    assert ask(f"{target}?limit={schema['maximum'] + 1}").status == 500
    assert ask(f"{target}?limit={schema['minimum'] - 1}").status == 400


def test_resolve_and_refusals_are_as_described(description, world, ask):
    reply = ask(f"/resolve?url={quote(world.seed_url(), safe='')}")
    assert reply.status == 302
    fits("Found", reply.body)
    for target, status in (("/tracks/1", 404), ("/tracks?limit=x", 400), ("/resolve?url=x", 404)):
        refused = ask(target)
        assert refused.status == status
        fits("Error", refused.body)
    unauthorised = Service(world).handle(SimRequest.of("GET", "/tracks"))
    assert unauthorised.status == 401
    fits("Error", unauthorised.body)


def test_every_kind_of_list_is_described(description):
    paths = set()
    for kind in KINDS.values():
        if "station" in kind.name:
            continue  # stations are of September 2026, newer than the description at hand
        collection, _, rest = kind.path.partition("/")
        paths.add(f"/{collection}/{{{collection[:-1]}_urn}}/{rest}")
    assert paths <= set(description["paths"])


def test_every_list_that_is_asked_for_is_described_and_answered(description, world, ask):
    """The crawler's own table, against the description and the simulator."""
    for kind in ASKED.values():
        if kind.looks_up or "station" in kind.name:
            continue  # stations are of September 2026, newer than the description at hand
        operation = description["paths"][kind.path.replace("{urn}", f"{{{kind.subject}_urn}}")]["get"]
        assert {name for name, _ in kind.parameters} <= parameters(operation), kind.name
        if kind.item == "track":
            assert ("access" in parameters(operation)) == kind.by_access, kind.name
        if kind.subject in ("user", "track", "playlist") and not kind.own:  # those take a login
            reply = ask(f"{kind.path.replace('{urn}', urn(world, kind.subject))}?{LINKED}")
            fits(schema_of(operation), reply.body)


def test_every_filter_of_a_search_that_is_described_narrows_what_is_found(description, world, ask):
    filters = {
        "q": ["q=drift"],
        "genres": ["genres=Techno,House"],
        "tags": ["tags=techno"],
        "bpm": ["bpm[from]=128", "bpm[to]=128"],
        "duration": ["duration[from]=500000", "duration[to]=60000"],
        "created_at": ["created_at[from]=2025-01-01%2000:00:00", "created_at[to]=2019-01-01%2000:00:00"],
        "urns": [f"urns={urn(world, 'track')}"],
    }
    every = set(filters) | {"access", "limit", "offset", "linked_partitioning"}
    assert parameters(description["paths"]["/tracks"]["get"]) == every
    everything = json.loads(ask(f"/tracks?{WIDE}").body)["collection"]
    for target in (part for parts in filters.values() for part in parts):
        found = fits("Tracks", ask(f"/tracks?{target}&{WIDE}").body)["collection"]
        assert len(found) < len(everything), target
    for path, schema in (("/users", "Users"), ("/playlists", "Playlists")):
        assert "q" in parameters(description["paths"][path]["get"])
        people = fits(schema, ask(f"{path}?{WIDE}").body)["collection"]
        assert len(fits(schema, ask(f"{path}?q=drift&{WIDE}").body)["collection"]) < len(people)


def test_the_stored_facts_are_those_of_the_description():
    read = read_description(DESCRIPTION.read_bytes(), str(DESCRIPTION), day=official().day)
    assert read == official()
