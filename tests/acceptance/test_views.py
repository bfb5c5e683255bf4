"""The views that every reader starts from, whole, against the made-up world, whatever the seed is. `sample` and
`edge_times_estimate` have more tests of their own.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections import Counter
from dataclasses import asdict

import pytest

from harvest.lists import KINDS
from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect, seed_of
from harvest.simulator.world.examples import examples
from harvest.store import readings
from harvest.things import THINGS
from tests.booking import add_harvest, add_list, add_visit
from tests.crawling import crawl_world, read

WORLD = World(3, users=150, tracks=600, likes_per_user=30, seed_likers=40, seed_reposters=10, null_entries=0.03)
for thing in ("user", "playlist"):  # the n-th of each has one number: nothing may take a person for a track
    WORLD.facts.ids[thing]._shuffle = WORLD.facts.ids["track"]._shuffle
LIMITS = Limits(
    max_users=25, max_user_likes=25, max_tracks=5, max_playlists=3, depth=1,
    read=("likers", "reposters", "comments", "likes", "playlist-tracks"),
)  # fmt: skip
SHOWN = examples(WORLD)
SEEDS = {
    "track": SHOWN["a track"],
    "playlist": SHOWN["a playlist"],
    "station": SHOWN["its station"],
    "user": SHOWN["a person"],
    "search_for_tracks": "search:tracks?q=velvet",
    "search_for_users": "search:users?q=harbour",
    "search_for_playlists": "search:playlists?q=choir",
}
NAMES = {"track": "title", "playlist": "title", "station": "title", "user": "username"}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Crawl from a seed of a kind, once."""
    paths = {}

    def path_of(kind):
        if kind not in paths:
            paths[kind] = tmp_path_factory.mktemp("views") / "t.db"
            crawl_world(paths[kind], WORLD, [SEEDS[kind]], LIMITS)
        return paths[kind]

    return path_of


@pytest.fixture(scope="module")
def path(crawled):
    return crawled("track")


@pytest.fixture(scope="module", params=SEEDS)
def seed(request):
    """The kind of the seed, and its id."""
    return seed_of(WORLD, SEEDS[request.param])


@pytest.fixture(scope="module")
def file(crawled, seed):
    return crawled(seed[0])


@pytest.fixture(scope="module")
def truth(seed):
    return expect(WORLD, SEEDS[seed[0]], **asdict(LIMITS))


def test_there_is_a_seed_of_every_kind():
    assert SEEDS.keys() == THINGS.keys()
    assert WORLD.id("track", 7) == WORLD.id("user", 7) == WORLD.id("playlist", 7)


def keyed(rows, columns):
    """Give the rest of each row by its first columns, which no two rows share."""
    found = {row[:columns]: row[columns:] for row in rows}
    assert len(found) == len(rows)
    return found


def edges(truth, wanted):
    return {(user, track): ranks for (user, track, deed), ranks in truth.engagements.items() if deed == wanted}


def artist(truth, track):
    row = truth.tracks[track]
    uploader = truth.users.get(row["uploader_id"], {})
    return row["metadata_artist"] or uploader.get("username")


@pytest.mark.parametrize(
    ("view", "deed", "kind"), [("likes", "like", "user_likes"), ("reposts", "repost", "user_reposts")]
)
def test_likes_and_reposts_have_names_and_the_state_of_the_list(file, truth, view, deed, kind):
    expected = {
        (
            user, truth.users[user]["username"], track, truth.tracks[track]["title"], artist(truth, track),
            truth.tracks[track]["permalink_url"], *ranks, truth.lists.get((kind, user), ("not asked",))[0],
        )
        for (user, track), ranks in edges(truth, deed).items()
    }  # fmt: skip
    found = read(file, f"SELECT * FROM {view}")
    assert set(found) == expected
    assert len(found) == len(expected)


def test_lists_is_the_ledger_in_words(file, truth):
    expected = {}
    for (kind, subject), (outcome, collected, claimed) in truth.lists.items():
        missing = None if claimed is None else max(claimed - collected, 0)
        expected[kind, subject] = (
            KINDS[kind].title,
            name_of(truth, KINDS[kind].subject, subject),
            outcome,
            claimed,
            collected,
            missing,
            outcome == "capped",
        )
    found = read(
        file, "SELECT kind, subject_id, what, subject, outcome, claimed, collected, missing, goes_on FROM lists"
    )
    assert keyed(found, 2) == expected
    read_until = read(file, "SELECT read_until IS NULL, count(*) FROM lists GROUP BY 1 ORDER BY 1")
    asked_in_vain = sum(ended[0] in ("gone", "forbidden") for ended in truth.lists.values())
    both = [(0, len(expected) - asked_in_vain), (1, asked_in_vain)]
    assert read_until == [row for row in both if row[1]]


