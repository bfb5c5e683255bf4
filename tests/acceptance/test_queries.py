"""Every named query against what it must say, counted again in Python from the made-up world; and every query plan."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from harvest.errors import QueryError
from harvest.explore.execute import ask
from harvest.explore.named import Named, named_queries
from harvest.explore.parameters import bind_named
from harvest.explore.tokenizer import parameters
from harvest.lists import BY_NAME
from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect
from harvest.store.database import open_to_read
from harvest.store.entities import fold_tag
from tests.booking import add_harvest, add_seed
from tests.crawling import crawl_world, read

ROOT = Path(__file__).parents[2]
QUERIES = named_queries()
WORLD = World(1, users=300, tracks=1200, likes_per_user=40, seed_likers=70, seed_reposters=12, null_entries=0.02)
LIMITS = Limits(max_users=60, max_user_likes=45)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A crawl with a cap that cuts some lists, of two people who share playlists besides."""
    path = tmp_path_factory.mktemp("queries") / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    return path


@pytest.fixture(scope="module")
def truth():
    return expect(WORLD, max_users=LIMITS.max_users, max_user_likes=LIMITS.max_user_likes)


@pytest.fixture(scope="module")
def likes(truth):
    """Who likes what."""
    found = defaultdict(set)
    for user, track, deed in truth.engagements:
        if deed == "like":
            found[user].add(track)
    return found


@pytest.fixture(scope="module")
def lists(truth):
    """How the lists of likes of the people followed ended: outcome, collected, claimed."""
    return {user: ended for (kind, user), ended in truth.lists.items() if kind == "user_likes"}


@pytest.fixture(scope="module")
def seed(truth):
    return next(track for kind, track in truth.lists if kind == "track_likers")


@pytest.fixture
def connection(path):
    with contextlib.closing(open_to_read(path)) as opened:
        yield opened


@pytest.fixture
def answer(path):
    """Ask a named query as the command line does; give rows as dictionaries."""

    def call(name, *given):
        with contextlib.closing(open_to_read(path)) as connection:
            found = ask(connection, QUERIES[name].sql, bind_named(connection, QUERIES[name], given))
            return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    return call


def pick(rows, *columns):
    return [tuple(row[column] for column in columns) for row in rows]


def test_the_world_has_what_the_queries_are_about(lists, truth):
    assert {ended[0] for ended in lists.values()} >= {"complete", "capped", "short", "gone"}
    assert any(track["likes_count"] in (None, 0) for track in truth.tracks.values())


def frames_of(truth):
    """Tracks that people were chosen for liking."""
    return {subject for kind, subject in truth.lists if kind in ("track_likers", "track_reposters")}


def co_likes(truth, likes, lists, track):
    fans = {user for user in likes if track in likes[user] and lists.get(user, ("", 0))[1] > 0}
    own = {u: {t for t in likes[u] if truth.engagements[u, t, "like"][0] is not None} for u in fans}
    common = Counter(other for user in fans for other in own[user] if other != track)
    counts = {other: truth.tracks[other]["likes_count"] or 0 for other in common.keys() - frames_of(truth)}
    here, counted = sum(n for t, n in common.items() if counts.get(t)), sum(counts.values())
    lift = {t: round(n / here / (counts[t] / counted), 2) if counts.get(t) else None for t, n in common.items()}
    return fans, common, lift


def test_co_likes_are_counted_and_lifted_against_the_counts_of_the_service(answer, truth, likes, lists, seed):
    fans, common, lift = co_likes(truth, likes, lists, seed)
    found = answer("co-likes", "limit=100000", "at_least=1")
    assert {row["track_id"]: row["people"] for row in found} == common
    assert {row["track_id"]: row["lift"] for row in found} == pytest.approx(lift, abs=0.0101)
    assert [row["track_id"] for row in found] == sorted(common, key=lambda t: (-common[t], t))
    assert found[0]["share"] == round(found[0]["people"] / len(fans), 3)
    assert None in lift.values()


