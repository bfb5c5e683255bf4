"""`harvest report`: every number of the page against the world it came from, and what a reader may rely on."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import sqlite3
from collections import Counter, defaultdict
from dataclasses import asdict
from itertools import combinations, pairwise

import click
import pytest
from click.testing import CliRunner

from harvest.cli.main import cli
from harvest.errors import StorageFailed
from harvest.lists import KINDS
from harvest.models import Limits
from harvest.report.facts import DRAWN, TOP, gather
from harvest.report.neighbourhood import DOTS, LEAST_COMMON, PEOPLE
from harvest.report.page import page as page_of
from harvest.report.palette import GROUPS
from harvest.report.surroundings import STRONGEST
from harvest.report.texts import share, shown, times
from harvest.report.writing import write
from harvest.simulator import World
from harvest.simulator.oracle import Oracle
from harvest.store.database import open_for_crawl, open_to_read
from harvest.store.schema import apply_schema
from tests.acceptance.conftest import ROOT
from tests.booking import add_harvest, add_seed
from tests.chromium import CHROMIUM, chromium
from tests.crawling import Onlooker, crawl_into, crawl_world, read
from tests.htmlpages import by_id, has_table, parse, table, words

DOCS = (ROOT / "docs" / "report.md").read_text("utf-8")


def facts_of(path):
    connection = open_to_read(path)
    try:
        return gather(connection, path.name)
    finally:
        connection.close()


def text_of(path):
    return page_of(facts_of(path))


Z = 1.959964


def between(part, people, listed):
    """Try shares until one is found that the observed one would not contradict, from below and from above."""
    if listed is not None and people >= listed:
        return None
    left = 1 if listed is None else (listed - people) / (listed - 1)

    def possible(p):
        return abs(part / people - p) <= Z * math.sqrt(p * (1 - p) / people * left) + 1e-12

    def end(inside, outside):
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if possible(middle) else (inside, middle)
        return inside

    return written(*(end(part / people, border) for border in (0, 1)))


def written(*ends):
    for spell in (lambda end: share(end, 1), lambda end: f"{100 * end:.1f}%"):
        low, high = map(spell, ends)
        if low != high:
            return f"{low[:-1]}–{high}"
    return high


class Case:
    """A crawled world with its page, and what the page should say counted from the truth by brute force."""

    def __init__(self, path, world, seeds, limits):
        self.path, self.world = path, world
        crawl_world(path, world, seeds, limits)
        oracle = Oracle(world, page_size=200)
        oracle.crawl(*[(seed, asdict(limits)) for seed in seeds or [world.seed_url()]])
        self.truth = oracle.truth
        self.text = text_of(path)
        self.page = parse(self.text)
        self.seeds = [world.id("track", i) for i in range(len(seeds or [1]))]
        # likes that stand in the lists of people who were followed
        self.likes = [
            (u, t) for (u, t, kind), ranks in self.truth.engagements.items() if kind == "like" and ranks[0] is not None
        ]
        # whom people were chosen for liking: seeds, and what a deeper level went around
        self.frames = {t for kind, t in self.truth.lists if kind in ("track_likers", "track_reposters")}
        self.heard = Counter(t for _, t in self.likes if t not in self.frames)
        self.readers = sum(kind == "user_likes" and ended[1] > 0 for (kind, _), ended in self.truth.lists.items())

    def likes_count(self, track):
        return self.truth.tracks[track]["likes_count"] or None

    def counted(self, tracks):
        known = [t for t in tracks if self.likes_count(t)]
        return sum(self.heard[t] for t in known), sum(self.likes_count(t) for t in known)

    def against(self, tracks):
        here, there = self.counted(tracks)
        all_here, all_there = self.counted(self.heard)
        return times((here / all_here) / (there / all_there) if there else None)

    def listed(self):
        """Count who was listed around the one seed; around several nobody knows."""
        if len(self.seeds) > 1:
            return None
        edges = self.truth.engagements.items()
        return len({u for (u, t, _), ranks in edges if t == self.seeds[0] and ranks[1] is not None})

    def interval(self, part):
        return between(part, self.readers, self.listed())

    def interval_of_likes(self, tracks):
        """By the definition: how far each person is from the share, over the mean number of their likes."""
        known = {t for t in self.heard if self.likes_count(t)}
        lists = defaultdict(list)
        for u, t in self.likes:
            if t in known:
                lists[u].append(t)
        part = self.counted(tracks)[0] / self.counted(self.heard)[0]
        off = [sum(t in tracks for t in own) - part * len(own) for own in lists.values()]
        n, mean = len(off), sum(map(len, lists.values())) / len(lists)
        left = 1 if self.listed() is None else (self.listed() - self.readers) / (self.listed() - 1)
        error = math.sqrt(sum(e * e for e in off) / (n - 1) * left / self.readers) / mean
        if not 0 < part < 1:
            return share(part, 1)
        ends = [
            part * math.exp(w) / (1 - part + part * math.exp(w))
            for w in (-Z * error / part / (1 - part), Z * error / part / (1 - part))
        ]
        return written(*ends)

    def name(self, track):
        told = self.truth.tracks[track]
        return f"{shown(told['title'])} by {shown(self.username(told['uploader_id']), 40)}"

    def username(self, user):
        return self.truth.users[user]["username"] if user is not None else None


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """One seed, caps that bite, every oddity switched on."""
    world = World(
        11,
        users=120,
        tracks=400,
        likes_per_user=30,
        seed_likers=80,
        seed_reposters=20,
        null_entries=0.05,
        gone=0.05,
        forbidden=0.03,
    )
    return Case(tmp_path_factory.mktemp("one") / "one.db", world, None, Limits(max_users=60, max_user_likes=60))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Two seeds and a second level: likers of tracks whom nobody followed must not count."""
    world = World(5, users=150, tracks=500, likes_per_user=20, seed_likers=40, seed_reposters=10)
    limits = Limits(max_users=20, max_user_likes=40, depth=2, max_tracks=4)
    return Case(tmp_path_factory.mktemp("many") / "many.db", world, world.seed_urls(2), limits)