def name_of(truth, thing, thing_id):
    if thing in NAMES:
        return getattr(truth, f"{thing}s")[thing_id][NAMES[thing]]
    return truth.searches[thing_id]["address"]


def lists_by_depth(truth):
    """Give the lists that the visits of the harvest read, by depth and kind."""
    (visits,) = truth.visits
    visited = {(visit.thing, visit.id): visit for visit in visits}
    found = {}
    for (kind, subject), ended in truth.lists.items():
        thing = KINDS[kind].subject
        found.setdefault((visited[thing, subject].depth + (thing == "track"), kind), []).append(ended)
    return found


def test_seed_coverage_adds_up(file, truth, seed):
    expected = {}
    for (depth, kind), ended in lists_by_depth(truth).items():
        n = Counter(outcome for outcome, _, _ in ended)
        claims = [claimed for _, _, claimed in ended if claimed is not None]
        expected[depth, kind] = (
            len(ended), 0, n["complete"], n["capped"], n["short"], n["gone"] + n["forbidden"], 0,
            sum(claims) if claims else None, sum(collected for _, collected, _ in ended), len(ended) - len(claims),
        )  # fmt: skip
    found = read(file, "SELECT * FROM seed_coverage WHERE kind NOT IN ('resolve', 'lookup')")
    assert keyed([row[3:] for row in found], 2) == expected
    assert {row[:3] for row in read(file, "SELECT * FROM seed_coverage")} == {(1, *seed)}


def test_every_list_is_wanted_once_and_as_deep_as_its_visit(file, truth):
    (visits,) = truth.visits
    visited = {(visit.thing, visit.id): visit for visit in visits}
    expected = {}
    for kind, subject in truth.lists:
        visit = visited[KINDS[kind].subject, subject]
        expected[kind, subject] = (visit.depth + (visit.thing == "track"), visit.place, visit.chance)
    found = read(
        file,
        "SELECT t.kind, t.subject_id, w.depth, w.listed_rank, w.chance FROM harvest_tasks AS w"
        " JOIN tasks AS t ON t.id = w.task_id WHERE t.kind NOT IN ('resolve', 'lookup')",
    )
    assert keyed(found, 2) == expected


def test_frames_are_the_tracks_around_which_people_were_chosen(file, truth):
    (visits,) = truth.visits
    last = max((visit.round for visit in visits if visit.thing == "user"), default=0)
    expected = {(1, visit.id) for visit in visits if visit.thing == "track" and visit.round < last}
    assert set(read(file, "SELECT harvest_id, track_id FROM frames")) == expected


def test_the_sample_is_who_is_listed_around_the_tracks_visited(file, truth):
    (visits,) = truth.visits
    tracks = {visit.id for visit in visits if visit.thing == "track"}
    people = {visit.id for visit in visits if visit.thing == "user"}
    listed = {(track, user, deed): ranks[1] for (user, track, deed), ranks in truth.engagements.items()}
    for comment in truth.comments.values():
        if comment["user_id"] is not None:
            key = comment["track_id"], comment["user_id"], "comment"
            listed[key] = min(listed.get(key, comment["track_list_rank"]), comment["track_list_rank"])
    expected = {}
    for (track, user, deed), rank in listed.items():
        if track in tracks and rank is not None:
            outcome, collected, _ = truth.lists["user_likes", user] if user in people else (None, None, None)
            answer = (
                "not asked" if outcome is None else "unanswered" if outcome in ("gone", "forbidden") else "answered"
            )
            row = truth.users[user]
            expected[track, user, deed] = (
                row["username"], rank, row["likes_given_count"], user in people, outcome == "capped", answer, collected,
            )  # fmt: skip
    found = read(
        file,
        "SELECT track_id, user_id, engagement_type, username, track_list_rank, likes_given_count, chosen,"
        " coalesce(censored, 0), answer, likes_read FROM sample WHERE harvest_id = 1",
    )
    assert keyed(found, 3) == expected


def named_by(truth, kind, subject):
    """Give what a list names, from the truth alone."""
    edge = KINDS[kind].edge
    if edge.table == "user_engagements":
        of_user, deed = edge.subject == "user_id", edge.engagement_type
        return {
            (track if of_user else user)
            for (user, track, done), ranks in truth.engagements.items()
            if done == deed and subject == (user if of_user else track) and ranks[0 if of_user else 1] is not None
        }
    if edge.table in ("playlist_tracks", "station_tracks"):
        return {track for (holder, _), track in getattr(truth, edge.table).items() if holder == subject}
    if edge.table == "search_results":
        return {item for search, item in truth.found if search == subject}
    rows = getattr(truth, edge.table)
    return {row.get(edge.leads, number) for number, row in rows.items() if row[edge.subject] == subject}