def test_co_likes_of_another_track_by_lift(answer, truth, likes, lists, seed):
    _, at_seed, _ = co_likes(truth, likes, lists, seed)
    track = min(at_seed, key=lambda t: (-at_seed[t], t))
    _, common, _ = co_likes(truth, likes, lists, track)
    found = answer("co-likes", f"soundcloud:tracks:{track}", "order=lift", "limit=100000")
    kept = {t for t, n in common.items() if n >= 2}
    assert {row["track_id"] for row in found} == kept
    assert seed in kept
    lifts = [row["lift"] for row in found]
    known = [value for value in lifts if value is not None]
    assert known == sorted(known, reverse=True)
    assert lifts[len(known) :] == [None] * (len(lifts) - len(known))


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """A crawl that went around three tracks more, and a cap: some likes stand in the list of the track alone."""
    limits = Limits(max_users=25, max_user_likes=12, depth=2, max_tracks=3)
    path = tmp_path_factory.mktemp("deep") / "t.db"
    crawl_world(path, WORLD, limits=limits)
    return path, expect(WORLD, max_users=25, max_user_likes=12, depth=2, max_tracks=3)


def asked_of(path, name, *given):
    with contextlib.closing(open_to_read(path)) as connection:
        found = ask(connection, QUERIES[name].sql, bind_named(connection, QUERIES[name], given))
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def likes_by_user(truth, *, own):
    found = defaultdict(set)
    for (user, track, deed), ranks in truth.engagements.items():
        if deed == "like" and (ranks[0] is not None or not own):
            found[user].add(track)
    return found


def test_co_likes_count_what_stands_in_peoples_own_lists_and_lift_no_frame(deep):
    path, truth = deep
    lists = {user: ended for (kind, user), ended in truth.lists.items() if kind == "user_likes"}
    seed = next(track for kind, track in truth.lists if kind == "track_likers")
    _, common, lift = co_likes(truth, likes_by_user(truth, own=False), lists, seed)
    found = asked_of(path, "co-likes", "limit=100000", "at_least=1")
    assert {row["track_id"]: row["people"] for row in found} == common
    assert {row["track_id"]: row["lift"] for row in found} == pytest.approx(lift, abs=0.0101)
    around = frames_of(truth) & set(common)
    assert len(around) == 3
    assert {lift[track] for track in around} == {None}


def test_similar_taste_counts_the_same_likes_above_and_below(deep):
    path, truth = deep
    lists = {user: ended for (kind, user), ended in truth.lists.items() if kind == "user_likes" and ended[1]}
    own, known = likes_by_user(truth, own=True), likes_by_user(truth, own=False)
    one, _ = two_longest(lists)
    assert any(known[user] - own[user] for user in lists)
    near = {u: len(own[one] & own[u]) for u in lists if u != one and len(own[one] & own[u]) > 1}
    expected = {u: round(n / len(own[one] | own[u]), 3) for u, n in near.items()}
    found = asked_of(path, "similar-taste", "limit=9999")
    assert {row["user_id"]: row["jaccard"] for row in found} == expected


