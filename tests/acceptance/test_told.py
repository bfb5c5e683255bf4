"""Whatever the seed is, every list that was read is told of: in the statistics, in the log."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections import Counter

import pytest

from harvest.analysis.beside import BESIDE, MINE, WAYS, beside, filled
from harvest.analysis.beside import TOGETHER as TOGETHER_SQL
from harvest.cli.output.formatting import PHASES, phase_words
from harvest.cli.output.summary import summary_lines
from harvest.explore.execute import ask
from harvest.explore.named import named_query
from harvest.explore.parameters import bind_named
from harvest.lists import BY_NAME, KINDS
from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect
from harvest.store.database import open_to_read
from harvest.store.standing import Lists, Standing
from harvest.store.status import ALWAYS, overview
from tests.crawling import crawl_world, read

WORLD = World(4, users=50, tracks=120, playlists=60, likes_per_user=12, seed_likers=15, null_entries=0.05)
SEEDS = {
    "track": WORLD.seed_url(),
    "user": WORLD.user_url(WORLD.id("user", 5)),
    "playlist": WORLD.playlist_url(WORLD.id("playlist", 1)),
    "station": WORLD.facts.url("station", 1),
    "search_for_tracks": "search:tracks?q=o",
}
ALL = tuple(name for name, kind in BY_NAME.items() if not kind.own and not kind.searches)
LIMITS = Limits(read=ALL, max_users=6, max_tracks=3, max_playlists=8, max_user_likes=30, depth=1)


@pytest.fixture(scope="module", params=SEEDS)
def crawled(request, tmp_path_factory):
    """One file for each kind of seed, with all lists, as (kind of seed, path)."""
    path = tmp_path_factory.mktemp("told") / f"{request.param}.db"
    crawl_world(path, WORLD, [SEEDS[request.param]], LIMITS)
    return request.param, path


def test_the_statistics_count_every_table_that_a_list_has_filled(crawled):
    _, path = crawled
    with contextlib.closing(open_to_read(path)) as connection:
        seen = overview(connection)
    filled = {kind.edge.table for kind in KINDS.values() if kind.edge}
    assert filled <= set(seen.rows)
    assert seen.rows == {table: read(path, f"SELECT count(*) FROM {table}")[0][0] for table in seen.rows}
    lines = [line.split() for line in summary_lines(seen, "")]
    told = {line[0]: int(line[1].replace(",", "")) for line in lines if len(line) == 2 and line[0] in seen.rows}
    assert told == {table: n for table, n in seen.rows.items() if n or table in ALWAYS}
    assert {"web_profiles", "station_likes", "playlist_engagements", "related_tracks", "stations"} <= {
        table for table, n in told.items() if n
    }


def most(path, sql, *parameters):
    """The subject of the most rows, the smallest of several."""
    found = Counter(row[0] for row in read(path, sql, *parameters))
    return min(found, key=lambda one: (-found[one], one), default=None)


def of_longest_list(path, kind):
    return read(
        path,
        "SELECT subject_id FROM tasks WHERE kind = ? AND collected > 0 ORDER BY collected DESC, subject_id LIMIT 1",
        kind,
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    {
        "commented": "track_comments",
        "co-likes": "track_likers",
        "fans-of": "track_likers",
        "follows-of": "user_followings",
        "likes-of": "user_likes",
        "links": "user_links",
        "mirror": "track_related",
        "playlists-around": None,
        "playlists-with": None,
        "track-history": "track_likers",
        "uploads-of": "user_tracks",
    }.items(),
)
def test_a_named_query_answers_whatever_the_seed_is(crawled, name, kind):
    """Without a value it is about the seed, else about what most is known of; whoever is named, it is about them."""
    thing, path = crawled
    query = named_query(name)
    parameter = query.parameters[0]
    if parameter.type == "track" and thing == "track":
        ((subject,),) = read(path, "SELECT thing_id FROM seeds WHERE thing = 'track'")
    elif kind is None:
        subject = most(path, "SELECT DISTINCT track_id, playlist_id FROM playlist_tracks")
    else:
        subject = next((row[0] for row in of_longest_list(path, kind)), None)
    with contextlib.closing(open_to_read(path)) as connection:

        def told(*given):
            return list(ask(connection, query.sql, bind_named(connection, query, given)).rows)

        usual = told()
        assert usual == (told(f"{parameter.name}={subject}") if subject else [])
    assert len(usual) >= (subject is not None and kind != "track_comments" and thing != "track")


# What each method counts: rows of (what both stand in, what stands in it).
TOGETHER = {
    ("track", "playlists"): "SELECT playlist_id, track_id FROM playlist_tracks",
    ("track", "stations"): "SELECT station_id, track_id FROM station_tracks",
    ("track", "reposts"): "SELECT user_id, track_id FROM user_engagements WHERE engagement_type = 'repost'"
    " AND user_list_rank IS NOT NULL",
    ("track", "likes_reposts"): "SELECT user_id, track_id FROM user_engagements WHERE user_list_rank IS NOT NULL",
    ("user", "followings"): "SELECT followee_id, follower_id FROM user_follows WHERE followings_list_rank IS NOT NULL",
    ("user", "followers"): "SELECT follower_id, followee_id FROM user_follows",
    ("user", "reposts"): "SELECT track_id, user_id FROM user_engagements WHERE engagement_type = 'repost'"
    " AND user_list_rank IS NOT NULL",
}


@pytest.mark.parametrize(("thing", "method"), TOGETHER)
def test_what_stands_together_is_counted_right(crawled, thing, method):
    _, path = crawled
    frames = {row[0] for row in read(path, "SELECT track_id FROM frames")}
    stands = {}
    for inside, one in read(path, TOGETHER[thing, method]):
        if not (thing == "user" and method == "reposts" and inside in frames):
            stands.setdefault(one, set()).add(inside)
    way = WAYS[thing, method]
    left_out = frames if way.likes and thing == "track" else set()
    with contextlib.closing(open_to_read(path)) as connection:
        for one in sorted(stands, key=lambda one: (-len(stands[one]), one))[:5]:
            found = beside(connection, thing, str(one), method=method, limit=10_000)
            common = {
                other: len(stands[one] & inside)
                for other, inside in stands.items()
                if other not in left_out | {one} and len(stands[one] & inside) >= way.least
            }
            cosine = {other: n / math.sqrt(len(stands[one]) * len(stands[other])) for other, n in common.items()}
            assert found.size == len(stands[one])
            assert found.frame == (thing == "track" and way.likes and one in frames)
            assert {near.id: (near.common, near.size) for near in found.near} == {
                other: (n, len(stands[other])) for other, n in common.items()
            }
            assert {near.id: near.score for near in found.near} == pytest.approx(cosine)
            assert [near.score for near in found.near] == sorted((near.score for near in found.near), reverse=True)
            few = beside(connection, thing, str(one), method=method, limit=3)
            assert few.near == found.near[:3]
    assert stands or method == "stations"


def test_what_the_service_finds_related_stands_beside_our_likes(crawled):
    _, path = crawled
    ((track,),) = of_longest_list(path, "track_related")
    likes = {}
    for user, liked in read(path, "SELECT user_id, track_id FROM user_engagements WHERE engagement_type = 'like'"):
        likes.setdefault(liked, set()).add(user)
    ranked = read(
        path,
        "SELECT related_track_id FROM related_tracks WHERE method = 'soundcloud' AND track_id = ? ORDER BY rank",
        track,
    )
    with contextlib.closing(open_to_read(path)) as connection:
        found = beside(connection, "track", str(track), method="soundcloud", limit=1_000)
    assert [(near.id, near.common, near.rank) for near in found.near] == [
        (other, len(likes.get(track, set()) & likes.get(other, set())), place) for place, (other,) in enumerate(ranked)
    ]
    assert len(ranked) > 5


def test_the_command_says_what_both_stand_in_and_how_to_have_it_read(run, crawled):
    thing, path = crawled
    track = most(path, "SELECT DISTINCT track_id, playlist_id FROM playlist_tracks")
    told = run("related", track, "--method", "playlists", "--db", path).stdout
    assert re.search(r"^ +1\. .+\n +\d+ playlists? holds? both, of \d+ and \d+\n", told, re.MULTILINE)
    ((person,),) = of_longest_list(path, "user_followings")
    given = ("similar", person, "--method", "followings", "--db", path)
    assert " accounts are followed by both, of " in run(*given).stdout
    assert {"id", "common", "size", "score"} <= json.loads(run(*given, "--json").stdout)["near"][0].keys()
    if thing != "station":
        assert "harvest STATION" in run("related", track, "--method", "stations", "--db", path).stdout


@pytest.mark.parametrize("way", BESIDE, ids=lambda way: f"{way.thing} {way.method}")
def test_no_table_is_read_whole_for_what_stands_together(db, way):
    parameters = {"one": 1, "least": 2, "frames": "[1]", "newest": 1, "incomplete": 0, "min_common": 1}
    for sql in (MINE, TOGETHER_SQL):
        plan = [row[3] for row in db.conn.execute(f"EXPLAIN QUERY PLAN {filled(sql, way)}", parameters)]
        assert [line for line in plan if re.match(r"SCAN ([mo]|engagements)\b", line)] == []


def test_what_is_read_is_named_by_its_lists_where_it_is_not_the_usual():
    def seen(phase, *kinds, depth=1):
        return Standing(0, 0, 0, 0, 0, tuple(Lists(kind, todo=1) for kind in kinds), phase, depth, 0, False)

    assert phase_words(seen("users", "user_likes")) == PHASES["users"]
    assert phase_words(seen("users", "user_likes", "track_likers")) == PHASES["users"]
    assert phase_words(seen("users", "user_links", depth=2)) == "Reading links of people, depth 2"
    assert phase_words(seen("spill", "track_likers", "track_comments")) == "Reading likers, comments of tracks"
    many = ("user_likes", "user_reposts", "user_tracks", "user_links", "user_followers")
    assert phase_words(seen("users", *many)) == "Reading likes, reposts, uploads and 2 more of people"


def test_the_entries_of_every_list_are_counted_while_they_are_read():
    lists = (Lists("user_followings", kept=70), Lists("user_likes", kept=9), Lists("user_links", kept=2))
    assert Standing(0, 0, 5, 2, 0, lists, "users", 1, 0, False).edges == 5 + 2 + 70 + 2


@pytest.mark.first_case
@pytest.mark.parametrize("seed", ["track", "station"])
def test_who_asks_for_it_is_told_of_each_person_read(run, server, tmp_path, seed):
    """Who asks is who names the level; the log file has it without being asked."""
    world = server.world
    url = world.seed_url() if seed == "track" else world.facts.url("station", 1)
    options = ("--read", "likers,likes,links,station-tracks", "--max-users", "4", "--max-tracks", "2", "--depth", "1")
    shown = {}
    for name, more in {"named": ("--log-level", "info"), "usual": (), "kept": ("--log-file", "kept.log")}.items():
        done = run(url, "--db", f"{name}.db", *options, "--log-format", "json", "--delay", "0", *more, server=server)
        assert done.returncode == 0, done.stderr
        shown[name] = [json.loads(line) for line in done.stderr.splitlines()]
    shown["file"] = [json.loads(line) for line in (tmp_path / "kept.log").read_text("utf-8").splitlines()]
    told = {
        name: sorted(
            (event["thing"], event["who"], event["lists"]) for event in events if event["event"] == "visit.read"
        )
        for name, events in shown.items()
    }
    truth = expect(world, url, read=("likers", "likes", "links", "station-tracks"), max_users=4, max_tracks=2, depth=1,
                   seed_read=None, without=())  # fmt: skip
    visits = {(KINDS[kind].subject, subject) for kind, subject in truth.lists if KINDS[kind].edge}
    expected = sorted(
        (
            thing,
            world.facts.url(thing, world.index(thing, subject)),
            ", ".join(
                f"{kind.option} {ended[1]:,}{'' if ended[0] == 'complete' else f' ({ended[0]})'}"
                for kind in KINDS.values()
                if (ended := truth.lists.get((kind.name, subject))) and kind.subject == thing
            ),
        )
        for thing, subject in visits
    )
    assert len([one for one in expected if one[0] == "user"]) > 3
    assert told == {"named": expected, "usual": [], "kept": [], "file": expected}
