"""`--until-new`: a sample ends where it has seen enough, at the same person whatever arrives first or is killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
from dataclasses import asdict, replace

import pytest

from harvest.models import Limits
from harvest.simulator import World, run_in_thread, serve
from harvest.simulator.oracle import expect
from harvest.store.database import open_to_read
from harvest.store.marks import ends
from harvest.store.samples import samples
from harvest.verify.checks import verify
from harvest.verify.choices import CHOICE_CHECKS
from tests.crawling import Onlooker, assert_exact, assert_union, crawl_into, crawl_sessions, crawl_world, graph_of, read
from tests.repetitions import rows_but, slow_but
from tests.waiting import until

WORLD = World(7, users=300, tracks=200, likes_per_user=16, seed_likers=190, seed_reposters=20, gone=0.03)
LIMITS = Limits(max_users=180, max_user_likes=40, order="random", sample_seed=5, until_new=0.1)
HOW = {"page_size": 50, "max_in_flight": 8}
OPTIONS = ("--sample", "180", "--max-user-likes", "40", "--sample-seed", "5", "--page-size", "50", "--delay", "0", "-q")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The crawl of a sample that ends at its second mark, undisturbed."""
    path = tmp_path_factory.mktemp("whole") / "t.db"
    crawl_world(path, WORLD, limits=LIMITS, **HOW)
    return path


def harvest_of(path):
    return read(path, "SELECT state, mark FROM harvests")[0]


def followed(path):
    return [row[0] for row in read(path, "SELECT thing_id FROM visits WHERE round = 1 AND place >= 0 ORDER BY place")]


def complaints(path, *, check="harvests.sated"):
    with contextlib.closing(open_to_read(path)) as connection:
        return [line for found in verify(connection) if found.check.name == check for line in found.examples]


ENDS = [(0.9, "sated", 50), (0.1, "sated", 100), (0.001, "drained", 200), (None, "drained", None)]


@pytest.mark.parametrize(
    ("until_new", "state", "mark"),
    rows_but([(0.9, "sated", 50)], ENDS),
)
def test_a_sample_ends_where_the_oracle_ends_it(tmp_path, until_new, state, mark):
    limits = replace(LIMITS, until_new=until_new)
    crawl_world(tmp_path / "t.db", WORLD, limits=limits, **HOW)
    assert_exact(tmp_path / "t.db", WORLD, limits=limits, page_size=50)
    assert harvest_of(tmp_path / "t.db") == (state, mark)
    ((people, chance),) = read(tmp_path / "t.db", "SELECT count(*), chance FROM visits WHERE round = 1 GROUP BY chance")
    ((listed,),) = read(tmp_path / "t.db", "SELECT count(DISTINCT user_id) FROM sample")
    assert (people, chance) == (min(mark or 180, 180), people / listed)


@pytest.mark.soak
def test_where_samples_end_less_than_was_asked_for_is_new_nineteen_times_in_twenty():
    ended = right = 0
    for number in range(120):
        world = World(number, users=420, tracks=500, likes_per_user=14, seed_likers=300, seed_reposters=10)
        limits = replace(LIMITS, max_users=280, until_new=0.12)
        (people,) = expect(world, **asdict(limits)).followed.values()
        everything = expect(world, **asdict(replace(limits, max_users=10_000, until_new=None)))
        (everybody,) = everything.followed.values()
        likes = {person: set() for person in everybody}
        for (user, track, deed), (rank, _) in everything.engagements.items():
            if user in likes and deed == "like" and rank is not None:
                likes[user].add(track)
        seen = set().union(*(likes[person] for person in people))
        rest = [likes[person] for person in everybody if person not in people]
        if len(people) < 280:
            ended += 1
            right += sum(len(one - seen) for one in rest) < 0.12 * sum(map(len, rest))
    assert ended > 60
    assert right >= 0.93 * ended


@pytest.mark.parametrize("stop_after", slow_but([54], [1, 3, 53, 54, 55, 70, 100]))
def test_a_crawl_that_is_stopped_anywhere_ends_at_the_same_person(tmp_path, whole, stop_after):
    path = tmp_path / "t.db"

    async def twice():
        async with serve(WORLD, gzip=False) as server:
            await crawl_into(path, server, limits=LIMITS, onlooker=Onlooker(stop_after), page_size=50, max_in_flight=3)
            assert await crawl_into(path, server, limits=LIMITS, **HOW) == "drained"

    asyncio.run(twice())
    assert harvest_of(path) == harvest_of(whole) == ("sated", 100)
    assert followed(path) == followed(whole)
    assert graph_of(path) == graph_of(whole)