def test_why_leads_from_every_edge_up_to_the_seed(file, truth, seed):
    (visits,) = truth.visits
    visited = {(visit.thing, visit.id): visit for visit in visits}
    rows = read(file, "SELECT user_id, track_id, engagement_type, harvest_id, seed_kind, seed_id, chain FROM why")
    assert {row[:3] for row in rows} == truth.engagements.keys()
    assert len(rows) == len(truth.engagements)
    assert {row[3:6] for row in rows} == {(1, *seed)}
    for user, track, deed, *_, told in rows:
        chain = [step for step in json.loads(told) if not KINDS[step["kind"]].looks_up]
        assert len(json.loads(told)) - len(chain) == (
            seed[0] in NAMES
        )  # the looking up of the seed; searches need none
        ends = {"user": user, "track": track}
        assert ends[KINDS[chain[0]["kind"]].subject] == chain[0]["subject_id"], deed
        for place, step in enumerate(chain):
            visit = visited[KINDS[step["kind"]].subject, step["subject_id"]]
            assert (step["depth"], step["listed_rank"]) == (visit.depth + (visit.thing == "track"), visit.place)
            if place:
                assert chain[place - 1]["subject_id"] in named_by(truth, step["kind"], step["subject_id"])
        assert (KINDS[chain[-1]["kind"]].subject, chain[-1]["subject_id"]) == seed


def test_seed_coverage_of_lists_that_are_all_open_counts_none_as_ended(db):
    add_harvest(db.conn, 1, user_likes=10)
    for user in (1, 2):
        add_list(db.conn, "user_likes", user, None)
        add_visit(db.conn, 1, "user", user, 1, depth=1)
    found = db.conn.execute(
        "SELECT lists, open, complete, capped, short, unanswered, broken, collected, without_claim FROM seed_coverage"
    )
    assert found.fetchall() == [(2, 2, 0, 0, 0, 0, 0, 0, 2)]


def test_a_list_that_is_read_again_stands_as_it_was_until_that_reading_has_ended(db):
    """An open list shows how far its first reading is."""
    again = add_list(db.conn, "user_likes", 1, collected=5, claimed=9)
    add_list(db.conn, "user_likes", 2, None, collected=3, claimed=4, pages_read=2)
    readings.begin_again(db.conn, again, "2026-01-02T00:00:00Z")
    rows = db.conn.execute("SELECT subject_id, outcome, claimed, collected, missing, pages_read, goes_on FROM lists")
    assert [tuple(row) for row in rows] == [(1, "complete", 9, 5, 4, 1, 1), (2, "todo", 4, 3, 1, 2, 1)]
    db.conn.execute("UPDATE readings SET state = 'ended', outcome = 'failed' WHERE number = 1")
    assert db.conn.execute("SELECT outcome, goes_on FROM lists WHERE task_id = ?", (again,)).fetchone() == (
        "complete",
        0,
    )


def test_nobody_is_censored_by_a_cap_of_a_harvest_that_did_not_choose_them(path, tmp_path):
    copy = tmp_path / "t.db"
    shutil.copy(path, copy)
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        add_harvest(connection, 2, track_likers=20_000, user_likes=25)
        connection.execute(
            "INSERT INTO visits SELECT 2, thing, thing_id, 0, 0, 0, NULL, NULL, NULL, own FROM visits WHERE round = 0"
        )
    found = dict(read(copy, "SELECT harvest_id, sum(censored) FROM sample GROUP BY harvest_id"))
    assert found[1] > 0
    assert found[2] == 0


def test_interactions_are_one_row_per_person_and_track_in_order(file, truth):
    likes, reposts = edges(truth, "like"), edges(truth, "repost")
    expected = [
        (user, track, int((user, track) in likes), int((user, track) in reposts), likes.get((user, track), (None,))[0])
        for user, track in sorted(likes.keys() | reposts.keys())
    ]
    assert read(file, "SELECT * FROM interactions") == expected
    assert expected


def test_track_stats_set_likes_here_beside_those_counted(file, truth):
    likes = Counter(track for _, track in edges(truth, "like"))
    reposts = Counter(track for _, track in edges(truth, "repost"))
    expected = {
        (track,): (
            row["title"], truth.users.get(row["uploader_id"], {}).get("username"), likes[track], row["likes_count"],
            reposts[track], row["reposts_count"], truth.lists.get(("track_likers", track), ("not asked",))[0],
            row["playback_count"], row["genre"], row["permalink_url"],
        )
        for track, row in truth.tracks.items()
    }  # fmt: skip
    assert keyed(read(file, "SELECT * FROM track_stats"), 1) == expected


