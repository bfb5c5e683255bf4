"""The benchmark measures what it says: an honest floor, sound large files, and an end that tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harvest.simulator import World
from harvest.store.database import open_to_read
from harvest.verify import checks
from tests.bench.floor import Floor
from tests.bench.large import EACH, generate
from tests.bench.replay import replay
from tests.bench.standard import requests_of
from tests.crawling import crawl_world, read
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
# What the last sighting may not change; the seed was seen in full by harvest alone.
PAYLOAD = {
    "users": "SELECT id, username, permalink_url, avatar_url, created_at FROM users ORDER BY id",
    "tracks": "SELECT id, uploader_id, title, created_at, duration_ms, genre, isrc, bpm, artwork_url, playback_count,"
    " likes_count, access FROM tracks WHERE id <> {seed} ORDER BY id",
    "tags": "SELECT track_id, name FROM track_tags JOIN tags ON id = tag_id ORDER BY 1, 2",
    "likes": "SELECT user_id, track_id, is_repost, user_list_rank, track_list_rank FROM engagements ORDER BY 1, 2, 3",
}


@pytest.fixture(scope="module")
def world() -> World:
    """Plain texts, nobody gone: the floor has no patience for oddities."""
    none = {"gone": 0, "forbidden": 0, "null_users": 0, "null_access": 0, "hidden_stats": 0, "private": 0, "blocked": 0}
    return World(5, users=40, tracks=900, likes_per_user=60, seed_likers=30, seed_reposters=5, quirks=False, **none)


@pytest.fixture(scope="module")
def crawled(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "t.db"
    crawl_world(path, world)
    return path


def bodies(world: World, requests: list[str]) -> dict[str, bytes]:
    """Answer requests without a network."""
    from harvest.simulator.server.server import Server
    from harvest.simulator.service.replies import SimRequest

    service = Server(world, gzip=False).service
    service.base_url = "http://127.0.0.1:1"
    header = {"authorization": f"OAuth {service.tokens.access_token('bench')}"}
    return {request: bytes(service.handle(SimRequest.of("GET", request, header)).body) for request in requests}


def test_the_floor_keeps_the_same_rows_of_the_same_pages(world: World, crawled: Path, tmp_path: Path) -> None:
    requests = requests_of(crawled)
    floor = Floor(tmp_path / "floor.db")
    for request, body in bodies(world, requests).items():
        floor.write(request, floor.read(request, body), len(body))
    floor.close()
    assert floor.pages == len(requests) > 30
    for name, sql in PAYLOAD.items():
        ours = read(crawled, sql.format(seed=world.id("track", 0)))
        theirs = read(tmp_path / "floor.db", sql.format(seed=world.id("track", 0)))
        assert theirs == ours, name


def test_a_replay_ends_in_the_same_likes_as_the_crawl(world: World, crawled: Path, tmp_path: Path) -> None:
    requests = requests_of(crawled)
    pages = bodies(world, requests)
    first = requests[0].rpartition("/")[0]
    likes = "SELECT user_id, track_id, engagement_type, user_list_rank, track_list_rank FROM user_engagements"
    for together in (1, 10):
        path = tmp_path / f"{together}.db"
        found = replay(path, bodies(world, [first])[first], pages, pages_per_commit=together)
        assert found.pages == len(requests) + 2  # the look-ups of the seed and of its artist
        assert len(found.pauses) == found.pages + 1
        assert read(path, likes) == read(crawled, likes)


def test_a_large_file_is_sound_and_its_popular_tracks_have_their_likers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    popular = {150: 1000, 20: 1001}
    monkeypatch.setattr("tests.bench.large.POPULAR", popular)
    path = tmp_path / "large.db"
    generate(path, 200 * EACH)
    connection = open_to_read(path)
    found = checks.verify(connection)
    wrong = {finding.check.name: finding.examples for finding in found if finding.contradictions}
    connection.close()
    assert wrong == {}
    assert read(path, "SELECT likes, users FROM totals") == [(200 * EACH, 200)]
    for likers, track in popular.items():
        assert read(path, "SELECT count(*) FROM user_engagements WHERE track_id = ?", track) == [(likers,)]
    assert read(path, "PRAGMA foreign_key_check") == []


def test_a_line_that_does_not_exist_is_refused_and_a_crash_is_no_missed_goal() -> None:
    def ends(*arguments: str) -> int:
        command = [sys.executable, "-m", "tests.bench", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False).returncode

    assert ends("--only", "z") == 2
    crash = "import runpy, sys, tests.bench.durability as d; d.measure = None; sys.argv = ['bench', '--only', 'e'];"
    crash += " runpy.run_module('tests.bench', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", crash], cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 3
