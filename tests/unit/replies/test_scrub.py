"""What must not be kept is cut wherever it stands, and nothing that the tables keep with it."""

from __future__ import annotations

import dataclasses
import json
import re
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harvest.api.parse import parse_page, parse_thing
from harvest.api.schemas import WireProfile, WireUser
from harvest.errors import ApiError
from harvest.lists import KINDS
from harvest.models import Plain
from harvest.replies import cutting, scrub
from harvest.simulator import World
from harvest.simulator.faults.base import EFFECTS, FaultScene, Memory
from harvest.simulator.service.replies import SimRequest
from harvest.simulator.service.service import Service
from harvest.simulator.world.lists import BY_PATH
from tests.repetitions import slow_but

PLANTED = (
    "Plantedfirst",
    "Plantedlast",
    "Plantedfull",
    "Plantedcity",
    "Plantedland",
    "Plantedwords",
    "planted.example",
)
PERSON = {
    "kind": "user",
    "urn": "soundcloud:users:5",
    "username": "a name they chose",
    "first_name": PLANTED[0],
    "last_name": PLANTED[1],
    "full_name": PLANTED[2],
    "city": PLANTED[3],
    "country": PLANTED[4],
    "description": PLANTED[5],
    "website": f"https://{PLANTED[6]}",
    "subscriptions": [{"product": {"id": PLANTED[0], "name": PLANTED[1]}}],
    "quota": {"upload_seconds_used": PLANTED[2]},
    "something_new": PLANTED[3],
    "more_that_is_new": {"deep": [{"name": PLANTED[4]}]},
    "followers_count": 7,
    "reposts_count": None,
}
BARE = {"kind": "user", "urn": "soundcloud:users:5", "username": "a name they chose", "followers_count": 7}
TRACK = {
    "kind": "track",
    "urn": "soundcloud:tracks:9",
    "sharing": "public",
    "description": "words",
    "new": [1, 2],
}
WORLDS = [
    World(11, users=60, tracks=200, likes_per_user=20, null_entries=0.03, private=0.1, gone=0.03),
    World(12, users=60, tracks=200, likes_per_user=20, numeric_ids=True, quirks=False),
]
_SAME = {"stations": "system-playlists", "users/favorites": "users/likes/tracks"}
ASKED = {
    "users": ("user", "soundcloud:users:"),
    "tracks": ("track", "soundcloud:tracks:"),
    "playlists": ("playlist", "soundcloud:playlists:"),
}