@pytest.fixture(params=["one", "many"])
def case(request):
    return request.getfixturevalue(request.param)


@pytest.mark.first_case
def test_the_headline_numbers_are_those_of_the_world(case):
    kinds = Counter(kind for _, _, kind in case.truth.engagements)
    told = {words(d.find("dt")): words(d.find("dd")) for d in case.page.iter("div") if d.find("dt") is not None}
    assert told == {
        "people": f"{len(case.truth.users):,}",
        "tracks": f"{len(case.truth.tracks):,}",
        "likes": f"{kinds['like']:,}",
        "reposts": f"{kinds['repost']:,}",
        "lists read": f"{len(case.truth.lists):,}",
    }


def test_the_first_sentences_say_who_was_followed_and_what_is_whole(one):
    outcomes = Counter(outcome for (kind, _), (outcome, *_) in one.truth.lists.items() if kind == "user_likes")
    (likers,) = [ended for (kind, _), ended in one.truth.lists.items() if kind == "track_likers"]
    lead = words(next(p for p in one.page.iter("p") if p.get("class") == "lead"))
    assert f"{likers[1]:,} of {likers[2]:,} likers of the seed and" in lead
    assert (
        f"{sum(outcomes.values())} people were followed into their likes; "
        f"{outcomes['complete']} of these lists are whole" in lead
    )
    assert f"{outcomes['capped']} cut by a cap" in lead
    assert f"{outcomes['gone'] + outcomes['forbidden']} without an answer" in lead
    assert outcomes["capped"] * outcomes["gone"] * outcomes["forbidden"] * outcomes["complete"]


def test_the_ledger_is_that_of_the_world(case):
    expected = defaultdict(lambda: [0, 0, 0, 0])
    titles = {
        kind: title[:1].upper() + title[1:] for kind, title in read(case.path, "SELECT kind, title FROM list_kinds")
    }
    for (kind, _), (outcome, collected, claimed) in case.truth.lists.items():
        row = expected[titles[kind], outcome]
        row[0] += 1
        row[1] += claimed or 0
        row[2] += collected
        row[3] += max(claimed - collected, 0) if claimed is not None else 0
    found = {
        (row[0], row[1].split()[0]): [
            int(cell.replace(",", "").replace("not said", "0").replace("unknown", "0")) for cell in row[2:]
        ]
        for row in table(case.page, "ledger")
    }
    assert found == dict(expected)
    whole = "complete SoundCloud ended it, and its own count does not contradict"  # it may be off a little, or not said
    assert {row[1] for row in table(case.page, "ledger") if row[1].startswith("complete")} == {whole}


def test_what_nobody_asked_for_is_called_not_asked_and_never_none(case):
    asked = {kind for kind, _ in case.truth.lists}
    titles = {
        title
        for kind, title in read(case.path, "SELECT kind, title FROM list_kinds")
        if kind not in {*asked, "resolve", "lookup"}
    }
    told = words(next(p for p in by_id(case.page, "complete").iter("p") if words(p).startswith("Not asked")))
    assert titles
    assert all(title in told for title in titles)
    assert not any(
        title in told for kind, title in read(case.path, "SELECT kind, title FROM list_kinds") if kind in asked
    )


def test_what_is_not_known_is_counted_column_by_column(case):
    """Each column of people and tracks that the world tells of, and none that we keep for ourselves."""
    told = defaultdict(dict)
    for of, column, *numbers in table(case.page, "missing-table"):
        told[of][column.replace(" ", "_")] = numbers
    things = {f"{len(rows):,} {of}": rows for of, rows in (("users", case.truth.users), ("tracks", case.truth.tracks))}
    assert list(told) == list(things)
    for of, columns in told.items():
        rows = things[of].values()
        assert {"urn", "first_seen_at", "uploader_list_rank", "gone_at"} & set(columns) == set()
        assert len(columns) > 10
        for column in set(columns) & set(next(iter(rows))):
            known = sum(row[column] is not None for row in rows)
            missing = len(rows) - known
            assert columns[column] == [f"{known:,}", f"{missing:,}", share(missing, len(rows))], column


def test_each_kind_of_list_has_a_part_of_its_own(case):
    ended = defaultdict(list)
    for (kind, _), (outcome, collected, _) in case.truth.lists.items():
        ended[kind].append((outcome, collected))
    parts = [e.get("id") for e in by_id(case.page, "lists").iter("h3")]
    assert parts == [f"list-{kind.replace('_', '-')}" for kind in KINDS if kind in ended]
    told = words(by_id(case.page, "lists"))
    for lists in ended.values():
        if len(lists) > 1:
            brought = [collected for _, collected in lists]
            assert f"{sum(brought):,} items in all; the longest list brought {max(brought):,}." in told
    for outcome, n in Counter(outcome for outcome, _ in ended["user_likes"]).items():
        assert f"{n} {outcome}" in told


