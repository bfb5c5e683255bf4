"""What people see: seeds that are tried again, one of a thing, names with tabs, options that are documented."""

from __future__ import annotations

import json

import pytest

from harvest.cli.output.formatting import counted
from harvest.cli.output.table import table
from harvest.simulator import World, run_in_thread
from harvest.system.logs import printable
from tests.crawling import read


@pytest.mark.parametrize("given", [["--class", "gone"], []])
def test_a_seed_that_failed_is_looked_for_again(run, tmp_path, given):
    """Seen as gone for a while; without a class only what may pass is tried again."""
    world = World(11, users=20, tracks=60, seed_likers=5, seed_reposters=1)
    with run_in_thread(world, faults="missing_json[/resolve]", keep_log=True) as server:
        lost = run(world.seed_url(), "--db", "t.db", "--max-users", "1", "--delay", "0", server=server)
        assert lost.returncode == 2
        assert read(tmp_path / "t.db", "SELECT class FROM failures WHERE resolved_at IS NULL") == [("gone",)]
        server.use("")
        done = run("retry", *given, "--db", "t.db", server=server)
    if given:
        assert (done.returncode, done.stderr.splitlines()[0]) == (0, "1 list put back."), done.stderr
        assert read(tmp_path / "t.db", "SELECT state FROM harvests") == [("drained",)]
        assert read(tmp_path / "t.db", "SELECT count(*) FROM tracks") > [(0,)]
    else:
        assert "Nothing to retry." in done.stderr
        assert read(tmp_path / "t.db", "SELECT state FROM harvests") == [("failed",)]


def test_one_of_a_thing_is_singular():
    assert [counted(n, "list") for n in (0, 1, 2, 1200)] == ["0 lists", "1 list", "2 lists", "1,200 lists"]


def test_a_tab_in_a_name_shifts_no_column():
    assert list(table([(printable("a\tb"), "1"), ("abc", "2")])) == [r"  a\x09b  1", r"  abc     2"]


def test_the_page_size_is_in_the_help(run):
    assert "--page-size N" in run("crawl", "--help").stdout


EIGHT = [
    "tracks", "users", "playlists", "playlist_tracks", "user_engagements", "related_tracks", "user_similarity",
    "artist_relationships",
]  # fmt: skip


def test_the_closing_statistics_name_every_table_those_without_rows_and_derived_ones_too(run, tmp_path):
    """The eight lines under which the predecessor closed are there."""
    world = World(11, users=20, tracks=60, seed_likers=5, seed_reposters=1)
    with run_in_thread(world) as server:
        done = run(world.seed_url(), "--db", "t.db", "--max-users", "2", "--delay", "0", server=server)
    told = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    counts = {table: read(tmp_path / "t.db", f"SELECT count(*) FROM {table}")[0][0] for table in EIGHT}
    after = done.stdout.partition("  table ")[2]
    shown = {name: told[name] for name in EIGHT if f"  {name} " in after}
    assert shown == {table: f"{n:,}" for table, n in counts.items()}
    assert counts["playlists"] == counts["related_tracks"] == 0 < counts["tracks"]


def test_status_says_how_many_requests_each_kind_of_list_took(run, tmp_path):
    world = World(11, users=20, tracks=60, seed_likers=5, seed_reposters=1)
    with run_in_thread(world, keep_log=True) as server:
        page = ["--page-size", "3", "--delay", "0"]
        assert run(world.seed_url(), "--db", "t.db", "--max-users", "2", *page, server=server).returncode == 0
    lines = [line.split() for line in run("status", "--db", "t.db").stdout.splitlines() if line.startswith("  ")]
    place = next(line for line in lines if line[0] == "lists").index("requests")
    likers = [logged for logged in server.requests if "/favoriters" in logged.target]
    assert next(line for line in lines if line[0] == "track_likers")[place] == str(len(likers))
    assert len(likers) > 1


def test_status_tells_of_what_is_still_to_be_looked_up(run, tmp_path):
    world = World(11, users=120, tracks=60, gone=0, forbidden=0)
    (tmp_path / "seeds.txt").write_text("\n".join(f"soundcloud:users:{world.id('user', one)}" for one in range(120)))
    listed = ("--from-file", "seeds.txt", "--depth", "0", "--read", "links", "--seed-read", "links", "--db", "t.db")

    def told() -> dict[str, tuple[int, dict[str, int]]]:
        found = json.loads(run("status", "--json", "--db", "t.db").stdout)
        assert "lookup" not in {kind["kind"] for kind in found["lists"]}
        return {kind["kind"]: (kind["todo"] + kind["doing"], kind["outcomes"]) for kind in found["lookups"]}

    with run_in_thread(world) as server:
        one_by_one = ("--concurrency", "1", "--delay", "0", "-q")
        assert run(*listed, *one_by_one, "--max-requests", "2", server=server).returncode == 7
        assert told() == {"lookup": (2, {"complete": 1})}
        assert run(*listed, *one_by_one, server=server).returncode == 0
    assert told() == {"lookup": (0, {"complete": 3})}


def test_what_nobody_claimed_is_no_claim_of_nothing(run, tmp_path):
    world = World(11, users=20, tracks=60, seed_likers=5, seed_reposters=1, gone=0, forbidden=0)
    person = world.user_url(world.id("user", 1))
    with run_in_thread(world) as server:
        done = run(person, "--read", "links,likes", "--db", "t.db", "--delay", "0", server=server)
    for shown in (done.stdout, run("status", "--db", "t.db").stdout):
        claimed = {line.split()[0]: line.split()[-2] for line in shown.splitlines() if line.startswith("  user_")}
        assert claimed["user_links"] == "-"
        assert claimed["user_likes"].isdigit()
    lists = json.loads(run("status", "--json", "--db", "t.db").stdout)["lists"]
    assert {kind["kind"]: kind["claimed"] is None for kind in lists}["user_links"]


def test_what_a_cap_has_cut_is_said_with_the_way_on(run, tmp_path):
    world = World(11, users=60, tracks=60, seed_likers=30, seed_reposters=10, gone=0, forbidden=0)
    with run_in_thread(world) as server:
        usual = (world.seed_url(), "--db", "t.db", "--delay", "0", "--max-users", "0")
        done = run(*usual, "--cap", "likers=4", server=server)
        assert "  Cut by a cap: likers (1). Run again with a higher --cap NAME=N to go on there.\n" in done.stdout
        assert "Cut by" not in run(*usual, "--cap", "likers=400", server=server).stdout
    assert read(tmp_path / "t.db", "SELECT collected FROM tasks WHERE kind = 'track_likers'") == [(30,)]
