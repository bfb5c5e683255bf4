"""What a probe finds of a service that has changed: one line for each change, and none where nothing has."""

from __future__ import annotations

import random

import pytest

from harvest.probing.compare import changes
from harvest.simulator import World
from tests.probing import WORLD, probe_world, told
from tests.repetitions import slow_but

ODD = dict.fromkeys(("private", "blocked", "preview", "null_users", "hidden_stats", "null_access"), 0.2)
UNCHANGED = {
    "as it is": WORLD,
    "everything odd": World(5, users=100, tracks=300, null_entries=0.1, **ODD),
    "numbers still sent": World(6, users=40, tracks=150, numeric_ids=True, **ODD),
    "plain texts": World(7, users=60, tracks=100, quirks=False),
}
RENAMED = "is missing; page_url, which is new, may be its new name; we read it"
AFTER = "next_href goes on by after=uuid, not by"
CURSORS = " or ".join(
    f"cursor={kind}"
    for kind in ("13 digits", "16 digits", "time,word,11 digits", "time,word,3 digits-20 digits-20 digits")
)
NEW = "is new: it is neither read nor described"
LIMIT = "header x-ratelimit-window-limit tells of a limit, and we do not read it"
TROUBLE = "has trouble"

# A change, and the one line that names it.
CHANGES = {
    "field_renamed[/related?]": f"/tracks/{{urn}}/related: track.permalink_url {RENAMED}",
    "field_renamed[/followings?]": f"/users/{{urn}}/followings: user.permalink_url {RENAMED}",
    "field_renamed[/reposts/playlists]": f"/users/{{urn}}/reposts/playlists: playlist.permalink_url {RENAMED}",
    "field_renamed[/system-playlists/]": f"/system-playlists/{{urn}}: station.page_url {NEW}",
    "field_retyped[/comments?]": "/tracks/{urn}/comments: comment.created_at is integer; we read string",
    "field_retyped[/web-profiles]": "/users/{urn}/web-profiles: link.created_at is integer; we read string",
    "field_retyped[/favoriters?]": "/tracks/{urn}/favoriters: user.created_at is integer; we read string",
    "field_retyped[/likes/tracks?]": "/users/{urn}/likes/tracks: track.created_at is integer; we read string",
    "field_missing[/followers?]": "/users/{urn}/followers: user.uri is missing; we read it",
    "field_missing[/playlists?limit=200]": "/playlists?q: playlist.uri is missing; we read it",
    "field_missing[urns=soundcloud:tracks]": "/tracks?urns: track.uri is missing; we read it",
    "field_added[/likes/playlists?]": f"/users/{{urn}}/likes/playlists: playlist.mood {NEW}",
    "field_added[/system-playlists/]": f"/system-playlists/{{urn}}: station.mood {NEW}",
    "field_added[/web-profiles]": f"/users/{{urn}}/web-profiles: link.mood {NEW}",
    "href_new_form[/favoriters]": f"/tracks/{{urn}}/favoriters: {AFTER} {CURSORS}",
    "href_new_form[/reposts/tracks]": f"/users/{{urn}}/reposts/tracks: {AFTER} {CURSORS}",
    "href_new_form[/related]": f"/tracks/{{urn}}/related: {AFTER} offset=number",
    "href_new_form[/tracks?limit=200]": f"/tracks?q: {AFTER} offset=number",
    "href_internal_host[/followers]": "/users/{urn}/followers: next_href names another host",
    "limit_header[/likes/tracks]": f"/users/{{urn}}/likes/tracks: {LIMIT}",
    "limit_header[/resolve]": f"/resolve: {LIMIT}",
    "limit_header": f"/tracks?q, /users?q, /playlists?q and 23 more: {LIMIT}",
    "items_too_many[/related]": "/tracks/{urn}/related: gives 40 entries where 20 are asked for",
    "bare_array[/followings]": "/users/{urn}/followings: answers with a bare array, not an object",
    "forbidden_json[/web-profiles]": "/users/{urn}/web-profiles: is refused (forbidden, 403)",
    "forbidden_json[/reposters]": "/tracks/{urn}/reposters, /playlists/{urn}/reposters: is refused (forbidden, 403)",
    "unauthorized[/reposts/tracks]": "/users/{urn}/reposts/tracks: is refused (forbidden, 401)",
    "missing_json[/likes/playlists]": "/users/{urn}/likes/playlists: answers that there is no such thing (gone, 404)",
    "status_410[/likes/playlists]": "/users/{urn}/likes/playlists: answers that there is no such thing (gone, 410)",
    "error_503_text[/resolve]": f"/resolve: {TROUBLE} (server, 503)",
    "waf_challenge[/reposts/tracks]": f"/users/{{urn}}/reposts/tracks: {TROUBLE} (challenged, 202)",
    "throttled_gateway[/likes/playlists]": f"/users/{{urn}}/likes/playlists: {TROUBLE} (rate limited, 429)",
    "broken_json[/comments]": "/tracks/{urn}/comments: answers what cannot be read (unexpected reply, 200)",
}
# Those of which each is at an endpoint of its own.
APART = (
    *(
        "field_renamed[/related?]",
        "field_retyped[/comments?]",
        "field_missing[/followers?]",
        "field_added[/web-profiles]",
    ),
    *("field_renamed[/system-playlists/]", "href_new_form[/favoriters]", "href_new_form[/tracks?limit=200]"),
    *("limit_header[/likes/tracks]", "bare_array[/followings]", "unauthorized[/reposts/tracks]"),
    *("missing_json[/likes/playlists]", "error_503_text[/resolve]"),
)