def test_the_tracks_most_of_them_like_are_counted_right(case):
    top = sorted(case.heard, key=lambda t: (-case.heard[t], t))[:TOP]
    expected = [
        [
            case.name(t),
            str(case.heard[t]),
            share(case.heard[t], case.readers),
            case.interval(case.heard[t]),
            f"{case.likes_count(t):,}" if case.likes_count(t) else "not known",
            case.against([t]),
        ]
        for t in top
    ]
    assert table(case.page, "tracks") == expected


def test_the_tracks_liked_more_than_elsewhere_are_those(case):
    least = max(3, case.readers // 50)
    known = [t for t in case.heard if case.likes_count(t) and case.heard[t] >= least]
    top = sorted(known, key=lambda t: (-round(case.heard[t] / case.likes_count(t), 9), -case.heard[t], t))[:TOP]
    assert [(row[0], row[5]) for row in table(case.page, "own-tracks")] == [
        (case.name(t), case.against([t])) for t in top
    ]


def test_the_artists_are_counted_by_different_people(case):
    tracks, fans = defaultdict(list), defaultdict(set)
    for t in case.heard:
        tracks[case.truth.tracks[t]["uploader_id"]].append(t)
    tracks.pop(None, None)
    for u, t in case.likes:
        if t not in case.frames:
            fans[case.truth.tracks[t]["uploader_id"]].add(u)
    likes = {a: sum(case.heard[t] for t in own) for a, own in tracks.items()}
    top = sorted(tracks, key=lambda a: (-likes[a], a))[:TOP]
    followers = [case.truth.users[a]["followers_count"] for a in top]
    expected = [
        [
            shown(case.username(a), 60),
            str(len(fans[a])),
            share(len(fans[a]), case.readers),
            case.interval(len(fans[a])),
            str(likes[a]),
            str(len(tracks[a])),
            "not known" if n is None else f"{n:,}",
            case.against(tracks[a]),
        ]
        for a, n in zip(top, followers, strict=True)
    ]
    assert table(case.page, "artists") == expected


def folded(name):
    return re.sub(r"[ \-_]", "", name.lower())


def themes(case, named):
    """Count genres or tags: folded name → its tracks, in the order of the page."""
    tracks = defaultdict(set)
    for t in case.heard:
        for name in named(t):
            tracks[folded(name)].add(t)
    tracks.pop("", None)
    return sorted(tracks.items(), key=lambda theme: (-sum(case.heard[t] for t in theme[1]), theme[0]))[:TOP]


@pytest.mark.parametrize("which", ["genres", "tags"])
def test_genres_and_tags_are_shares_of_the_same_likes(case, which):
    if which == "genres":
        expected = themes(case, lambda t: [case.truth.tracks[t]["genre"] or ""])
    else:
        expected = themes(case, lambda t: case.truth.tags[t])
    all_here, all_there = case.counted(case.heard)
    rows = table(case.page, which)
    assert [(folded(row[0]), *row[1:]) for row in rows] == [
        (
            name,
            share(case.counted(tracks)[0], all_here),
            case.interval_of_likes(tracks),
            share(case.counted(tracks)[1], all_there),
            case.against(tracks),
            str(len(tracks)),
        )
        for name, tracks in expected
    ]


def test_nothing_that_people_were_chosen_for_stands_among_what_they_like(many):
    """Neither a seed nor a track around which the second level went."""
    titles = {many.name(t) for t in many.frames}
    assert len(titles) > len(many.seeds)
    assert "the seeds and the tracks around which the crawl went on" in words(by_id(many.page, "taste"))
    assert not titles & {row[0] for name in ("tracks", "own-tracks") for row in table(many.page, name)}
    assert "All of them were found because they like or repost a seed, or one of the tracks around it." in words(
        many.page
    )


def test_the_page_says_what_one_seed_means(one):
    assert "All of them were found because they like or repost the seed." in words(by_id(one.page, "taste"))


def around(case, seed):
    """Count by brute force which tracks the people who like a seed like as well, and how many of them were read."""
    fans = {u for (u, t, kind) in case.truth.engagements if t == seed and kind == "like"}
    liked = defaultdict(set)
    for u, t in case.likes:
        if u in fans and t != seed:
            liked[t].add(u)
    read = {
        s
        for (kind, s), ended in case.truth.lists.items()
        if kind == "user_likes" and ended[0] in ("complete", "capped", "short", "loop")
    }
    return sorted(liked, key=lambda t: (-len(liked[t]), t))[:DOTS], liked, len(fans & read)


def test_the_tracks_around_a_seed_are_those_its_fans_like_most(case):
    for place, seed in enumerate(case.seeds, start=1):
        top, liked, people = around(case, seed)
        (svg,) = [s for s in case.page.iter("svg") if s.get("aria-labelledby") == f"around-{place}-title"]
        told = [words(circle.find("title")) for circle in svg.iter("circle")]
        joined = [t for t in top if any(len(liked[t] & liked[o]) >= LEAST_COMMON for o in top if o != t)]
        assert told == [
            f"{shown(case.truth.tracks[t]['title'], 60)} by "
            f"{shown(case.username(case.truth.tracks[t]['uploader_id']), 40)}: {len(liked[t]):,}"
            for t in joined
        ]
        listed = sum(t == seed and kind == "like" for _, t, kind in case.truth.engagements)
        expected = {
            (case.name(t), str(n), share(n, people), between(n, people, listed))
            for t, n in ((t, len(liked[t])) for t in top)
        }
        rows = [tuple(row[1:]) for row in table(case.page, f"near-{place}")]
        assert len(rows) > 5
        assert set(rows) <= expected


def test_a_line_joins_tracks_that_the_same_people_like(case):
    """By cosine, each with its two nearest of those that three people at least like both."""
    for place, seed in enumerate(case.seeds, start=1):
        top, liked, _ = around(case, seed)
        (svg,) = [s for s in case.page.iter("svg") if s.get("aria-labelledby") == f"around-{place}-title"]
        top = [t for t in top if any(len(liked[t] & liked[o]) >= LEAST_COMMON for o in top if o != t)]
        at = {(c.get("cx"), c.get("cy")): i for i, c in enumerate(svg.iter("circle"))}
        lines = [e for e in svg.iter("line") if e.get("class") == "link"]
        drawn = {tuple(sorted((at[e.get("x1"), e.get("y1")], at[e.get("x2"), e.get("y2")]))) for e in lines}
        assert len(drawn) == len(lines) > 2
        cosine = {
            (i, j): round(len(liked[top[i]] & liked[top[j]]) / math.sqrt(len(liked[top[i]]) * len(liked[top[j]])), 9)
            for i, j in combinations(range(len(top)), 2)
            if len(liked[top[i]] & liked[top[j]]) >= LEAST_COMMON
        }
        for i in range(len(top)):
            own = sorted((p for p in cosine if i in p), key=lambda p: -cosine[p])
            nearest = sum(cosine[p] > cosine[own[STRONGEST - 1]] for p in own) if len(own) >= STRONGEST else len(own)
            assert set(own[:nearest]) <= drawn


def test_the_curves_are_shares_of_people_and_of_tracks(case):
    ended = [
        v
        for (kind, _), v in case.truth.lists.items()
        if kind == "user_likes" and v[0] in ("complete", "capped", "short", "loop")
    ]
    known = [t for t in case.heard if case.likes_count(t)]
    sets = {
        "curve-people-table": ([v[1] for v in ended], [v[2] for v in ended if v[2] is not None]),
        "curve-tracks-table": (list(case.heard.values()), [case.likes_count(t) for t in known]),
    }
    for name, (here, there) in sets.items():
        rows = table(case.page, name)
        assert len(rows) > 3
        for mark, *shares in rows:
            least = int(mark.replace(",", ""))
            if "people" in name:
                assert shares.pop(1) == between(sum(v >= least for v in here), len(here), case.listed())
            assert shares == [share(sum(v >= least for v in values), len(values)) for values in (here, there)]


def test_what_intervals_stand_for_is_said(one, tmp_path):
    told = words(by_id(one.page, "taste"))
    assert "Interval (95 %): as if these people had been drawn by lot. A rule chose them" in told
    world = World(11, users=80, tracks=300, likes_per_user=10, seed_likers=40, seed_reposters=0, gone=0, forbidden=0)
    for name, limits, says in (
        ("lot", Limits(max_users=12, order="random", sample_seed=3), "listed lies, 95 times in 100."),
        (
            "all",
            Limits(max_users=100),
            "All who are listed were read: these shares are counted, so they have no interval.",
        ),
    ):
        crawl_world(tmp_path / f"{name}.db", world, None, limits)
        page = parse(text_of(tmp_path / f"{name}.db"))
        for section in ("taste", "around"):
            assert says in words(by_id(page, section)), (name, section)
        assert len(table(page, "tracks")[0]) == (5 if name == "all" else 6)


def test_the_sample_is_that_of_the_world(one):
    seed = one.seeds[0]
    listed = {u for (u, t, _), ranks in one.truth.engagements.items() if t == seed and ranks[1] is not None}
    lists = {s: ended[0] for (kind, s), ended in one.truth.lists.items() if kind == "user_likes"}
    words_of = {
        "complete": "followed, and answered",
        "short": "followed, and answered",
        "capped": "followed, and answered, cut by the cap",
    }
    expected = Counter(
        words_of.get(lists[u], "followed, no answer") if u in lists else "listed, not asked" for u in listed
    )
    rows = {row[0]: int(row[1]) for row in table(one.page, "sample-1")}
    assert rows == {**expected, "all listed": len(listed)}
    told = words(by_id(one.page, "sample"))
    assert (
        f"Of {len(listed)} people listed, {len(lists)} were followed, chosen in the order of the list, newest first."
        in told
    )


def test_what_failed_adds_up(one):
    outcomes = Counter(ended[0] for ended in one.truth.lists.values())
    told = words(by_id(one.page, "failed"))
    assert f"{outcomes['gone'] + outcomes['forbidden']} of {len(one.truth.lists)} lists could not be read" in told
    assert {(row[1], row[3]) for row in table(one.page, "failures")} == {
        ("gone", str(outcomes["gone"])),
        ("forbidden", str(outcomes["forbidden"])),
    }


def test_where_it_comes_from_is_said(many):
    requests = read(many.path, "SELECT sum(n) FROM run_requests")[0][0]
    told = words(by_id(many.page, "origin"))
    assert f"{requests:,} requests left the machine" in told
    assert [(row[0], row[3], row[6]) for row in table(many.page, "runs")] == [("1", "0.1.0", f"{requests:,}")]
    assert [row[0] for row in table(many.page, "seeds")] == [many.name(t) for t in many.seeds]
    assert "depth 2" in table(many.page, "seeds")[0][3]


def test_levels_are_shown_where_there_are_several(many, one):
    rows = table(many.page, "levels")
    assert (
        sum(int(row[3]) for row in rows)
        == read(
            many.path,
            "SELECT count(*) FROM harvest_tasks w JOIN tasks t ON t.id = w.task_id"
            " WHERE t.kind NOT IN ('resolve', 'lookup')",
        )[0][0]
    )
    assert {row[1] for row in rows} >= {"1", "2"}
    assert not has_table(one.page, "levels")


def test_nobody_who_merely_likes_is_named(case):
    """Uploaders are credited; everybody else stays a number."""
    uploaders = {t["uploader_id"] for t in case.truth.tracks.values()}
    credited = {shown(case.username(u), 200) for u in uploaders if u is not None}
    titles = {shown(t["title"], 200) for t in case.truth.tracks.values()}
    others = {shown(u["username"], 200) for n, u in case.truth.users.items() if n not in uploaders and u["username"]}
    texts = {words(b) for b in case.page.iter("bdi")} | {t.text for t in case.page.iter("text")}
    assert not texts & (others - credited - titles)
    addresses = {u["permalink_url"] for n, u in case.truth.users.items() if n not in uploaders}
    assert not addresses & {a.get("href") for a in case.page.iter("a")}


# What every page is


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A file with nothing in it but its schema."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    db = open_for_crawl(path)
    with db.atomic():
        apply_schema(db)
    db.conn.close()
    return path


@pytest.fixture(scope="module")
def lonely(tmp_path_factory):
    """A track that nobody likes, and one that does not exist."""
    path = tmp_path_factory.mktemp("lonely") / "lonely.db"
    world = World(3, users=5, tracks=5, seed_likers=0, seed_reposters=0, likes_per_user=0)
    crawl_world(path, world, [world.seed_url()], Limits())
    connection = sqlite3.connect(path)
    add_harvest(connection, 2, state="failed")
    add_seed(connection, 2, "https://soundcloud.com/nobody/nothing/s-SECRET123", reason="not found")
    connection.commit()
    connection.close()
    return path


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """A crawl stopped after eight pages."""
    import asyncio

    from harvest.simulator import serve

    path = tmp_path_factory.mktemp("unfinished") / "unfinished.db"
    world = World(11, users=60, tracks=300, likes_per_user=30, seed_likers=30, seed_reposters=10)

    async def both():
        async with serve(world, gzip=False) as server:
            await crawl_into(path, server, onlooker=Onlooker(8), max_in_flight=1)

    asyncio.run(both())
    return path


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg><script>x</script>",
    "\u202egnirts desrever\u2066",
    "nul\x00bell\x07esc\x1b[31m",
    "W" * 5000,
    "漢字" * 500,
    "👩‍🚀" * 300,
    "Z" + "\u0334\u0317" * 300,
    "&amp;&lt;&#60;",
    "]]><!--",
    "",
]


