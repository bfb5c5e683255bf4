"""Seeds of every kind, several in one harvest: what views, `harvest why`, report, export and serve say of them."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3

import pytest

import harvest
from harvest.cli.output import onward
from harvest.errors import SettingsError
from harvest.models import Limits
from harvest.report.facts import gather
from harvest.report.page import page as report_page
from harvest.serving.home import glance
from harvest.simulator import World
from harvest.store.database import open_to_read
from harvest.store.provenance import why
from tests.crawling import crawl_world, read
from tests.htmlpages import parse, table, words

WORLD = World(8, users=90, tracks=300, likes_per_user=12, seed_likers=30, seed_reposters=10)
TRACK, USER, PLAYLIST = WORLD.seed_ids(1)[0], WORLD.id("user", 5), WORLD.id("playlist", 1)
SEEDS = [WORLD.seed_url(), WORLD.user_url(USER), WORLD.playlist_url(PLAYLIST)]
MOST = 6
READ = ("likers", "reposters", "comments", "likes")
LIMITS = Limits(max_users=MOST, max_user_likes=20, max_tracks=8, depth=1, order="random", read=READ)
LISTED = {"track_likers": "like", "track_reposters": "repost", "track_comments": "comment"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """One harvest of three seeds, and one of the person alone, which goes nowhere."""
    path = tmp_path_factory.mktemp("kinds") / "t.db"
    crawl_world(path, WORLD, [SEEDS], LIMITS)
    crawl_world(path, WORLD, [SEEDS[1]], Limits(max_user_likes=20, depth=0))
    return path


@pytest.fixture
def connection(path):
    with contextlib.closing(open_to_read(path)) as connection:
        yield connection


def listed(path, track):
    """Give who stands in which list of a track."""
    found = {
        deed: {row[0] for row in read(path, f"SELECT user_id FROM user_engagements {where}", track)}
        for deed, where in {
            deed: f"WHERE track_id = ? AND engagement_type = '{deed}' AND track_list_rank IS NOT NULL"
            for deed in ("like", "repost")
        }.items()
    }
    return {
        **found,
        "comment": {row[0] for row in read(path, "SELECT user_id FROM comments WHERE track_id = ?", track)},
    }


def test_a_seed_is_named_where_there_is_one(path):
    assert set(read(path, "SELECT harvest_id, seed_id FROM seed_coverage")) == {(1, None), (2, USER)}
    ((lists, wanted),) = read(
        path, "SELECT (SELECT sum(lists) FROM seed_coverage), (SELECT count(*) FROM harvest_tasks)"
    )
    assert lists == wanted


def test_frames_are_the_tracks_around_which_people_were_chosen(path):
    visited = read(path, "SELECT thing_id FROM visits WHERE harvest_id = 1 AND thing = 'track'")
    assert len(visited) > 8
    assert set(read(path, "SELECT harvest_id, track_id FROM frames")) == {(1, track) for (track,) in visited}


def test_a_sample_knows_commenters_and_counts_everybody_once(path, tmp_path):
    """Few tracks of a small world have comments: some are written in by hand, one person's twice."""
    copy = tmp_path / "t.db"
    shutil.copy(path, copy)
    lists = listed(copy, TRACK)
    (stranger,) = set(read(copy, "SELECT min(id) FROM users WHERE id NOT IN (SELECT user_id FROM user_engagements)"))
    authors = [min(lists["like"]), *stranger, min(lists["repost"] - lists["like"]), *stranger]
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        connection.executemany(
            "INSERT INTO comments (id, track_id, user_id, track_list_rank, first_page_id) VALUES (?, ?, ?, ?, 1)",
            [(9_000_000 + rank, TRACK, user, rank) for rank, user in enumerate(authors)],
        )
    for (track,) in read(copy, "SELECT thing_id FROM visits WHERE thing = 'track'"):
        lists = listed(copy, track)
        rows = read(copy, "SELECT user_id, engagement_type, once FROM sample WHERE track_id = ?", track)
        assert sorted(row[:2] for row in rows) == sorted((user, deed) for deed in lists for user in lists[deed])
        assert {(user, deed) for user, deed, once in rows if once} == {
            (user, next(deed for deed in LISTED.values() if user in lists[deed]))
            for user in set().union(*lists.values())
        }
    assert read(copy, "SELECT track_list_rank FROM sample WHERE engagement_type = 'comment' AND once") == [(1,)]


