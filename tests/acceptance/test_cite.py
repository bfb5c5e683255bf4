"""`harvest cite`: what it says of a file is what the world and the ledger say, in the report and in exports as well."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections import Counter
from dataclasses import asdict

import pytest

import harvest
from harvest._version import __version__
from harvest.citing.cite import as_bibtex, as_text
from harvest.citing.facts import facts
from harvest.citing.methods import _OTHERWISE, methods
from harvest.models import Limits, Outcome
from harvest.report.facts import gather
from harvest.simulator import World, run_in_thread
from harvest.simulator.oracle import expect
from harvest.store.database import open_to_read
from tests.crawling import crawl_sessions, crawl_world, read
from tests.estimating import a_world

WORLD = a_world(8)
DRAWN = Limits(max_users=60, max_user_likes=40, order="random", sample_seed=9)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    path = tmp_path_factory.mktemp("drawn") / "t.db"
    crawl_world(path, WORLD, limits=DRAWN)
    return path


def told(path, **how):
    with contextlib.closing(open_to_read(path)) as connection:
        return methods(facts(connection), **how)


def listed(path):
    return read(path, "SELECT count(DISTINCT user_id) FROM sample")[0][0]


def test_the_paragraph_says_what_the_world_says(drawn):
    said = told(drawn)
    truth = expect(WORLD, **asdict(DRAWN))
    day = read(drawn, "SELECT substr(max(fetched_at), 1, 10) FROM pages")[0][0]
    n, requests = listed(drawn), read(drawn, "SELECT sum(n) FROM run_requests")[0][0]
    assert said[0] == (
        f"The listening graph around a track ({WORLD.seed_url()}) was collected from a simulated SoundCloud, so that"
        f" the data are invented, with harvest {__version__}, on {day} (UTC)."
    )
    assert f"Around the seed tracks {n} people were listed, from lists of at most 20,000 entries." in said
    chance = f"{60 / n:.3g}"
    assert (
        f"Of these, 60 were drawn by lot (BLAKE2b, sample seed 9), each with an inclusion probability of {chance}."
    ) in said
    ended = Counter(outcome for (kind, _), (outcome, _, _) in truth.lists.items() if kind == "user_likes")
    assert ended.total() == 60
    words = {"capped": "cut at our own bound", "short": "shorter than the service claims", "gone": "gone"}
    parts = [f"{ended['complete']} whole", *(f"{ended[name]} {word}" for name, word in words.items() if ended[name])]
    assert f"Tracks the user likes: 60 lists asked for, {', '.join(parts)}." in said
    assert "Who liked the track: 1 list asked for, 1 whole." in said
    edges = Counter(deed for _, _, deed in truth.engagements)
    assert (
        f"That took {requests} requests in one run; the file holds {len(truth.users):,} people, {len(truth.tracks):,}"
        f" tracks, {edges['like']:,} likes and {edges['repost']:,} reposts."
    ) in said


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (
            Limits(max_users=20),
            "20 were followed, chosen in the order of the lists, newest first, which is no random sample.",
        ),
        pytest.param(
            Limits(max_users=20, order="popular"),
            "chosen by their number of followers, most first, which is no random",
            marks=pytest.mark.slow,
        ),
        (Limits(max_users=500), "All of them were followed."),
        (Limits(max_users=20, depth=2, max_tracks=2), "The harvest went on to depth 2, around the tracks that most of"),
        pytest.param(  # slow: each of the two sentences stands above, too
            Limits(max_users=500, depth=2, max_tracks=2),
            "All of them were followed. The harvest went on to depth 2,",
            marks=pytest.mark.slow,
        ),
        (Limits(max_users=20, order="random", depth=2, max_tracks=2), "Of these, 20 were drawn by lot (BLAKE2b,"),
        (
            Limits(max_users=200, order="random", until_new=0.95),
            "lies below 0.95; it ended after 50, where that share was estimated at 0.",
        ),
    ],
    ids=["newest", "popular", "all", "deep", "all-deep", "drawn-deep", "sated"],
)
def test_every_way_of_choosing_has_its_sentence(tmp_path, limits, says):
    crawl_world(tmp_path / "t.db", WORLD, limits=limits)
    assert says in " ".join(told(tmp_path / "t.db"))


def test_every_way_in_which_a_list_may_end_has_its_words():
    named = {"complete", "capped", "short", *_OTHERWISE}
    assert named == set(Outcome) - {Outcome.CAUGHT_UP}  # of readings of the head, never of a list


def test_many_seeds_are_counted_and_searches_are_among_them(tmp_path):
    seeds = [f"soundcloud:tracks:{number}" for number in WORLD.seed_ids(5)]
    crawl_sessions(tmp_path / "t.db", WORLD, [(seeds, Limits(max_users=2))], [(WORLD.seed_url(), Limits(max_users=3))])
    said = " ".join(told(tmp_path / "t.db"))
    assert "around 6 seeds, each a track was" in said
    assert "of harvest 2 " in said


def test_of_pseudonyms_nothing_is_said_that_names_the_seed_or_counts_its_people(drawn):
    said = " ".join(told(drawn, hide=True))
    assert "around a track was collected" in said
    assert WORLD.seed_url() not in said
    numbers = set(re.findall(r"\d[\d,.]*", re.sub(r"\d{4}-\d\d-\d\d", "", said)))
    assert str(listed(drawn)) not in numbers
    assert not numbers & {f"{n:,}" for n in read(drawn, "SELECT users, tracks, likes, reposts FROM totals")[0]}


def test_a_file_into_which_nothing_came_says_so(tmp_path, run, server):
    assert run("https://soundcloud.com/nobody/nothing", "--db", "t.db", "-q", server=server).returncode == 2
    done = run("cite", "--db", "t.db")
    assert done.returncode == 0
    assert "Nothing has been collected into this file." in done.stdout


def test_bibtex_has_two_entries_whose_braces_close(drawn):
    with contextlib.closing(open_to_read(drawn)) as connection:
        found = as_bibtex(facts(connection))
    tool, data = found.split("\n\n")
    assert tool.startswith("@software{harvest,\n  author = {{the harvest developers}},")
    assert f"  version = {{{__version__}}}," in tool
    assert re.match(r"@misc\{harvest-data-[0-9a-f]{8},\n  title = \{\{Listening graph around https://", data)
    (note,) = re.findall(r"note = .*", data)  # the key before it may hold any digits
    assert f"{listed(drawn):,}" not in re.findall(r"[0-9,]+", note)
    likes = read(drawn, "SELECT likes FROM totals")[0][0]
    assert f"{likes:,} likes" in data
    for entry in (tool, data):
        assert entry.count("{") == entry.count("}")
        assert "_" not in re.sub(r"\\_", "", entry)


def test_another_state_of_the_file_has_another_key(tmp_path, drawn):
    crawl_world(tmp_path / "t.db", WORLD, limits=Limits(max_users=3))
    keys = []
    for path in (drawn, tmp_path / "t.db"):
        with contextlib.closing(open_to_read(path)) as connection:
            keys.append(re.search(r"harvest-data-\w+", as_bibtex(facts(connection)))[0])
    assert len(set(keys)) == 2


def test_the_report_says_the_same_and_so_does_the_command(run, drawn):
    with contextlib.closing(open_to_read(drawn)) as connection:
        assert gather(connection, "t.db").methods == told(drawn)
        lines = as_text(facts(connection))
    assert run("cite", "--db", drawn).stdout == "\n".join(lines) + "\n"
    assert run("cite", "--as", "methods", "--db", drawn).stdout == " ".join(told(drawn)) + "\n"
    found = json.loads(run("cite", "--json", "--db", drawn).stdout)
    assert found["methods"] == told(drawn)
    assert harvest.open(drawn).cite() == found
    assert run("cite", "--as", "bibtex", "--db", drawn).stdout.strip() == found["bibtex"]


@pytest.mark.parametrize("ids", ["raw", "pseudonym"])
def test_the_manifest_of_an_export_says_it_too(run, drawn, tmp_path, ids):
    key = ("--key", "key") if ids == "pseudonym" else ()
    done = run("export", "out", "--format", "tsv", "--ids", ids, *key, "--db", drawn)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["methods"] == told(drawn, hide=ids == "pseudonym")


WANTED = ("--sample", "15", "--max-user-likes", "20", "--delay", "0")


def test_a_plan_that_was_saved_is_kept_with_the_run_and_named(tmp_path, run):
    world = World(11, users=60, tracks=300, likes_per_user=30, seed_likers=30)
    with run_in_thread(world) as server:
        url = world.seed_url()
        done = run("plan", url, *WANTED, "--save", "plans/one.json", "--db", "t.db", server=server)
        assert done.returncode == 0, done.stderr
        plan = (tmp_path / "plans" / "one.json").read_bytes()
        digest = hashlib.sha256(plan).hexdigest()
        assert f"Plan saved as plans/one.json, SHA-256 {digest}." in done.stdout
        assert json.loads(plan)["harvests"][0]["seeds"] == [url]
        assert json.loads(plan)["harvests"][0]["options"]["max_users"] == 15
        crawl = (url, "--plan", "plans/one.json", "--db", "t.db", "-q")
        refused = run(*crawl, "--sample", "16", *WANTED[2:], server=server)
        assert (refused.returncode, (tmp_path / "t.db").exists()) == (2, False)
        assert "This is not what plans/one.json plans: max_users is 16 and was to be 15" in refused.stderr
        assert run(*crawl, *WANTED, server=server).returncode == 0
    said = run("cite", "--as", "methods", "--db", "t.db").stdout
    begun = read(tmp_path / "t.db", "SELECT started_at FROM runs")[0][0]
    assert (
        f"It followed a plan that was saved before (SHA-256 {digest}); run 1, begun at {begun}, was the first" in said
    )
    assert read(tmp_path / "t.db", "SELECT options ->> 'plan' FROM runs") == [(digest,)]


@pytest.mark.parametrize("text", ["", "{}", "[1]", "\0", '{"made_by": "harvest plan"}'])
def test_what_is_no_plan_is_refused(tmp_path, run, server, text):
    (tmp_path / "p.json").write_text(text)
    done = run(server.world.seed_url(), "--plan", "p.json", "--db", "t.db", server=server)
    assert (done.returncode, server.total, (tmp_path / "t.db").exists()) == (2, 0, False)
    assert "p.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plan_that_is_not_there_is_refused(run, server):
    done = run(server.world.seed_url(), "--plan", "nothing.json", server=server)
    assert done.returncode == 2
    assert "No such file" in done.stderr