@pytest.fixture(scope="module")
def hostile(one, tmp_path_factory):
    """The first file with every name and title replaced by something that wants out."""
    path = tmp_path_factory.mktemp("hostile") / "hostile.db"
    source = sqlite3.connect(one.path)
    target = sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.create_function("hostile", 1, lambda n: HOSTILE[n % len(HOSTILE)])
    target.execute(
        "UPDATE tracks SET title = hostile(id), genre = hostile(id / 7),"
        " permalink_url = 'javascript:alert(' || id || ')'"
    )
    target.execute(
        "UPDATE users SET username = hostile(id), permalink_url = 'https://soundcloud.com.evil.example/' || id"
    )
    target.execute("UPDATE tags SET name = id || hostile(id), folded = id || hostile(id)")
    target.execute("UPDATE failures SET class = '<b>' || class, message = hostile(id)")
    target.execute("UPDATE runs SET version = ?, stop_reason = ?, api_url = ?", (HOSTILE[0], HOSTILE[1], HOSTILE[2]))
    target.execute("UPDATE harvests SET options = ?", (json.dumps({"order": HOSTILE[0], HOSTILE[1]: HOSTILE[3]}),))
    target.commit()
    target.close()
    return path


FILES = ["one", "many", "empty", "lonely", "unfinished", "hostile"]