def test_the_chance_around_each_track_is_that_of_its_draw(path):
    found = read(
        path,
        "SELECT track_id, count(*) FILTER (WHERE once), min(chance), max(chance) FROM sample GROUP BY track_id",
    )
    for _, people, least, most in found:
        assert least in (None, pytest.approx(min(1.0, MOST / people)))
        assert most == least
    assert {row[2] for row in found} - {None, 1.0}


def test_the_chain_of_every_edge_leads_to_a_seed_of_its_harvest(path):
    seeds = {(row[0], row[1]): row[2] for row in read(path, "SELECT c.harvest_id, s.id, s.thing_id FROM harvest_seeds c"
                                                            " JOIN seeds s ON s.id = c.seed_id")}  # fmt: skip
    rows = read(path, "SELECT harvest_id, seed_id, chain FROM why")
    for number, seed, chain in rows:
        last = json.loads(chain)[-1]
        assert last["kind"] == "resolve"
        assert seeds[number, last["subject_id"]] == seed
    assert {row[:2] for row in rows} == {(1, TRACK), (1, USER), (1, PLAYLIST), (2, USER)}


def test_why_tells_of_a_playlist_and_of_what_it_holds(connection, path):
    reason = why(connection, "playlist", SEEDS[2])
    assert reason.seed_of == (SEEDS[2],)
    assert [(c.round, c.seed, list(c.lists)) for c in reason.chosen] == [
        (0, SEEDS[2], ["playlist_tracks", "playlist_reposters"])
    ]
    held = read(
        path, "SELECT track_id, position FROM playlist_tracks WHERE playlist_id = ? ORDER BY position", PLAYLIST
    )
    for track, position in held:
        reason = why(connection, "track", str(track), limit=100)
        (because,) = [b for b in reason.because if b.chain[0].kind == "playlist_tracks"]
        assert (because.place, because.track_id, because.user_id, because.seed) == (position, track, None, SEEDS[2])
        assert [(step.kind, step.thing, step.subject_id) for step in because.chain] == [
            ("playlist_tracks", "playlist", PLAYLIST),
            ("resolve", "seed", 3),
        ]
        assert 1 in {chosen.round for chosen in reason.chosen}


def test_why_follows_somebody_from_the_visit_up_to_the_seed(connection, path):
    ((user, place, chance),) = read(
        path, "SELECT thing_id, place, chance FROM visits WHERE round = 2 AND chance < 1 ORDER BY thing_id LIMIT 1"
    )
    (chosen,) = why(connection, "user", str(user)).chosen
    assert (chosen.round, chosen.depth, chosen.place, chosen.chance) == (2, 1, place, chance)
    assert set(chosen.lists) == {"user_likes"}
    kinds = [step.kind for step in chosen.chain]
    assert kinds[0] in LISTED
    assert kinds[1] in ("user_likes", "playlist_tracks")
    assert kinds[2:] == ["resolve"]


def test_the_command_knows_playlists_and_seeds_that_are_people(run, path):
    said = run("why", "playlist", PLAYLIST, "--db", path).stdout
    assert f"is a seed: {SEEDS[2]}" in said
    assert f"visited as a seed (playlist-tracks: complete, playlist-reposters: complete), for {SEEDS[2]}" in said
    held = read(path, "SELECT track_id FROM playlist_tracks WHERE playlist_id = ? ORDER BY position", PLAYLIST)[0][0]
    assert (
        f"from tracks in the playlist: playlist {PLAYLIST} “"
        in run("why", "track", held, "--db", path, "--limit", 99).stdout
    )
    said = run("why", "user", USER, "--db", path).stdout
    assert said.count("visited as a seed (likes: capped, ") == 2
    assert "not asked for" not in said