@pytest.mark.parametrize("point", slow_but([], [20, 58, 80, 104]))
def test_a_crawl_that_is_killed_anywhere_ends_at_the_same_person(tmp_path, run, start, whole, point):
    path = tmp_path / "t.db"
    with run_in_thread(WORLD, keep_log=True) as server:
        server.hold_after(point + 8)
        crawl = start(WORLD.seed_url(), "--db", path, "--until-new", "10%", *OPTIONS, server=server)
        until(lambda: server.total >= point or crawl.poll() is not None, every=0.0005)
        crawl.send_signal(signal.SIGKILL)
        crawl.communicate()
        assert crawl.returncode == -signal.SIGKILL
        server.hold_after(None)
        done = run("resume", "--db", path, server=server)
    assert done.returncode == 0, done.stderr
    assert "Sated: the sample has seen enough" in done.stdout
    assert harvest_of(path) == ("sated", 100)
    assert followed(path) == followed(whole)
    assert graph_of(path) == graph_of(whole)


@pytest.mark.slow
def test_nobody_beyond_the_next_mark_is_asked_before_this_one_is_judged(tmp_path):
    with run_in_thread(WORLD, keep_log=True) as server:

        async def crawl():
            await crawl_into(tmp_path / "t.db", server, limits=LIMITS, page_size=50, max_in_flight=32)

        asyncio.run(crawl())
        asked = [logged.target for logged in server.requests if "/likes/tracks" in logged.target]
    people = followed(tmp_path / "t.db")
    first = [place for place, target in enumerate(asked) if any(f":{person}/" in target for person in people[50:])]
    assert len(people) == 100
    assert min(first) > max(place for place, target in enumerate(asked) if any(f":{p}/" in target for p in people[:50]))


@pytest.mark.slow
def test_the_bound_is_lowered_raised_and_lifted_like_any_option(tmp_path):
    steps = [replace(LIMITS, until_new=share) for share in (0.1, 0.9, 0.1, 0.001, None, 0.1)]
    sessions = [[(WORLD.seed_url(), limits)] for limits in steps]
    requests = crawl_sessions(tmp_path / "t.db", WORLD, *sessions, **HOW)
    assert_union(tmp_path / "t.db", WORLD, *sessions, page_size=50)
    assert harvest_of(tmp_path / "t.db") == ("sated", 100)
    assert requests[1] <= 1  # a token: everybody it wants is read
    assert requests[2] <= 1
    assert requests[3] >= 80
    assert requests[4] <= 1
    assert complaints(tmp_path / "t.db") == []


@pytest.mark.slow
def test_the_same_command_again_asks_nothing(tmp_path, run):
    with run_in_thread(WORLD) as server:
        arguments = (WORLD.seed_url(), "--until-new", "0.1", *OPTIONS, "--db", "t.db")
        assert run(*arguments, server=server).returncode == 0
        before = server.total
        done = run(*arguments, server=server)
        assert (done.returncode, server.total) == (0, before)
        assert "Sated: the sample has seen enough, and nothing is to do" in done.stdout
        told = json.loads(run("status", "--json", "--db", "t.db").stdout)
        assert told["harvests"][0]["state"] == "sated"
        assert told["coverage"]["high"] < 0.1
        assert json.loads(run(*arguments, "--json", server=server).stdout)["stop_reason"] == "drained"
        planned = json.loads(run("plan", *arguments, "--json", server=server).stdout)
        assert planned["seeds"][0]["complete"]
        assert planned["seeds"][0]["coverage"] == told["coverage"]
        assert "100 of " in run("plan", *arguments, server=server).stdout


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (
            "UPDATE harvests SET state = 'drained'",
            "harvest 1 is drained at mark 100, which is not how its sample ended",
        ),
        ("UPDATE harvests SET mark = NULL", "harvest 1 is sated at mark none, and its options say otherwise"),
        (
            "UPDATE harvests SET last_options = json_set(last_options, '$.until_new', 0.9)",
            "harvest 1 is sated at mark 100, and had nothing more to draw, or had seen enough, at 50",
        ),
        (
            "UPDATE harvests SET last_options = json_set(last_options, '$.until_new', 0.001)",
            "harvest 1 is sated at mark 100, and has not seen enough there",
        ),
    ],
)
def test_verify_judges_again(tmp_path, whole, lie, said):
    path = tmp_path / "t.db"
    path.write_bytes(whole.read_bytes())
    assert complaints(path) == []
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(lie)
    assert complaints(path) == [said]


