"""`harvest search`: what is found is kept in order with its query, shown, gone on from, and never called complete."""

from __future__ import annotations

import csv
import json

import pytest

from harvest.models import Limits
from harvest.simulator.oracle import search, seed_of
from tests.crawling import assert_exact, read
from tests.faulty import assert_no_contradiction

FOUND = """
SELECT r.thing_id FROM search_results AS r JOIN searches AS s ON s.id = r.search_id
WHERE s.what = ? ORDER BY r.rank
"""


def ids(out: str) -> list[int]:
    """The second column of a table on stdout, up to the blank line behind it."""
    lines = out.partition("\n\n")[0].splitlines()[2:]
    return [int(line.split()[1]) for line in lines]


@pytest.mark.first_case
@pytest.mark.parametrize("what", ["tracks", "users", "playlists"])
def test_results_are_shown_and_kept_in_the_order_of_the_service(run, server, small_world, tmp_path, what):
    expected = list(search(small_world, what, q="o"))
    assert len(expected) > 3
    done = run("search", "o", "--type", what, server=server)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "data/cache/tracks.db"
    assert ids(done.stdout) == [row[0] for row in read(file, FOUND, what)] == expected[:200]
    assert_exact(file, small_world, [f"search:{what}?q=o"], Limits(depth=0))
    assert_no_contradiction(file)
    shown = run("sql", "found", "-f", "csv").stdout.splitlines()
    assert [int(row["id"]) for row in csv.DictReader(shown)] == expected[:200]


def test_filters_narrow_it_and_its_list_is_cut_at_the_limit_and_goes_on(run, server, small_world, tmp_path):
    options = ("--bpm", "100:150", "--duration", "1m:", "--created", "2012-01-01:")
    since = 1_325_376_000_000  # 2012-01-01, in milliseconds
    expected = list(search(small_world, "tracks", bpm=(100, 150), duration=(60_000, None), created_at=(since, None)))
    assert len(expected) > 6
    file = tmp_path / "data/cache/tracks.db"
    for limit, kept in ((3, 3), (6, 6), (1000, len(expected))):
        done = run("search", *options, "--limit", str(limit), server=server)
        assert done.returncode == 0, done.stderr
        assert ids(done.stdout) == expected[:kept]
        assert [row[0] for row in read(file, FOUND, "tracks")] == expected[:kept]
        outcome = "complete" if kept == len(expected) else "capped"
        assert read(file, "SELECT outcome, collected, claimed, missing FROM lists WHERE kind = 'found_tracks'") == [
            (outcome, kept, None, None)
        ]
    before = server.total
    assert "Nothing to do" in run("search", *options, "--limit", "1000", server=server).stdout
    assert server.total == before
    address = "search:tracks?bpm=100:150&created=2012-01-01:&duration=60s:"
    assert read(file, "SELECT address, words, json_extract(filters, '$.bpm') FROM searches") == [
        (address, None, "100:150")
    ]
    assert run("status").stdout.startswith(address)
    assert_no_contradiction(file)


@pytest.mark.first_case
@pytest.mark.parametrize("what", ["tracks", "users", "playlists"])
def test_a_search_goes_on_from_what_it_finds_and_why_leads_back_to_it(run, server, small_world, tmp_path, what):
    done = run(
        "search", "o", "--type", what, "--depth", "1", "--limit", "5",
        "--max-users", "3", "--max-tracks", "2", "--max-playlists", "2", "--max-user-likes", "4", server=server,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    file = tmp_path / "data/cache/tracks.db"
    read_of_all = ("likers", "reposters", "likes", *(["playlist-tracks"] if what == "playlists" else []))
    limits = Limits(
        depth=1, max_users=3, max_tracks=2, max_playlists=2, max_user_likes=4,
        read=read_of_all, caps=((f"found-{what}", 5),),
    )  # fmt: skip
    assert_exact(file, small_world, [f"search:{what}?q=o"], limits)
    assert_no_contradiction(file)
    visited = read(file, "SELECT thing_id FROM visits WHERE thing = 'user' AND round > 0 ORDER BY round DESC, place")
    assert visited
    assert f"search:{what}?q=o" in run("why", "user", str(visited[0][0])).stdout


def test_json_gives_the_results_with_the_summary(run, server, small_world):
    done = run("search", "o", "--limit", "4", "--json", server=server)
    told = json.loads(done.stdout)
    assert [row["id"] for row in told["results"]] == list(search(small_world, "tracks", q="o"))[:4]
    assert [row["rank"] for row in told["results"]] == [0, 1, 2, 3]
    assert (told["exit_code"], told["tracks"]) == (0, 4)


def test_a_search_that_finds_nothing_says_so_and_is_no_failure(run, server, tmp_path):
    done = run("search", "zzzzqqqq", server=server)
    assert (done.returncode, ids(done.stdout)) == (0, [])
    assert "Nothing was found" in done.stdout
    assert read(tmp_path / "data/cache/tracks.db", "SELECT outcome, collected FROM lists") == [("complete", 0)]


def test_a_search_is_a_seed_among_others_and_planned_for(run, server, small_world, tmp_path):
    address, track = "search:tracks?q=o", small_world.seed_url()
    plan = json.loads(run("plan", address, track, "--depth", "0", "--json", server=server).stdout)
    done = run("crawl", address, track, "--depth", "0", "--json", server=server)
    assert done.returncode == 0, done.stderr
    assert plan["requests"]["low"] <= json.loads(done.stdout)["api_calls"] <= plan["requests"]["high"]
    assert_exact(tmp_path / "data/cache/tracks.db", small_world, [(address, track)], Limits(depth=0))
    thing, number = seed_of(small_world, address)
    assert read(tmp_path / "data/cache/tracks.db", "SELECT thing, thing_id FROM seeds ORDER BY id LIMIT 1") == [
        (thing, number)
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "A search needs words, or a filter."),
        (("--bpm", "fast"), "Bpm 'fast' is no range; write it like 120:128"),
        (("x", "--type", "users", "--genre", "Techno"), "users are found by their words alone"),
        (("x", "--limit", "0"), "--limit"),
    ],
)
def test_what_cannot_be_searched_is_one_line_and_leaves_no_file(run, tmp_path, arguments, says):
    done = run("search", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert not (tmp_path / "data/cache/tracks.db").exists()