def encoded(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def page(*entries, **more):
    return encoded({"collection": list(entries), **more})


def with_user(person, **fields):
    return {**TRACK, "user": person, "title": "x", **fields}


@cache
def services():
    return [(world, Service(world)) for world in WORLDS]


def requests(world, path, places=6):
    """Pages of a list, of some of its subjects."""
    collection, _, name = path.partition("/")
    for place in range(places):
        if collection == "stations":
            yield f"/system-playlists/{world.facts.stations.urn(place)}?access=playable,preview,blocked"
        else:
            thing, urn = ASKED[collection]
            yield f"/{collection}/{urn}{world.id(thing, place)}/{name}?limit=7&linked_partitioning=true"


def replies(service, world, path, fault=None):
    headers = {"authorization": f"OAuth {service.tokens.access_token(user=True)}"}
    for target in requests(world, path):
        request = SimRequest.of("GET", target, headers)
        if fault is None:
            yield service.handle(request)
        else:
            scene = FaultScene(request, target, service.base_url, service.handle, None, Memory())
            yield EFFECTS[fault].apply(scene)


def kind_of(path):
    """The crawler's kind of a list of the simulator."""
    return next(kind for kind in KINDS.values() if kind.path.replace("/{urn}", "").strip("/") == _SAME.get(path, path))


def scrubbed(body, full_profiles=False):
    """What is kept of a body, also where whoever read it says what it is: the same."""
    kept = scrub.scrubbed(body, full_profiles=full_profiles)
    for kind in ("user_likes", "user_playlist_likes", "track_comments"):
        plain = None
        with suppress(ApiError):
            plain = parse_page(body, KINDS[kind], 3, full_profiles=full_profiles, is_kept=True).page.plain
        if plain is not None:
            told = scrub.scrubbed(body, full_profiles=full_profiles, plain=plain)
            assert json.loads(told) == json.loads(kept)
            kept = told
    return kept


def parsed(body, kind, full_profiles):
    """The page a body makes, or what is wrong with it; an address that goes on may have lost a secret."""
    try:
        read = parse_page(body, kind, 3, full_profiles=full_profiles)
    except ApiError as error:
        return type(error)
    return dataclasses.asdict(read.page), read.next_href


def check(body, kind, full_profiles):
    kept = scrubbed(body, full_profiles=full_profiles)
    json.loads(kept or b"null")
    assert parsed(kept, kind, full_profiles) == parsed(body, kind, full_profiles)
    exact = cutting.exactly(body, full_profiles=full_profiles)
    assert parsed(exact, kind, full_profiles) == parsed(body, kind, full_profiles)
    if kept:
        assert json.loads(kept) == json.loads(exact)
    if not full_profiles:
        people = list(people_in(json.loads(kept or b"null")))
        assert all(cutting.HARMLESS.issuperset(person) for person in people)
        return len(people)
    return 0


def people_in(value):
    """Every person in a value, by what the service calls people."""
    if isinstance(value, list):
        for part in value:
            yield from people_in(part)
    elif isinstance(value, dict):
        if value.get("kind") == "user":
            yield value
        yield from people_in(list(value.values()))


@pytest.mark.parametrize("path", slow_but([*BY_PATH][::8], BY_PATH))
def test_what_is_kept_of_a_page_makes_the_same_page(path):
    people = pages = 0
    for world, service in services():
        for reply in replies(service, world, path):
            if reply.status == 200:
                pages += 1
                for full_profiles in (False, True):
                    people += check(reply.body, kind_of(path), full_profiles)
    assert pages
    assert people or path in ("users/web-profiles", "users/likes/system-playlists")


# What changes no byte of the page that is looked at here, and addresses that differ in what is wrong with them alone.
ALIKE = re.compile(
    r"(close|reset|truncated)_.*|slow|trickle|limit_header|resolve_foreign|me_somebody_else"
    r"|href_(loop_1|http|other_port|foreign_host|backwards|cut|loses_access|new_form)"
)
BROKEN = [name for name in EFFECTS if name not in ("huge_body", "ok_empty")]


@pytest.mark.parametrize("fault", slow_but([name for name in BROKEN if not ALIKE.fullmatch(name)][::6], BROKEN))
def test_what_is_kept_of_a_broken_page_makes_the_same_page(fault):
    world, service = services()[0]
    for path in ("users/likes/tracks", "tracks/favoriters", "tracks/comments", "stations"):
        for reply in replies(service, world, path, fault):
            for full_profiles in (False, True):
                check(reply.body, kind_of(path), full_profiles)


@pytest.mark.parametrize("thing", ["user", "track", "playlist"])
def test_what_is_kept_of_a_single_thing_makes_the_same_thing(thing):
    world, service = services()[0]
    headers = {"authorization": f"OAuth {service.tokens.access_token(user=True)}"}
    for place in range(20):
        urn = f"soundcloud:{thing}s:{world.id(thing, place)}"
        body = service.handle(SimRequest.of("GET", f"/{thing}s/{urn}", headers)).body
        for full_profiles in (False, True):
            kept = scrubbed(body, full_profiles=full_profiles)
            with suppress(ApiError):
                assert parse_thing(kept, thing, full_profiles=full_profiles) == parse_thing(
                    body, thing, full_profiles=full_profiles
                )
            assert bool(kept)


def test_the_usual_pages_go_the_fast_way():
    """Otherwise nothing here compares the two ways."""
    world, service = services()[1]
    fast = {"users/likes/tracks", "tracks/favoriters", "tracks/comments", "users/followers", "users/tracks"}
    for path in fast:
        for reply in replies(service, world, path):
            kind = kind_of(path)
            way = scrub._of_people if kind.item == "user" else scrub._with_people_inside
            assert json.loads(way(reply.body, False)) == json.loads(cutting.exactly(reply.body))
            plain = parse_page(reply.body, kind, is_kept=True).page.plain
            assert (plain is None) == (kind.item == "user")
            if plain is not None:
                assert json.loads(scrub._of_plain(page(with_user(PERSON)), False, Plain(1, 1, None))) == {
                    "collection": [with_user(BARE)]
                }
                assert scrub._of_plain(reply.body, False, plain) == way(reply.body, False)


@pytest.mark.parametrize(
    "body",
    [
        page(PERSON, PERSON),
        page(with_user(PERSON)),
        page(with_user(PERSON), None, with_user(None), with_user(PERSON), next_href="https://a.example/x?cursor=1"),
        page({"kind": "comment", "body": "x", "user": PERSON}),
        page({"kind": "playlist", "sharing": "public", "user": PERSON, "label": PERSON, "tracks": [with_user(PERSON)]}),
        page(with_user(PERSON, sharing="private")),
        page(with_user(PERSON, title="a { brace"), with_user(PERSON, title='{"kind":"user"}')),
        page(with_user(PERSON | {"username": 'ends in {"'}), with_user(PERSON | {"username": "ends in {"})),
        page(with_user(PERSON), owner=PERSON),
        page(with_user(PERSON), city=PLANTED[3]),
        page(PERSON, city=PLANTED[3]),
        page(with_user(PERSON | {"kind": "track"})),
        page(with_user(PERSON, title="{x")).replace(b'"sharing"', b'"more":{ "name":"Plantedcity"},"sharing"'),
        page(with_user(PERSON, nested={"user": PERSON})),
        page(with_user(PERSON | {"user": PERSON})),
        page(with_user({name: part for name, part in PERSON.items() if name != "kind"})),
        page({name: part for name, part in PERSON.items() if name not in ("kind", "urn")} | {"id": 5}),
        page(PERSON | {"username": {"first_name": PLANTED[0]}}),
        page([PERSON], [[PERSON]]),
        page({"kind": "like", "track": with_user(PERSON)}),
        page({**TRACK, "publisher": PERSON}),
        page(with_user(PERSON | {"username": "a { brace }"}, publisher=PERSON)),
        encoded(PERSON),
        encoded([PERSON, with_user(PERSON)]),
        encoded(PERSON | {"kind": None}),
        json.dumps({"collection": [with_user(PERSON), PERSON]}, indent=2).encode(),
        page(with_user(PERSON)).replace(b'"first_name"', rb'"first\u005fname"'),
        page(with_user(PERSON)).replace(b'"user":', rb'"us\u0065r":'),
        page(with_user(PERSON), with_user(PERSON)).replace(b'"user":', rb'"us\u0065r":', 1),
        page(PERSON).replace(b'"first_name"', rb'"first\u005fname"').replace(b'"city"', rb'"\u0063ity"'),
        page(with_user(PERSON)).replace(b'"user":', b'"user":null,"user":'),
        json.dumps({"collection": [with_user(PERSON)]}).encode(),
        page(with_user(BARE | {"city": PLANTED[3]})).replace(b'"user":', b'"user": '),
        page(with_user(PERSON | {"username": "ends } there"})),
        page({"kind": "comment", "user": PERSON}, {"kind": "comment", "user": {}}, {"kind": "comment", "user": None}),
        page(with_user(PERSON), next_href="https://a.example/x?client_id=Plantedcity"),
        page(with_user(PERSON)).replace(b'"user":', b'"user":{"kind":"user","city":"Plantedcity"},"user":'),
        b"\xef\xbb\xbf" + page(with_user(PERSON)),
        page(with_user(PERSON)).replace(b"they chose", b"they \xff chose"),
        page(with_user(PERSON)).replace(b"they chose", rb"they \ud83d chose"),
        page(with_user(PERSON)).replace(b"they chose", b"they \n chose"),
        encoded(PLANTED[0]),
        page(PLANTED[0], *PLANTED),
        b"<html>Plantedfirst</html>",
        page(PERSON)[:-9],
        b"",
    ],
)
def test_a_planted_person_is_nowhere(body):
    kept = scrubbed(body)
    assert not any(word.encode() in kept for word in PLANTED)
    assert kept == b"" or json.loads(kept) == json.loads(cutting.exactly(body))


def test_of_a_reply_that_cannot_be_read_the_shape_of_what_is_cut_stays():
    entry = with_user(PERSON, secret_token="s-planted", city=PLANTED[3])
    body = encoded({"items": [entry, entry, entry, entry], "who": PERSON, "Planted first": 1.5, "next_href": "x"})
    shape = json.loads(cutting.with_shapes(body))
    named = {"first_name": "", "subscriptions": [{"product": {"id": "", "name": ""}}], "something_new": ""}
    assert {name: shape["who"][name] for name in named} == named
    assert (shape["*"], shape["next_href"]) == (0.0, "")
    assert len(shape["items"]) == 3
    assert shape["items"][0]["user"]["more_that_is_new"] == {"deep": [{"name": ""}]}
    listed = json.loads(cutting.with_shapes(encoded({"collection": [entry]})))["collection"][0]
    assert (listed["description"], listed["secret_token"], listed["city"]) == ("words", "", "")
    assert {name: listed["user"][name] for name in (*named, *BARE)} == named | BARE
    for found in (shape, listed):
        assert "lanted" not in json.dumps(found)
    assert cutting.with_shapes(encoded(PLANTED[0])) == b'""'
    assert cutting.with_shapes(b"Plantedfirst") == b""
    deep = b'{"a":' * 500 + b'"Plantedfirst"' + b"}" * 500
    assert b"Planted" not in cutting.with_shapes(deep)
    assert json.loads(cutting.with_shapes(encoded([PERSON]), full_profiles=True)) == [PERSON]


def test_under_full_profiles_the_person_stays():
    body = page(with_user(PERSON), PERSON)
    assert json.loads(scrubbed(body, full_profiles=True)) == json.loads(body)
    usual = page(with_user(PERSON))
    assert scrubbed(usual, full_profiles=True) == usual


@pytest.mark.parametrize("listed", [with_user, lambda person: person], ids=["inside a track", "in a list of people"])
@pytest.mark.parametrize("secret", [{"secret_token": "s-planted"}, {"new": [{"access_token": "planted"}]}])
def test_under_full_profiles_secrets_of_a_person_are_cut(listed, secret):
    full = {"kind": "user", "city": "here", "subscriptions": [{"product": {"id": "free", "name": "Free"}}]}
    as_it_came = json.dumps({"collection": [listed(full)]}).encode()  # with spaces, which only a second writing loses
    assert scrubbed(as_it_came, full_profiles=True) == as_it_came
    assert b"planted" not in scrubbed(page(listed(full | secret)), full_profiles=True)


def test_of_a_track_everything_stays_but_its_person():
    for more in ({}, {"title": "a { brace"}, {"next_href": "https://a.example/x?cursor=1"}):
        usual = {"kind": "track", "sharing": "public", "description": "words", "new": [1, "{"], "user": PERSON, "z": 0}
        found = json.loads(scrubbed(page(usual | more)))
        assert found == {"collection": [usual | more | {"user": BARE}]}
    odd = json.loads(scrubbed(page(with_user(PERSON, sharing="private"))))
    assert odd == {"collection": [{**TRACK, "sharing": "private", "user": BARE, "title": "x"}]}
    unknown = json.loads(scrubbed(page({**TRACK, "new": [1, {"a": 2, "username": "x"}]})))
    assert unknown == {"collection": [{**TRACK, "new": [1, {"username": "x"}]}]}


SECRETS = {
    "uri": "https://api.soundcloud.com/tracks/soundcloud:tracks:9?secret_token=s-planted",
    "permalink_url": "https://soundcloud.com/who/what/s-planted?utm_source=x",
    "secret_uri": "https://api.soundcloud.com/tracks/9?secret_token=s-planted",
    "secret_token": "s-planted",
    "stream_url": "https://api.soundcloud.com/tracks/9/stream?client_id=planted&secret_token=s-planted",
}


@pytest.mark.parametrize("full_profiles", [False, True])
def test_secrets_of_private_links_are_cut(full_profiles):
    private = with_user(PERSON, sharing="private", **SECRETS)
    body = page(
        private, next_href="https://api.soundcloud.com/me/tracks?secret_token=s-planted&cursor=7&access_token=planted"
    )
    kept = scrubbed(body, full_profiles=full_profiles)
    assert b"planted" not in kept.replace(b"planted.example", b"")
    found = json.loads(kept)
    assert found["next_href"] == "https://api.soundcloud.com/me/tracks?secret_token=***&cursor=7&access_token=***"
    assert found["collection"][0]["permalink_url"] == "https://soundcloud.com/who/what/s-***?utm_source=x"
    kind = KINDS["user_likes"]
    assert parsed(kept, kind, full_profiles)[0] == parsed(body, kind, full_profiles)[0]
    going_on = {"next_href": "https://api.soundcloud.com/x?oauth_token=planted"}
    shared = {"sharing": "private", "permalink_url": SECRETS["permalink_url"]}
    for other in (page(with_user(BARE), **going_on), page(BARE, **going_on), page(with_user(BARE, **shared))):
        assert b"planted" not in scrubbed(other, full_profiles=full_profiles)


@pytest.mark.parametrize(
    "page_url",
    ["https://soundcloud.com/s-club", "https://soundcloud.com/a/s-club", "https://soundcloud.com/a/sets/s-club"],
)
def test_names_that_look_like_secrets_stay(page_url):
    body = page(with_user(PERSON, sharing="private", permalink_url=page_url))
    assert json.loads(scrubbed(body))["collection"][0]["permalink_url"] == page_url


def test_what_the_tables_keep_of_a_person_is_kept():
    assert set(WireUser.__struct_fields__) == cutting.HARMLESS
    assert cutting.HARMLESS.isdisjoint(set(WireProfile.__struct_fields__) - set(WireUser.__struct_fields__))
    assert set(scrub._Person.__struct_fields__) == cutting.HARMLESS
    assert cutting.HARMLESS.isdisjoint(cutting.PERSONAL)


NAMES = [
    *PERSON,
    "user",
    "collection",
    "tracks",
    "kind",
    "title",
    "id",
    "sharing",
    "next_href",
    "a{",
    'b"',
    "é",
    "\ud83d",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["user", "track", "public", "soundcloud:tracks:4", "{", '{"', "}", ',"user":{', "Plantedcity"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
PEOPLE = st.fixed_dictionaries(
    {"kind": st.just("user")},
    optional=dict.fromkeys(("username", "first_name", "user", "id", "new", "city"), VALUES),
)
TRACKS = st.fixed_dictionaries(
    {"kind": st.just("track"), "sharing": st.just("public")},
    optional={"user": PEOPLE | VALUES, "title": VALUES, "description": st.text(max_size=3), "more": VALUES},
)
PAGES = st.fixed_dictionaries(
    {
        "collection": st.lists(TRACKS | st.none(), max_size=4)
        | st.lists(PEOPLE | st.none(), max_size=4)
        | st.lists(VALUES)
    },
    optional={"next_href": st.text(max_size=3) | st.none(), "more": VALUES},
)


@given(PAGES | VALUES, st.booleans(), st.booleans(), st.booleans())
@example(
    {"collection": [{"kind": "track", "sharing": "public", "user": {"kind": "user"}, "more": {}}]}, True, True, False
)
@example({"collection": [{"kind": "user", "city": {"collection": ["0"]}}]}, True, True, True)
def test_both_ways_agree_about_anything(value, compact, ascii_only, full_profiles):
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":") if compact else None)
    body = text.encode(errors="surrogatepass")
    kept = scrubbed(body, full_profiles=full_profiles)
    exact = cutting.exactly(body, full_profiles=full_profiles)
    # What is no UTF-8 stays where nothing is cut, as it came; everybody reads it as it is replaced elsewhere.
    assert json.loads(kept.decode(errors="replace") or "null") == json.loads(exact or b"null")
    for kind in ("user_likes", "track_likers", "user_playlist_likes"):
        found = parsed(kept, KINDS[kind], full_profiles)
        if kept or not isinstance(found, type):
            assert found == parsed(body, KINDS[kind], full_profiles)