def test_the_report_has_each_seed_once_in_its_heading_and_all_in_its_tables(connection, path):
    facts = gather(connection, "t")
    assert [(seed.harvest_id, seed.place, seed.seeds, seed.seed_kind) for seed in facts.seeds] == [
        (1, 0, 3, "track"), (1, 1, 3, "user"), (1, 2, 3, "playlist"), (2, 0, 1, "user"),
    ]  # fmt: skip
    found = parse(report_page(facts))
    heading = words(next(found.iter("h1")))
    assert heading.count("“") == 3
    levels = [row[0] for row in table(found, "levels")]
    assert sum("and 2 more" in name for name in levels) >= 1
    assert len(facts.neighbourhoods) == 1


def test_the_home_page_of_serve_names_what_the_seeds_are(path):
    with contextlib.closing(open_to_read(path)) as connection:
        found = glance(connection)
    names = [
        read(path, f"SELECT {column}, permalink_url FROM {table} WHERE id = ?", number)[0]
        for table, column, number in (
            ("tracks", "title", TRACK),
            ("users", "username", USER),
            ("playlists", "title", PLAYLIST),
        )
    ]
    assert [(seed.title, seed.url) for seed in found.seeds] == names
    assert found.seed_count == 3


def test_an_export_names_every_seed_once(run, path, tmp_path):
    done = run("export", tmp_path / "out", "--db", path, "--format", "csv")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert told["source"]["seeds"] == SEEDS


def test_methods_count_seeds_and_people_not_lists(run, path):
    done = run("sql", "methods", "--db", path, "-f", "json")
    told = {(row["section"], row["what"]): row["value"] for row in json.loads(done.stdout)}
    assert told["seeds", "seeds"] == 3
    assert told["seeds", "seeds drained"] == 4
    ((followed, drawn),) = read(
        path, "SELECT count(*), count(*) FILTER (WHERE chance < 1) FROM visits WHERE thing = 'user' AND round > 0"
    )
    assert (told["people", "followed"], told["people", "drawn by chance"]) == (followed, drawn)


def test_a_harvest_of_the_seed_alone_says_how_to_go_on_and_what_it_would_cost(run, server, tmp_path):
    world = server.world
    people = (world.id("user", i) for i in range(60))
    artist = next(i for i in people if world.listing("user_tracks", i) and world.listing("user_likes", i))
    person, file, quick = world.user_url(artist), tmp_path / "t.db", {"HARVEST_DELAY": "0"}
    done = run(person, "--max-users", "5", "--max-tracks", "5", "--db", file, server=server, **quick)
    said = r"^Go on (.+) \(up to some ([\d,]+) requests, .+\): harvest (.+)$"
    ways = re.findall(said, done.stdout, re.MULTILINE)
    assert [(words, arguments) for words, _, arguments in ways] == [
        ("around what they like", f"{person} --depth 1 --cache-path {file}"),
        ("around their own tracks", f"{person} --depth 1 --via uploads --cache-path {file}"),
    ]
    before = server.total
    further = run(*ways[0][2].split(), "--json", server=server, **quick)
    assert json.loads(further.stdout)["stop_reason"] == "drained"
    assert 0 < server.total - before <= int(ways[0][1].replace(",", ""))
    assert "Go on" not in run(*ways[0][2].split(), server=server, **quick).stdout


def test_from_a_track_it_goes_on_to_those_who_like_it(run, server, tmp_path):
    done = run(server.world.seed_url(), "--depth", "0", "--db", tmp_path / "t.db", server=server)
    assert re.search(
        r"^Go on to those who like it \(up to some \d+ requests, .+ --depth 1 --cache-path", done.stdout, re.MULTILINE
    )


def test_a_way_on_never_shows_the_secret_of_a_private_link(tmp_path):
    link = "https://soundcloud.com/artist/track/s-AbC123"
    assert onward._command([link], "--depth 1", tmp_path / "t.db") == "the same command with --depth 1"


def test_python_tells_why_of_everything_the_command_does(path):
    db = harvest.open(path)
    assert db.why("playlist", PLAYLIST).seed_of == (SEEDS[2],)
    assert db.why("track", SEEDS[0]).seed_of == (SEEDS[0],)
    with pytest.raises(SettingsError, match="track, playlist, station, user"):
        db.why("search", 1)