def test_taste_overlap_leaves_out_what_people_were_chosen_for(deep, tmp_path):
    """With a seed that could not be looked up beside it."""
    path, truth = tmp_path / "t.db", deep[1]
    shutil.copy(deep[0], path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        add_harvest(connection, 9, state="failed")
        add_seed(connection, 9, "x", reason="not found")
    lists = {user: ended for (kind, user), ended in truth.lists.items() if kind == "user_likes"}
    known = likes_by_user(truth, own=False)
    one, two = two_longest(lists)
    frames = frames_of(truth)
    (found,) = asked_of(path, "taste-overlap")
    assert found["beside_seeds"] == len((known[one] & known[two]) - frames)
    assert found["jaccard"] == round(found["beside_seeds"] / len((known[one] | known[two]) - frames), 3)


def test_shared_fans(answer, truth, likes, seed):
    def fans_of(artist):
        return {user for user, liked in likes.items() if any(truth.tracks[t]["uploader_id"] == artist for t in liked)}

    artist = truth.tracks[seed]["uploader_id"]
    ours = fans_of(artist)
    artists = {track["uploader_id"] for track in truth.tracks.values()} - {artist, None}
    expected = {a: (len(ours & fans_of(a)), len(fans_of(a))) for a in artists if len(ours & fans_of(a)) >= 3}
    found = answer("shared-fans", "at_least=3", "limit=100000")
    assert {row["artist_id"]: (row["shared_fans"], row["fans_here"]) for row in found} == expected
    assert [row["artist_id"] for row in found] == sorted(expected, key=lambda a: (-expected[a][0], a))
    first = found[0]
    assert first["share_of_theirs"] == round(first["shared_fans"] / first["fans_here"], 3)
    assert first["share_of_ours"] == round(first["shared_fans"] / len(ours), 3)


def two_longest(lists):
    return sorted((user for user in lists if lists[user][1]), key=lambda user: (-lists[user][1], user))[:2]


def test_taste_overlap_of_the_two_longest_lists(answer, likes, lists, seed):
    one, two = two_longest(lists)
    both = likes[one] & likes[two]
    either = (likes[one] | likes[two]) - {seed}
    (found,) = answer("taste-overlap")
    assert (found["user_id"], found["other_id"]) == (one, two)
    assert (found["in_common"], found["beside_seeds"]) == (len(both), len(both - {seed}))
    assert (found["likes"], found["other_likes"]) == (len(likes[one]), len(likes[two]))
    assert found["jaccard"] == round(len(both - {seed}) / len(either), 3)
    shorter = min(len(likes[one] - {seed}), len(likes[two] - {seed}))
    assert found["share_of_shorter"] == round(len(both - {seed}) / shorter, 3)
    assert (found["list"], found["other_list"]) == (lists[one][0], lists[two][0])


def test_taste_overlap_and_shared_likes_of_two_who_are_named(answer, likes, lists, truth):
    one, two = two_longest(lists)
    user, other = two, min(set(lists) - {one, two})
    for given in ([f"user={user}", f"other={other}"], [str(user), truth.users[other]["permalink_url"]]):
        (found,) = answer("taste-overlap", *given)
        assert (found["user_id"], found["other_id"]) == (user, other)
    shared = answer("shared-likes", str(user), str(other), "limit=9999")
    assert {row["track_id"] for row in shared} == likes[user] & likes[other]
    ranks = [truth.engagements[user, row["track_id"], "like"][0] for row in shared]
    assert pick(shared, "rank") == [(rank,) for rank in ranks]
    assert [row["other_rank"] for row in shared] == [truth.engagements[other, r["track_id"], "like"][0] for r in shared]


def test_naming_one_of_two_leaves_the_longest_other(answer, lists):
    one, two = two_longest(lists)
    for given, expected in (
        ([f"user={two}"], (two, one)),
        ([f"other={one}"], (two, one)),
        ([f"user={one}"], (one, two)),
    ):
        for query in ("taste-overlap",):
            assert pick(answer(query, *given), "user_id", "other_id") == [expected]


def test_similar_taste(answer, truth, lists):
    own = likes_by_user(truth, own=True)
    one, _ = two_longest(lists)
    near = {u: len(own[one] & own[u]) for u in lists if u != one and lists[u][1] and len(own[one] & own[u]) > 1}
    expected = {u: round(n / (len(own[one]) + lists[u][1] - n), 3) for u, n in near.items()}
    found = answer("similar-taste", "limit=9999")
    assert {row["user_id"]: row["jaccard"] for row in found} == expected
    assert {row["user_id"]: row["in_common"] for row in found} == near
    assert [r["user_id"] for r in found] == sorted(expected, key=lambda u: (-expected[u], -near[u], u))


def in_order(edges):
    return sorted(edges, key=lambda edge: (edge[0] is None, edge[0] or 0, edge[1]))


def test_likes_of_a_person_in_the_order_of_their_list(answer, truth, lists):
    one, two = two_longest(lists)
    for given, user in (((), one), ((str(two),), two)):
        ranked = [(ranks[0], t) for (u, t, deed), ranks in truth.engagements.items() if u == user and deed == "like"]
        assert pick(answer("likes-of", *given, "limit=9999"), "rank", "track_id") == in_order(ranked)


def test_fans_of_a_track_in_the_order_of_its_list(answer, truth, lists, seed):
    ranked = [(ranks[1], u) for (u, t, deed), ranks in truth.engagements.items() if t == seed and deed == "like"]
    found = answer("fans-of", "limit=9999")
    assert pick(found, "rank", "user_id") == in_order(ranked)
    told = {row["user_id"]: row["their_list"] for row in found}
    assert told == {user: lists[user][0] if user in lists else "not asked" for _, user in ranked}
    assert "not asked" in told.values()


def test_lists_that_are_not_whole(answer, truth):
    expected = {
        (kind, subject): (ended[0], ended[2], ended[1], None if ended[2] is None else max(ended[2] - ended[1], 0))
        for (kind, subject), ended in truth.lists.items()
        if ended[0] != "complete"
    }
    found = answer("not-whole", "limit=9999")
    assert {
        (r["kind"], r["subject_id"]): pick([r], "outcome", "claimed", "collected", "missing")[0] for r in found
    } == expected
    assert {row["reason"] is not None for row in found if row["outcome"] == "gone"} == {True}
    missing = [-1 if row["missing"] is None else row["missing"] for row in found]
    assert missing == sorted(missing, reverse=True)
    capped = answer("not-whole", "user_likes", "capped", "limit=9999")
    assert len(capped) == sum(ended[0] == "capped" for ended in expected.values())
    assert {row["outcome"] for row in capped} == {"capped"}
    assert answer("not-whole", "kind=track_likers", "outcome=gone") == []


def test_growth_by_day_adds_up(answer, truth):
    days = answer("growth-by-day")
    assert [row["day"] for row in days] == sorted({row["day"] for row in days})
    assert sum(row["new_users"] for row in days) == len(truth.users)
    assert sum(row["new_tracks"] for row in days) == len(truth.tracks)
    assert sum(row["kept"] for row in days) == 2 + sum(
        ended[1] for ended in truth.lists.values()
    )  # the seed, its artist
    assert days[-1]["kept_so_far"] == sum(row["kept"] for row in days)


def test_tag_pairs_are_folded_and_lifted(answer, truth):
    worn = {track: {fold_tag(name) for name in names} for track, names in truth.tags.items() if names}
    one = Counter(tag for tags in worn.values() for tag in tags)
    two = Counter(pair for tags in worn.values() for pair in combinations(sorted(tags), 2))
    expected = {(a, b): (n, round(n * len(worn) / one[a] / one[b], 2)) for (a, b), n in two.items() if n >= 2}
    found = answer("tag-pairs", "limit=99999")
    assert {(r["tag"], r["other"]): (r["tracks"], r["lift"]) for r in found} == expected
    assert pick(found, "tracks") == sorted(pick(found, "tracks"), reverse=True)
    around = {(b if a == "hiphop" else a): n for (a, b), n in two.items() if "hiphop" in (a, b)}
    told = answer("tag-pairs", "tag=Hip Hop", "at_least=1", "limit=99999")
    assert {r["other"]: r["tracks"] for r in told} == around
    assert {r["tag"] for r in told} == {"hiphop"}


@pytest.mark.parametrize("spelling", ["Техно", "ТЕХНО", "те–хно"])
def test_tag_pairs_find_a_tag_in_any_script(path, tmp_path, spelling):
    """As the crawl folds it; a tool that does not fold finds the spelling that stands in the file."""
    copy = tmp_path / "t.db"
    shutil.copy(path, copy)
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        (track,) = connection.execute("SELECT min(track_id) FROM track_tags").fetchone()
        for name in ("Техно", "CAFÉ"):
            connection.execute("INSERT INTO tags (name, folded) VALUES (?, ?)", (name, fold_tag(name)))
            connection.execute("INSERT INTO track_tags SELECT ?, id FROM tags WHERE name = ?", (track, name))
        values = {"tag": "Техно", "at_least": 1, "order": None, "limit": None}
        elsewhere = connection.execute(QUERIES["tag-pairs"].sql, values).fetchall()
    found = asked_of(copy, "tag-pairs", f"tag={spelling}", "at_least=1")
    assert ("техно", "café", 1) in pick(found, "tag", "other", "tracks")
    assert [tuple(row.values()) for row in found] == elsewhere


def test_top_tracks_artists_tags_and_genres(answer, truth, likes):
    tracks = Counter(track for liked in likes.values() for track in liked)
    found = answer("top-tracks", "limit=50")
    assert pick(found, "track_id", "likes_here") == sorted(tracks.items(), key=lambda i: (-i[1], i[0]))[:50]
    artists = Counter()
    for track, n in tracks.items():
        artists[truth.tracks[track]["uploader_id"]] += n
    artists.pop(None, None)
    found = answer("top-artists", "limit=50")
    assert pick(found, "artist_id", "likes_here") == sorted(artists.items(), key=lambda i: (-i[1], i[0]))[:50]
    tags = Counter(tag for names in truth.tags.values() for tag in {fold_tag(name) for name in names})
    spellings = {tag: Counter(n for names in truth.tags.values() for n in names if fold_tag(n) == tag) for tag in tags}
    expected = [
        (tag, n, min(spellings[tag].items(), key=lambda i: (-i[1], i[0]))[0], len(spellings[tag]))
        for tag, n in sorted(tags.items(), key=lambda i: (-i[1], i[0]))
    ]
    assert pick(answer("top-tags", "limit=9999"), "tag", "tracks", "written", "spellings") == expected
    genres = Counter(track["genre"] for track in truth.tracks.values())
    assert dict(pick(answer("top-genres", "limit=9999"), "genre", "tracks")) == genres


def mixed(user, draw, seed, n):
    """The lots of negative-samples, once more in Python."""
    p = 2**31 - 1
    x = (user % p * 16807 + abs(seed) % p * 48271 + draw * 69621 + 1) % p
    x = (x * x % p + x * 40014 + 12345) % p
    return (x * x % p + x * 40692 + 54321) % p % n


@pytest.mark.parametrize(("per_user", "seed_number"), [(5, 0), (3, 12345678901), (4, -7)])
def test_negative_samples_leave_out_who_is_not_whole_and_what_they_know(
    answer, truth, likes, lists, per_user, seed_number
):
    known = defaultdict(set)
    for user, track, _ in truth.engagements:
        known[user].add(track)
    catalogue = sorted({track for liked in likes.values() for track in liked})
    expected = []
    for user in sorted(user for user, ended in lists.items() if ended[0] == "complete" and ended[1]):
        lots = (catalogue[mixed(user, draw, seed_number, len(catalogue))] for draw in range(1, 3 * per_user + 21))
        drawn = dict.fromkeys(track for track in lots if track not in known[user])
        expected += [(user, n, track) for n, track in enumerate(list(drawn)[:per_user], 1)]
    found = pick(answer("negative-samples", str(per_user), str(seed_number)), "user_id", "draw", "track_id")
    assert found == expected
    assert {user for user, _, _ in found} & {user for user, ended in lists.items() if ended[0] == "capped"} == set()


def test_lots_fall_evenly():
    """Chi-square over 100 places and 60,000 lots: far out if numbers near each other drew alike."""
    for users in (range(1, 6001), range(10**9, 10**9 + 6000)):
        n = Counter(mixed(user, draw, 0, 100) for user in users for draw in range(1, 11))
        assert sum((n[place] - 600) ** 2 / 600 for place in range(100)) < 160


def test_the_numbers_of_the_methods_add_up(answer, truth, lists, path):
    found = {(row["section"], row["what"]): row["value"] for row in answer("methods")}
    listed = {u for (u, _, _), ranks in truth.engagements.items() if ranks[1] is not None}
    assert found["people", "listed"] == len(listed)
    assert found["people", "followed"] == len(lists) == LIMITS.max_users
    assert found["people", "followed and answered"] == sum(
        e[0] in ("complete", "capped", "short") for e in lists.values()
    )
    for outcome, n in Counter(ended[0] for ended in lists.values()).items():
        assert found["lists: user_likes", outcome] == n
    assert found["lists: user_likes", "collected"] == sum(ended[1] for ended in lists.values())
    claiming = [ended for ended in lists.values() if ended[2] is not None]
    assert found["lists: user_likes", "claimed"] == sum(ended[2] for ended in claiming)
    assert found["lists: user_likes", "collected (of these)"] == sum(ended[1] for ended in claiming)
    assert found["rows", "likes"] == sum(deed == "like" for _, _, deed in truth.engagements)
    assert found["rows", "reposts"] == sum(deed == "repost" for _, _, deed in truth.engagements)
    assert (found["rows", "users"], found["rows", "tracks"]) == (len(truth.users), len(truth.tracks))
    assert found["limits", "max_user_likes"] == str(LIMITS.max_user_likes)
    assert (found["seeds", "seeds"], found["seeds", "seeds drained"]) == (1, 1)
    assert found["source", "first page"] <= found["source", "last page"]
    requests = dict(read(path, "SELECT status, sum(n) FROM run_requests GROUP BY status"))
    assert found["source", "requests sent"] == sum(requests.values())


def test_search_finds_words_in_title_artist_and_tags(answer, truth):
    """Of letters a to z only, where Python can say what a word is."""
    texts = {}
    for number, track in truth.tracks.items():
        artist = track["metadata_artist"] or (
            truth.users[track["uploader_id"]]["username"] if track["uploader_id"] else ""
        )
        tags = [word for name in truth.tags[number] for word in (name, fold_tag(name))]
        texts[number] = " ".join([track["title"] or "", artist or "", *tags]).lower()
    for wanted in ("velvet", "Drift VELVET", "vel*", "hip-hop", "hiphop"):
        words = wanted.lower().replace("-", " ").split()
        patterns = [r"(?<!\w)" + re.escape(word).replace(r"\*", r"\w*") + r"(?!\w)" for word in words]
        if "-" in wanted:
            patterns = [r"(?<!\w)hip[\W_]+hop(?!\w)"]
        expected = {n for n, text in texts.items() if all(re.search(pattern, text) for pattern in patterns)}
        found = answer("search", wanted, "limit=9999")
        assert {row["track_id"] for row in found} == expected, wanted
        assert expected, wanted
        counts = [-1 if row["likes_count"] is None else row["likes_count"] for row in found]
        assert counts == sorted(counts, reverse=True)


ODD = [
    '"',
    "'",
    "a AND",
    "NEAR(x",
    "(",
    "^x",
    "-x",
    "title:x",
    "*",
    "**",
    "a* *",
    "x\x00y",
    "",
    "{a}",
    "漢",
    "\t",
    "a+b",
    '"a" OR',
]


@pytest.mark.parametrize("words", ODD)
def test_no_words_are_an_error(connection, words):
    list(ask(connection, QUERIES["search"].sql, {"words": words, "limit": None}).rows)


def test_a_tag_is_found_however_it_is_spelled(answer, truth):
    tagged = {n for n, names in truth.tags.items() if any(fold_tag(name) == "hiphop" for name in names)}
    assert tagged <= {row["track_id"] for row in answer("search", "hiphop", "limit=9999")}


def test_playlists_around_a_track(path, tmp_path, truth, seed):
    """No crawl reads playlists yet, so some are put there."""
    import shutil

    copy = tmp_path / "t.db"
    shutil.copy(path, copy)
    a, b, c = sorted(set(truth.tracks) - {seed})[:3]
    places = {1: [a, seed, b], 2: [b, c, c, seed], 3: [a, b], 4: [seed, a, seed]}
    connection = sqlite3.connect(copy)
    for number, tracks in places.items():
        connection.execute(
            "INSERT INTO playlists (id, title, likes_count, first_page_id, first_seen_at, last_seen_on)"
            " VALUES (?, ?, ?, 1, '', '')",
            (number, f"list {number}", None if number == 1 else number),
        )
        connection.executemany(
            "INSERT INTO playlist_tracks VALUES (?, ?, ?, 1)", [(number, i, t) for i, t in enumerate(tracks)]
        )
    connection.commit()
    connection.close()

    def rows(name, *given):
        with contextlib.closing(open_to_read(copy)) as opened:
            return list(ask(opened, QUERIES[name].sql, bind_named(opened, QUERIES[name], given)).rows)

    assert [row[:2] + row[3:4] for row in rows("playlists-with")] == [
        (4, "list 4", 0),
        (2, "list 2", 3),
        (1, "list 1", 1),
    ]
    near = [(row[0], row[3], row[4]) for row in rows("playlists-around")]
    assert near == [(a, 2, 1), (b, 2, 1), (c, 1, 1)]
    assert [row[0] for row in rows("playlists-around", "at_least=2", "limit=1")] == [a]


@pytest.fixture(scope="module")
def various(tmp_path_factory):
    """A person, a track and its station with all of their lists, and the truth of it."""
    world = World(12, users=60, tracks=160, playlists=20, likes_per_user=12, seed_likers=20, gone=0, forbidden=0)
    person = max(range(60), key=lambda user: len(world.deeds.links(user)) + len(world.facts.uploads(user)))
    seeds = [
        world.seed_url(),
        world.user_url(world.id("user", person)),
        world.station_url("track", world.seed_ids(1)[0]),
    ]
    read_all = Limits(
        max_users=12, depth=0, seed_read=tuple(name for name, kind in BY_NAME.items() if not kind.own), read=("likes",)
    )
    path = tmp_path_factory.mktemp("various") / "t.db"
    crawl_world(path, world, [seeds], read_all)
    crawl_world(path, world, [seeds[0]], replace(read_all, depth=1))
    return path, world, world.id("user", person)


def test_what_was_read_on_request_is_told_in_its_order(various):
    path, world, person = various
    track = world.seed_ids(1)[0]
    with contextlib.closing(open_to_read(path)) as opened:

        def told(name, place, **values):
            return [row[place] for row in ask(opened, QUERIES[name].sql, {"limit": 10_000, **values}).rows]

        assert told("follows-of", 1, user=person)[: len(world.listing("user_followings", person))] == list(
            world.listing("user_followings", person)
        )
        assert told("uploads-of", 1, user=person) == list(world.listing("user_tracks", person))
        links = [world.facts.links.url(world.index("link", link)) for link in world.listing("user_links", person)]
        assert told("links", 4, user=person, emails="no")[: len(links)] == links
        assert len(told("commented", 0, track=track)) == len(world.listing("track_comments", track))
        theirs = {"related": set(world.listing("track_related", track)[:50])}
        station = world.facts.stations.of_track(world.index("track", track))
        theirs["station"] = set(world.listing("station_tracks", world.id("station", station))) - {track}
        fans = {user for user, _, _ in _likes(opened, track)}
        liked = Counter(
            t for user in fans for _, t, rank in _likes(opened, user=user) if t != track and rank is not None
        )
        counts = dict(opened.execute("SELECT id, likes_count FROM tracks").fetchall())
        near = sorted(liked, key=lambda t: (-liked[t] / max(counts[t] or 0, liked[t]) ** 0.5, t))[:20]
        rows = [tuple(row) for row in ask(opened, QUERIES["mirror"].sql, {"track": track, "nearest": 20}).rows]
        assert rows == [
            (source, len(tracks), len(tracks & liked.keys()), (n := len(tracks & set(near))),
             round(n / min(len(tracks), len(near)), 3))
            for source, tracks in sorted(theirs.items())
        ]  # fmt: skip
        assert min(row[2] for row in rows) > 0


def _likes(opened, track=None, user=None):
    sql = "SELECT user_id, track_id, user_list_rank FROM user_engagements WHERE engagement_type = 'like' AND "
    where, value = ("track_id = ?", track) if user is None else ("user_id = ?", user)
    return opened.execute(sql + where, (value,)).fetchall()


def test_the_history_of_a_track_begins_with_the_first_sighting(path, tmp_path, seed):
    copy = tmp_path / "t.db"
    shutil.copy(path, copy)
    with contextlib.closing(sqlite3.connect(copy)) as changed:
        (before,) = changed.execute("SELECT likes_count FROM tracks WHERE id = ?", (seed,)).fetchone()
        last = "(SELECT max(id) FROM pages)"
        changed.execute(f"UPDATE tracks SET likes_count = 777, counts_page_id = {last} WHERE id = ?", (seed,))
        changed.commit()
    with contextlib.closing(open_to_read(copy)) as opened:
        rows = ask(opened, QUERIES["track-history"].sql, {"track": seed}).rows
        assert [(row[1], row[3]) for row in rows] == [("first", before), ("changed", 777), ("now", 777)]


def test_the_history_of_a_track(answer, truth, seed):
    (now,) = answer("track-history")
    assert (now["what"], now["likes_count"]) == ("now", truth.tracks[seed]["likes_count"])


def test_all_tables_are_named_with_their_columns(answer, connection):
    found = {row["name"]: row["columns"].split(", ") for row in answer("tables")}
    assert {"users", "likes", "track_search"} <= found.keys()
    assert not any(name.startswith("track_search_") for name in found)
    assert found["tags"] == ["id", "name", "folded", "words"]


@pytest.mark.parametrize("name", QUERIES)
def test_the_defaults_in_the_head_are_those_of_the_query(connection, path, name):
    """NULL and empty text, as other tools give them, mean the default that the head names."""
    query: Named = QUERIES[name]
    needed = {p.name: "velvet" for p in query.parameters if p.default is None}

    def rows(values):
        with contextlib.closing(open_to_read(path)) as opened:
            return list(ask(opened, query.sql, {**values, **needed}).rows)

    usual = rows({p.name: None for p in query.parameters})
    assert rows({p.name: "" for p in query.parameters}) == usual
    said = {p.name: None if p.type in ("track", "user", "tracks") else p.default for p in query.parameters}
    assert rows(said) == usual
    told_on_request = ("playlists-with", "playlists-around", "follows-of", "commented", "uploads-of", "links", "found")
    if name not in (*told_on_request, "communities", "remixes-of", "duplicates"):  # found by an analysis; by chance
        assert usual


@pytest.mark.parametrize("name", [n for n, q in QUERIES.items() if any(p.name == "limit" for p in q.parameters)])
def test_a_limit_limits(answer, name):
    given = ["velvet"] if name == "search" else []
    assert len(answer(name, *given, "limit=1")) <= 1
    assert answer(name, *given, "limit=2")[:1] == answer(name, *given, "limit=1")


def test_what_cannot_be_a_value_is_refused(answer):
    for given, said in (
        (["limit=x"], "limit of co-likes is a whole number, not 'x'."),
        (["order=size"], "order of co-likes is people or lift, not 'size'."),
        (["lmit=3"], "There is no parameter lmit; did you mean limit?"),
        (["a", "b", "c", "d", "e", "f"], "co-likes does not know what 'f' is"),
    ):
        with pytest.raises(QueryError) as caught:
            answer("co-likes", *given)
        assert str(caught.value).startswith(said)


# --- plans --------------------------------------------------------------------------------------------------------

_FENCE = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", ROOT / "schema" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTED = {
    **{f"queries/{name}": query.sql for name, query in QUERIES.items()},
    **{
        f"{page.relative_to(ROOT)} {number}": sql
        for page in PAGES
        for number, sql in enumerate(_FENCE.findall(page.read_text(encoding="utf-8")), 1)
    },
}
# Those that read all likes, with the reason why no index leads to fewer.
READS_ALL = {
    "queries/as-of": "all likes of a day, where no person and no track is named; then this part is not run",
    "queries/bridges": "counts the likes of every track where one of the two is not named",
    "queries/hidden-gems": "holds the likes of every track against the service's counts",
    "queries/near-several": "counts the likes of every track where none is named",
    "queries/shared-fans": "counts the likes of every track where a quarter of the people are fans; else not run",
    "queries/top-tracks": "counts the likes of every track, and says so",
    "schema/README.md 9": "five of the edges, whichever; LIMIT ends it",
    "schema/README.md 13": "five of the stretches, whichever; LIMIT ends it",
    "schema/README.md 10": "interactions in their order, five of them: the table is in that order, and LIMIT ends it",
}


def scans_of_likes(connection, sql):
    """Give the steps of a plan that go through all likes: their table, which SQLite names whatever a query calls it."""
    values = dict.fromkeys(parameters(sql))
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [line for line in plan if re.match(r"SCAN engagements\b", line)]
    made = [line for line in plan if re.match(r"SEARCH engagements\b.*AUTOMATIC", line)]
    return [line for line in (*scans, *made) if "engagements_listed" not in line]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_no_documented_query_goes_through_all_likes(connection, name):
    """The small index of listed rows aside, an index leads to the likes wanted."""
    assert bool(scans_of_likes(connection, DOCUMENTED[name])) == (name in READS_ALL)


def test_a_query_that_goes_through_all_likes_would_be_seen(connection):
    assert scans_of_likes(connection, "SELECT count(*) FROM user_engagements AS x WHERE x.user_list_rank = 3")
    assert scans_of_likes(connection, "SELECT * FROM likes WHERE user_list_rank = 0 ORDER BY track_id")
    assert not scans_of_likes(connection, "SELECT * FROM likes WHERE track_id = 3")


def test_options_of_a_harvest_are_the_limits(path):
    ((options,),) = read(path, "SELECT options FROM harvests")
    assert json.loads(options)["max_users"] == LIMITS.max_users