def test_uploaders_count_their_tracks_and_the_likes_of_them(file, truth):
    likes = Counter(track for _, track in edges(truth, "like"))
    tracks, liked = Counter(), Counter()
    for track, row in truth.tracks.items():
        tracks[row["uploader_id"]] += 1
        liked[row["uploader_id"]] += likes[track]
    expected = {
        (user,): (
            truth.users[user]["username"], tracks[user], truth.users[user]["track_count"], liked[user],
            truth.users[user]["followers_count"], truth.users[user]["permalink_url"],
        )
        for user in tracks
        if user is not None
    }  # fmt: skip
    assert keyed(read(file, "SELECT * FROM uploaders"), 1) == expected


# View → what a reader names, and the steps that must lead there.
NAMED = {
    "user_engagements WHERE user_id = 1": "SEARCH engagements USING PRIMARY KEY (user_id=?)",
    "user_engagements WHERE track_id = 1": "SEARCH engagements USING INDEX engagements_by_track (track_id=?)",
    "likes WHERE user_id = 1": "SEARCH engagements USING PRIMARY KEY (user_id=?)",
    "likes WHERE track_id = 1": "SEARCH engagements USING INDEX engagements_by_track (track_id=?)",
    "reposts WHERE track_id = 1": "SEARCH engagements USING INDEX engagements_by_track (track_id=?)",
    "lists WHERE task_id = 1": "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    "lists WHERE kind = 'user_likes' AND outcome = 'capped'": "SEARCH t USING INDEX",
    "track_stats WHERE track_id = 1": "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    "uploaders WHERE user_id = 1": "SEARCH u USING INTEGER PRIMARY KEY (rowid=?)",
    "sample WHERE track_id = 1": "SEARCH engagements USING COVERING INDEX engagements_listed (track_id=?",
    "why WHERE user_id = 1 AND track_id = 2": "SEARCH engagements USING PRIMARY KEY (user_id=? AND track_id=?)",
    "edge_times_estimate WHERE user_id = 1": "SEARCH engagements USING PRIMARY KEY (user_id=?)",
    "interactions WHERE user_id = 1": "SEARCH engagements USING PRIMARY KEY (user_id=?)",
    "seed_coverage WHERE harvest_id = 1": "SEARCH v USING PRIMARY KEY (harvest_id=?",
    "frames WHERE harvest_id = 1": "SEARCH v USING PRIMARY KEY (harvest_id=? AND thing=?)",
    "frames WHERE track_id = 1": "SEARCH v USING",
    "own_likes WHERE user_id = 1": "SEARCH engagements USING PRIMARY KEY (user_id=?",
    "own_likes WHERE track_id = 1": "SEARCH engagements USING INDEX engagements_by_track (track_id=?)",
    "verdicts WHERE track_id = 1": "SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
    "walks WHERE harvest_id = 1": "MATERIALIZE steps",  # which goes through visits of walks, not through likes
    "census": "SEARCH tasks USING INDEX tasks_by_outcome (kind=? AND outcome=?)",
    "harvest_tasks WHERE harvest_id = 1": "SEARCH v USING PRIMARY KEY (harvest_id=?",
    "spells WHERE user_id = 1": "SEARCH engagements USING PRIMARY KEY (user_id=?)",
    "spells WHERE track_id = 1": "SEARCH engagements USING INDEX engagements_by_track (track_id=?)",
    "track_texts WHERE track_id = 1": "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
}


@pytest.mark.parametrize("wanted", NAMED)
def test_who_names_a_row_of_a_view_does_not_wait_for_all(path, wanted):
    steps = [row[3] for row in read(path, f"EXPLAIN QUERY PLAN SELECT * FROM {wanted}")]
    assert any(step.startswith(NAMED[wanted]) for step in steps), steps
    assert [step for step in steps if step.startswith(("SCAN engagements", "SCAN b"))] == []


def test_interactions_stream(path):
    """In the order of the table: no sorting, no temporary table."""
    steps = [row[3] for row in read(path, "EXPLAIN QUERY PLAN SELECT * FROM interactions")]
    assert "SCAN engagements" in steps
    assert not any("TEMP B-TREE" in step for step in steps)


def test_every_view_has_a_plan_here(path):
    views = {row[0] for row in read(path, "SELECT name FROM sqlite_schema WHERE type = 'view'")}
    assert {wanted.split()[0] for wanted in NAMED} == views