@pytest.mark.parametrize("name", slow_but({"everything odd"}, UNCHANGED))
def test_a_world_as_we_know_it_differs_in_nothing(name):
    report = probe_world(UNCHANGED[name], signed_in=True)
    assert told(report) == []
    assert {name: one.not_asked for name, one in report.endpoints.items() if not one.answers} == {}


def test_a_dozen_changes_are_a_dozen_lines():
    assert sorted(told(probe_world(faults=",".join(APART)))) == sorted(CHANGES[one] for one in APART)


@pytest.mark.slow
@pytest.mark.parametrize("faults", CHANGES)
def test_each_change_is_named_in_one_line(faults):
    assert told(probe_world(faults=faults)) == [CHANGES[faults]]


@pytest.mark.slow
def test_a_change_everywhere_is_a_line_for_each_kind_of_thing():
    assert [line.partition(": ")[2] for line in told(probe_world(faults="field_missing"))] == [
        f"{kind}.uri is missing; we read it" for kind in ("track", "user", "playlist", "comment")
    ]


@pytest.mark.slow
def test_a_list_of_ones_own_that_is_refused_is_named_and_the_others_are_asked():
    report = probe_world(faults="forbidden_json[/me/likes/tracks]", signed_in=True)
    assert told(report) == ["/me/likes/tracks: is refused (forbidden, 403)"]
    assert report.endpoints["/me/reposts/tracks"].answers["person"].status == 200


def test_what_the_app_is_refused_and_the_person_is_not_is_said_so():
    """The first of two that ask is the app."""
    report = probe_world(faults="forbidden_json[/web-profiles]@1*6", signed_in=True)
    assert told(report) == [
        "/users/{urn}/web-profiles: is refused (forbidden, 403) to the application, not to the person"
    ]


def test_a_list_that_was_answered_is_not_called_refused_for_others_that_are():
    """Nobody follows anybody, so the list of the first is empty; of others it is refused."""
    report = probe_world(World(11, 40, 100, follows_per_user=0), faults="forbidden_json[/followers?]@2*100")
    assert told(report) == []
    assert report.endpoints["/users/{urn}/followers"].answers["application"].entries == 0


@pytest.mark.soak
@pytest.mark.fresh
def test_no_world_differs_in_anything_nor_from_another(fresh_seed):
    """Whom and what a probe happens to ask about is no difference, and no change."""
    before = None
    for number in range(60 * fresh_seed, 60 * fresh_seed + 60):
        chance = random.Random(number)
        odd = dict.fromkeys(("private", "blocked", "preview", "null_users", "hidden_stats"), chance.choice([0.02, 0.2]))
        world = World(number, chance.randint(40, 150), chance.randint(100, 400), null_entries=0.1, **odd)
        report = probe_world(world, signed_in=True)
        assert told(report) == []
        assert before is None or changes(before, report) == []
        before = report