@pytest.fixture(params=FILES)
def text(request):
    found = request.getfixturevalue(request.param)
    return found.text if isinstance(found, Case) else text_of(found)


def test_a_page_is_well_formed_and_its_ids_are_unique(text):
    page = parse(text)
    ids = [e.get("id") for e in page.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    references = [
        name
        for e in page.iter()
        for key in ("aria-labelledby", "aria-describedby")
        for name in (e.get(key) or "").split()
    ]
    anchors = [a.get("href")[1:] for a in page.iter("a") if a.get("href").startswith("#")]
    assert set(references) | set(anchors) <= set(ids)
    assert len(anchors) > 5


def test_a_page_asks_the_network_for_nothing_and_runs_nothing(text):
    page = parse(text)
    loading = {"src", "srcset", "data", "action", "formaction", "poster", "background", "xlink:href", "style"}
    assert [(e.tag, key) for e in page.iter() for key in e.attrib if key in loading or key.startswith("on")] == []
    assert {e.tag for e in page.iter()} & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "base",
        "image",
        "use",
    } == set()
    assert [e.get("href") for e in page.iter("link")] == ["data:,"]
    assert all(re.match(r"#|https://([\w-]+\.)*soundcloud\.com/", a.get("href")) for a in page.iter("a"))
    (style,) = page.iter("style")
    (policy,) = [m.get("content") for m in page.iter("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    import base64

    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert (
        policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style.text


def test_headings_are_in_order_and_landmarks_are_there(text):
    page = parse(text)
    levels = [int(e.tag[1]) for e in page.iter() if re.fullmatch("h[1-6]", e.tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [len(list(page.iter(tag))) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert page.get("lang") == "en"
    first = next(e for e in page.iter("a"))
    assert (words(first), first.get("href")) == ("Skip to the content", "#content")
    for part in page.iter("section"):
        assert words(by_id(page, part.get("aria-labelledby"))) == words(part.find("h2"))


def test_every_picture_has_words_or_repeats_those_beside_it(text):
    for svg in parse(text).iter("svg"):
        if svg.get("aria-hidden") == "true":
            assert svg.get("class") == "pair"
            continue
        assert svg.get("role") == "img"
        assert [e.tag for e in list(svg)[:2]] == ["title", "desc"]
        assert all(words(e) for e in list(svg)[:2])
        assert (svg.get("aria-labelledby"), svg.get("aria-describedby")) == (svg[0].get("id"), svg[1].get("id"))


def test_every_table_has_a_caption_headings_with_scope_and_can_be_scrolled_by_keyboard(text):
    page = parse(text)
    for found in page.iter("table"):
        assert words(found.find("caption"))
        assert all(th.get("scope") in ("col", "row", "rowgroup") for th in found.iter("th"))
        wide = len(found.find("thead")[0])
        spanned = 0
        for row in found.find("tbody"):
            assert sum(th.get("scope") == "row" for th in row) == 1
            assert len(row) + bool(spanned) == wide
            spanned = max(spanned - 1, 0) or int(row[0].get("rowspan", "1")) - 1
    for part in page.iter("div"):
        if part.get("class") == "scroll":
            assert (part.get("role"), part.get("tabindex")) == ("region", "0")
            assert words(by_id(page, part.get("aria-labelledby")))


def test_no_control_or_direction_character_is_left(text):
    assert (
        re.findall(
            r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", text
        )
        == []
    )


def test_what_wants_out_stays_text(hostile):
    page = parse(text_of(hostile))
    named = {words(b) for b in page.iter("bdi")}
    assert "<script>alert(1)</script>" in named
    assert any(name.startswith("WWWW") and len(name) <= 80 for name in named)
    assert {a.get("href") for a in page.iter("a") if not a.get("href").startswith("#")} == {
        "https://developers.soundcloud.com/docs/api/terms-of-use"
    }


def test_the_same_file_gives_the_same_page_byte_for_byte(case):
    assert text_of(case.path) == case.text


def test_making_a_report_changes_nothing_in_the_file(one):
    before = hashlib.sha256(one.path.read_bytes()).hexdigest()
    connection = open_to_read(one.path)
    gather(connection, "x")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM tracks")
    assert connection.execute("SELECT count(*) FROM sqlite_temp_schema").fetchone()[0] == 0
    connection.close()
    assert hashlib.sha256(one.path.read_bytes()).hexdigest() == before


def test_an_empty_file_has_a_page_that_says_what_to_do(empty):
    page = parse(text_of(empty))
    assert words(next(page.iter("h1"))) == "An empty harvest"
    assert "This file holds no harvest yet. Run harvest URL" in words(page)
    assert "Nothing was asked, so nothing failed." in words(page)
    assert "nothing is known of them here: " in words(page)


def test_a_track_nobody_likes_and_a_seed_that_failed(lonely):
    text = text_of(lonely)
    page = parse(text)
    assert "There is nothing to draw" in words(page)
    assert "No likes of people who were followed have been read yet." in words(page)
    assert "There are no likes to count yet." in words(page)
    assert [row[2] for row in table(page, "seeds")] == ["done", "failed: not found"]
    assert words(next(page.iter("h1"))).startswith("The listening graph around “")
    assert "nobody/nothing" not in words(next(page.iter("h1")))
    assert "These data are invented." in words(page)
    assert "SECRET123" not in text
    assert "https://soundcloud.com/nobody/nothing/s-…" in words(page)


def test_a_crawl_that_was_stopped_says_so(unfinished):
    page = parse(text_of(unfinished))
    still_open = read(
        unfinished, "SELECT count(*) FROM tasks WHERE outcome IS NULL AND kind NOT IN ('resolve', 'lookup')"
    )[0][0]
    assert f"{still_open:,} lists are still open, and these numbers will grow." in words(page)
    assert "This harvest is not finished" in words(by_id(page, "sample"))
    assert "open" in {row[1].split()[0].strip(",") for row in table(page, "ledger")}


def test_what_the_last_of_several_runs_brought_is_told(tmp_path):
    path, world = tmp_path / "twice.db", World(5, users=60, tracks=200, likes_per_user=10, seed_likers=12)
    for seed in world.seed_urls(2):
        crawl_world(path, world, [seed], Limits(max_users=3))
        page = parse(text_of(path))
        assert ("since" in {e.get("id") for e in page.iter("section")}) == (seed != world.seed_urls(2)[0])
    titles = dict(read(path, "SELECT id, title FROM tasks JOIN list_kinds USING (kind)"))
    brought = defaultdict(lambda: [set(), 0, 0])
    for task, kept in read(path, "SELECT task_id, kept FROM pages WHERE run_id = 2"):
        of = brought[titles[task]]
        of[0].add(task)
        of[1] += 1
        of[2] += kept
    del brought["the seed"], brought["things looked up by URN"]
    found = {row[0].lower(): [int(cell) for cell in row[1:]] for row in table(page, "last-run")}
    assert found == {title.lower(): [len(lists), pages, kept] for title, (lists, pages, kept) in brought.items()}
    whole = sum(kept for *_, kept in brought.values())
    assert f"brought {whole:,} entries of" in words(by_id(page, "since"))


def test_seeds_of_every_kind_are_named(one, tmp_path):
    """A file may come to hold seeds that are no tracks."""
    path = tmp_path / "kinds.db"
    path.write_bytes(one.path.read_bytes())
    connection = sqlite3.connect(path)
    (user,) = connection.execute("SELECT min(id) FROM users").fetchone()
    connection.execute("UPDATE users SET username = 'Somebody' WHERE id = ?", (user,))
    (page,) = connection.execute("SELECT min(id) FROM pages").fetchone()
    connection.execute(
        "INSERT INTO playlists (id, title, first_page_id, first_seen_at, last_seen_on)"
        " VALUES (7, 'Sunday', ?, '2026', '2026')",
        (page,),
    )
    add_harvest(connection, 2)
    add_seed(connection, 2, "https://soundcloud.com/u", "user", user)
    add_seed(connection, 2, "https://soundcloud.com/u/sets/p", "playlist", 7)
    add_harvest(connection, 3)
    add_seed(connection, 3, "https://soundcloud.com/u", "user", user)
    connection.commit()
    connection.close()
    page = parse(text_of(path))
    seed = shown(one.truth.tracks[one.seeds[0]]["title"], 60)
    assert words(next(page.iter("h1"))) == f"The listening graph around “{seed}”, “Somebody” and “Sunday”"
    assert [row[1] for row in table(page, "seeds")] == ["track", "user", "playlist", "user"]
    assert "All of them were found through the seeds." in words(page)


def test_a_random_sample_tells_its_chance(tmp_path):
    world = World(11, users=80, tracks=300, likes_per_user=10, seed_likers=40, seed_reposters=10)
    crawl_world(tmp_path / "r.db", world, None, Limits(max_users=12, order="random", sample_seed=3))
    people = read(tmp_path / "r.db", "SELECT count(DISTINCT user_id) FROM sample")[0][0]
    told = words(by_id(parse(text_of(tmp_path / "r.db")), "sample"))
    assert f"Of {people} people listed, 12 were followed, drawn by lot with a chance of {12 / people:.3g} each;" in told


# The command


def test_the_page_goes_beside_the_file_and_replaces_an_earlier_one(run, one, tmp_path):
    (tmp_path / "one.db").write_bytes(one.path.read_bytes())
    for _ in range(2):
        done = run("report", "--cache-path", "one.db")
        assert (done.returncode, done.stdout, done.stderr) == (0, "one.report.html\n", "")
    assert (tmp_path / "one.report.html").read_text("utf-8") == one.text
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["one.db", "one.report.html"]


def test_the_page_goes_where_it_is_told_and_never_over_something_else(run, one, tmp_path):
    path = str(one.path)
    done = run("report", "deep/er/page.html", "--db", path)
    assert (done.returncode, done.stdout) == (0, "deep/er/page.html\n")
    (tmp_path / "mine.html").write_text("<html>my own</html>")
    refused = run("report", "mine.html", "--db", path)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr == (
        "harvest: mine.html exists and is no report of harvest: name another file, or overwrite it with --force.\n"
    )
    assert (tmp_path / "mine.html").read_text() == "<html>my own</html>"
    assert run("report", "mine.html", "--db", path, "--force").returncode == 0
    assert (tmp_path / "mine.html").read_text("utf-8") == one.text


def test_what_cannot_be_done_is_one_clear_line(run, one, tmp_path):
    (tmp_path / "one.db").write_bytes(one.path.read_bytes())
    before = (tmp_path / "one.db").read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("not a database, whatever its name says")
    for arguments, says in [
        (("--db", "nothing.db"), "There is no file nothing.db"),
        (("--db", "text.db"), "is not a SQLite database"),
        (("folder", "--db", "one.db"), "folder is a folder"),
        (("one.db", "--db", "one.db", "--force"), "one.db is the harvested file itself"),
        (("text.db/page.html", "--db", "one.db"), "Name another place"),
    ]:
        done = run("report", *arguments)
        assert (done.returncode, done.stdout) == (4, ""), arguments
        assert says in done.stderr
        assert done.stderr.count("\n") == 1
    assert (tmp_path / "one.db").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "one.db", "text.db"]


def test_a_page_that_cannot_be_finished_leaves_the_earlier_one(tmp_path, monkeypatch):
    out = tmp_path / "page.html"
    write("earlier", out)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StorageFailed, match=r"Cannot write .*page\.html: No space left on device\. Name another place"):
        write("later", out)
    assert out.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_the_page_is_for_everybody_the_owner_lets_read(tmp_path):
    write("page", tmp_path / "page.html")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o666 & ~mask


def test_open_shows_the_page_in_the_browser(one, tmp_path, monkeypatch):
    shown_pages = []
    monkeypatch.setattr(click, "launch", shown_pages.append)
    out = tmp_path / "a page.html"
    assert CliRunner().invoke(cli, ["report", str(out), "--db", str(one.path), "--open"]).exit_code == 0
    assert shown_pages == [out.as_uri()]


def test_what_the_documentation_shows_runs(run, one, tmp_path):
    (tmp_path / "data/cache").mkdir(parents=True)
    (tmp_path / "data/cache/tracks.db").write_bytes(one.path.read_bytes())
    commands = [line for block in re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL) for line in block.splitlines()]
    assert [line.split()[0] for line in commands] == ["harvest", "harvest"]
    for line in commands:
        done = run(*line.split()[1:])
        assert done.returncode == 0, done.stderr
        assert (tmp_path / done.stdout.strip()).is_file()


def test_the_documentation_tells_the_numbers_of_the_program():
    numbers = {2: "two", 3: "three", 4: "four"}
    told = " ".join(DOCS.split())
    assert f"the {DOTS} tracks that most people" in told
    assert f"the first {numbers[DRAWN]} seeds" in told.lower()
    assert f"with the {numbers[STRONGEST]} nearest to it by cosine" in told
    assert f"at least {numbers[LEAST_COMMON]} people" in told
    assert f"{PEOPLE:,} people" in told
    assert f"the {len(GROUPS)} largest" in told


# A real browser


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
@pytest.mark.parametrize("which", FILES)
def test_a_browser_shows_the_page_without_complaint_and_without_scrolling_sideways(which, request, tmp_path):
    found = request.getfixturevalue(which)
    place = tmp_path / "page.html"
    place.write_text(found.text if isinstance(found, Case) else text_of(found), encoding="utf-8")
    with chromium() as browser:
        for width, theme in ((320, "light"), (390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
            browser.open(place.as_uri(), width=width, theme=theme)
            assert browser.told("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled") == []
            requests = [e["params"]["request"]["url"] for e in browser.told("Network.requestWillBeSent")]
            assert [url for url in requests if not url.startswith("data:")] == [place.as_uri()]
            assert browser.value("document.documentElement.scrollWidth") == width
            assert (
                browser.value("getComputedStyle(document.body).color")
                == {"light": "rgb(29, 28, 26)", "dark": "rgb(236, 234, 229)"}[theme]
            )
            told = browser.value(
                "[...document.querySelectorAll('svg.graph text')]"
                ".filter(t => t.getClientRects().length).map(t => t.classList[0])"
            )
            assert set(told) <= ({"badge"} if width < 600 else {"name", "artist"})
            # What goes on sideways says so, and can be reached and told apart without a mouse.
            going_on = browser.value(
                "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).map(e => ["
                "getComputedStyle(e).backgroundImage.split('linear-gradient').length - 1, e.tabIndex, e.role,"
                "!!document.getElementById(e.getAttribute('aria-labelledby')).innerText])"
            )
            assert all(one == [4, 0, "region", True] for one in going_on)
            assert going_on or width > 600 or not isinstance(found, Case)
        browser.open(place.as_uri(), width=700, theme="dark", media="print")  # about the width of a sheet
        assert browser.value("document.documentElement.scrollWidth") == 700
        assert browser.value("getComputedStyle(document.body).color") == "rgb(29, 28, 26)"
        browser.pdf(tmp_path / "page.pdf")
        assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
@pytest.mark.parametrize(("width", "least"), [(390, 4), (1280, 10), (2560, 10)])
def test_labels_as_really_drawn_do_not_cover_each_other(one, tmp_path, width, least):
    """The page estimates how wide a text is; the browser knows."""
    place = tmp_path / "page.html"
    place.write_text(one.text, encoding="utf-8")
    with chromium() as browser:
        browser.open(place.as_uri(), width=width)
        boxes = browser.value(
            "[...document.querySelectorAll('svg.graph text')].filter(t => t.getClientRects().length)"
            ".map(t => {const b = t.getBBox(); return [b.x, b.y, b.width, b.height]})"
        )
        assert len(boxes) >= least
        for a, b in combinations(boxes, 2):
            assert a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] * 0.8 <= b[1] or b[1] + b[3] * 0.8 <= a[1]


@pytest.mark.parametrize("place", ["", "."])
def test_a_folder_in_place_of_the_file_is_refused_in_one_line(run, place):
    done = run("report", "--cache-path", place)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "harvest: . is a folder: name a file, for example tracks.db.\n"
