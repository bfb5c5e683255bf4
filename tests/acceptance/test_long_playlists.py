"""A playlist of 501 entries and more, with every oddity of its kind: what is kept, in which order, up to which cap."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect
from harvest.simulator.service.pages import Pages
from harvest.simulator.world.engagements import Deeds
from tests.crawling import assert_exact, crawl_sessions, read
from tests.faulty import assert_no_contradiction

PLAYLIST, TRACKS = 1, 400
USUAL, RAISED = Limits(depth=0), Limits(depth=0, caps=(("playlist-tracks", 1000),))


@dataclass
class Case:
    """A world with a playlist whose entries the service shows so many of."""

    world: World
    shown: int
    url: str = ""
    playlist_id: int = 0


def holding(world: World, shown: int) -> list[int]:
    """Tracks of a playlist of which the service shows so many, some twice, with hidden ones and nulls between them."""
    found: list[int] = []
    while shown:
        track = len(found) * 7 % TRACKS  # from place 400 on all of them again
        found.append(track)
        shown -= not (world.deeds.null("playlist_tracks", PLAYLIST, track) or world.facts.private(track))
    return found


# Where the service offers another page behind 500 entries there may be more, for all that anybody knows at the cap.
@pytest.fixture(params=[(500, False), (501, True), (640, True)], ids=lambda param: str(param[0]))
def case(request, monkeypatch):
    """Behind the last page of a long playlist the service offers others for ever, soundcloud/api issue 505."""
    shown, endless = request.param
    world = World(
        6, users=40, tracks=TRACKS, playlists=6, likes_per_user=5, null_entries=0.05, blocked=0.2, private=0.05
    )
    held, usual, page = holding(world, shown), Deeds.content, Pages.page

    def content(deeds, playlist):
        return held if playlist == PLAYLIST else usual(deeds, playlist)

    def for_ever(pages, request, kind, subject, **more):
        reply = page(pages, request, kind, subject, **more)
        told = json.loads(reply.body)
        if kind.name != "playlist_tracks" or not endless or told.get("next_href"):
            return reply
        limit = int(request.query["limit"])
        query = f"offset={int(request.query.get('offset', 0)) + limit}&limit={limit}&linked_partitioning=true"
        told["next_href"] = f"{pages._base_url()}{request.path}?{query}&access={request.query['access']}"
        return replace(reply, body=json.dumps(told).encode())

    monkeypatch.setattr(Deeds, "content", content)
    monkeypatch.setattr(Pages, "page", for_ever)
    playlist_id = world.id("playlist", PLAYLIST)
    return Case(world, shown, world.playlist_url(playlist_id), playlist_id)


def test_the_playlist_has_every_oddity(case):
    world, held = case.world, case.world.deeds.content(PLAYLIST)
    assert len(set(held)) < len(held)
    for odd in (
        lambda track: world.deeds.null("playlist_tracks", PLAYLIST, track),
        world.facts.private,
        lambda track: world.facts.access(track) == "blocked",
    ):
        assert any(map(odd, held))


@pytest.mark.first_case
def test_what_is_kept_is_exact_at_the_cap_and_goes_on_beyond_it(case, tmp_path):
    path = tmp_path / "t.db"
    crawl_sessions(path, case.world, [(case.url, USUAL)])
    assert_exact(path, case.world, [case.url], USUAL)
    standing = "SELECT outcome, collected FROM tasks WHERE kind = 'playlist_tracks'"
    assert read(path, standing) == [("complete" if case.shown == 500 else "capped", 500)]
    positions = "SELECT position FROM playlist_tracks WHERE playlist_id = ? ORDER BY position"
    assert read(path, positions, case.playlist_id) == [(place,) for place in range(500)]
    assert read(path, "SELECT track_id FROM playlist_tracks GROUP BY track_id HAVING count(*) > 1")

    crawl_sessions(path, case.world, [(case.url, RAISED)])
    assert_exact(path, case.world, [case.url], RAISED)
    assert read(path, standing) == [("complete", case.shown)]
    truth = expect(case.world, case.url, depth=0, caps=RAISED.caps).playlist_tracks
    assert {row[:2]: row[2] for row in read(path, "SELECT playlist_id, position, track_id FROM playlist_tracks")} == {
        key: track for key, track in truth.items() if key[0] == case.playlist_id
    }
    assert_no_contradiction(path)
    assert crawl_sessions(path, case.world, [(case.url, RAISED)]) == [0]