@pytest.mark.slow
def test_verify_reads_what_each_person_likes_once_however_many_the_marks(tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=replace(LIMITS, until_new=0.001), **HOW)
    assert harvest_of(path) == ("drained", 200)
    (check,) = (one for one in CHOICE_CHECKS if one.name == "harvests.sated")
    with contextlib.closing(open_to_read(path)) as connection:
        asked = []
        connection.set_trace_callback(asked.append)
        assert list(check.find(connection)) == []
    read_of = [sql for sql in asked if "SELECT track_id FROM user_engagements" in sql]
    assert len(read_of) == len(set(read_of)) == 150  # up to the last mark before all who are listed


def test_people_who_are_still_to_be_read_have_not_seen_enough(tmp_path):
    path, limits = tmp_path / "t.db", replace(LIMITS, until_new=0.9)

    async def stopped():
        async with serve(WORLD, gzip=False) as server:
            await crawl_into(path, server, limits=limits, onlooker=Onlooker(40), page_size=50, max_in_flight=1)

    asyncio.run(stopped())
    with contextlib.closing(open_to_read(path)) as connection:
        (sample,) = samples(connection, 1, limits)
        n = len(sample.people)
        assert 20 < n < 50
        assert ends(connection, 1, limits, [n, 50, sample.population]) == [n, sample.population]


def test_somebody_of_the_sample_may_be_forgotten(tmp_path, run, whole):
    path = tmp_path / "t.db"
    path.write_bytes(whole.read_bytes())
    before = json.loads(run("status", "--json", "--db", path).stdout)["coverage"]
    done = run("forget", f"soundcloud:users:{followed(path)[3]}", "--yes", "--db", path)
    assert done.returncode == 0, done.stderr
    assert complaints(path) == []
    after = json.loads(run("status", "--json", "--db", path).stdout)["coverage"]
    assert (after["people"], after["population"]) == (before["people"] - 1, before["population"] - 1)
    assert after["likes"] < before["likes"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--until-new", "5%"), "add --sample N, or --order random"),
        (("--until-new", "5%", "--order", "newest"), "add --sample N, or --order random"),
        (("--until-new", "100%", "--sample", "9"), "is no share of less than everything"),
        (("--until-new", "some", "--sample", "9"), "is no share of less than everything"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(run, server, tmp_path, options, said):
    done = run(server.world.seed_url(), *options, "--db", "t.db", server=server)
    assert (done.returncode, server.total) == (2, 0)
    assert said in done.stderr
    assert not (tmp_path / "t.db").exists()


@pytest.mark.slow
def test_several_seeds_end_together_when_each_has_seen_enough(tmp_path):
    seeds = [f"soundcloud:tracks:{number}" for number in WORLD.seed_ids(2)]
    session = [(seeds, LIMITS)]
    crawl_sessions(tmp_path / "t.db", WORLD, session, **HOW)
    assert_union(tmp_path / "t.db", WORLD, session, page_size=50)
    assert complaints(tmp_path / "t.db") == []


def test_a_seed_that_is_no_track_draws_nobody_and_ends_as_ever(tmp_path):
    user = f"soundcloud:users:{followed_by(tmp_path)}"
    session = [(user, replace(LIMITS, depth=0))]
    crawl_sessions(tmp_path / "u.db", WORLD, session, **HOW)
    assert harvest_of(tmp_path / "u.db")[0] == "drained"
    assert complaints(tmp_path / "u.db") == []


def followed_by(folder):
    crawl_world(folder / "one.db", WORLD, limits=Limits(max_users=1), **HOW)
    return followed(folder / "one.db")[0]
