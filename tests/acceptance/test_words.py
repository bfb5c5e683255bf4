"""The named queries that read titles and descriptions, against what was written there by hand."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict

import pytest

from harvest.explore.execute import ask
from harvest.explore.named import named_queries
from harvest.explore.parameters import bind_named
from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect
from harvest.store.database import open_to_read
from harvest.store.entities import fold_tag
from tests.analysing import LikesFile
from tests.crawling import crawl_world

QUERIES = named_queries()


def asked(path, name, *given):
    with contextlib.closing(open_to_read(path)) as connection:
        found = ask(connection, QUERIES[name].sql, bind_named(connection, QUERIES[name], given))
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


TITLES = {
    10: "Nova - Velvet Drift (Original Mix)",
    11: "Velvet Drift (Kid's Remix)",
    12: "Somebody - Velvet Drift [Flip]",
    13: "velvet drift - sped up",
    14: "Velvet Drift",  # the same, or another of the same name
    15: "Velvet Drifters (Remix)",
    16: "Drift Velvet (Remix)",
    17: "Velvet Drift (Deluxe)",
    18: "Nova - VELVET DRIFT VIP Mix",
    19: "Velvet Drift (Delivered)",  # no 'live' in it
}


def test_remixes_are_found_by_name_and_word(tmp_path):
    with LikesFile(tmp_path / "t.db") as file:
        for track, title in TITLES.items():
            file.title(track, title, artist=5)
            file.write([("UPDATE tracks SET likes_count = ? WHERE id = ?", (100 - track, track))])
        file.write([("INSERT INTO track_search (track_search) VALUES ('rebuild')", ())])
        found = asked(file.path, "remixes-of", "10")
        assert [(row["track_id"], row["version"]) for row in found] == [
            (11, "remix"), (12, "flip"), (13, "sped up"), (18, "vip"),
        ]  # fmt: skip
        assert (found[0]["title"], found[0]["artist"], found[0]["likes_count"]) == (TITLES[11], "user 5", 89)
        file.title(10, "(Untitled)", artist=5)
        assert asked(file.path, "remixes-of", "10") == []


TEXTS = {
    ("tracks", 20): 'Buy: https://shop.example/a?b=1, or (www.site.example/x).\n"http://two.example"\tme@mail.example',
    ("tracks", 21): "https://shop.example/a?b=1 again; https://tube.example/@nova/live mailto:you@mail.example.",
    ("tracks", 22): "https://join.example/?mail=a@b.example http://a@b.example/x http:// www. @ x@y",
    ("tracks", 23): "https://join.example/?m=a%40b.example of somebody else",
    ("playlists", 30): "More on https://lists.example/z!",
    ("users", 5): "Bookings: book@mail.example, HTTPS://Nova.example/",
}
FOUND = [
    ("HTTPS://Nova.example/", "profile"),
    ("https://shop.example/a?b=1", "purchase link"),
    ("https://www.site.example/x", "track"),
    ("http://two.example", "track"),
    ("https://tube.example/@nova/live", "track"),
    ("https://lists.example/z", "playlist"),
]
EMAILS = {
    "mailto:book@mail.example", "mailto:me@mail.example", "mailto:you@mail.example",
    "https://join.example/?mail=a@b.example", "http://a@b.example/x", "https://join.example/?m=a%40b.example",
}  # fmt: skip


def test_links_are_told_with_where_they_stand_and_no_mail_unless_asked(tmp_path):
    with LikesFile(tmp_path / "t.db") as file:
        for track in (20, 21, 22, 23):
            file.title(track, f"t{track}", artist=5)
        page = file.read("SELECT coalesce(max(id), 0) FROM pages")[0][0]
        file._connection.execute("PRAGMA foreign_keys = OFF")
        file.write(
            [
                (
                    "INSERT INTO playlists (id, owner_id, first_page_id, first_seen_at, last_seen_on)"
                    " VALUES (30, 5, ?, '2026-01-01T00:00:00Z', '2026-01-01')",
                    (page,),
                ),
                ("UPDATE tracks SET purchase_url = 'https://shop.example/a?b=1' WHERE id = 21", ()),
                *(
                    (f"UPDATE {table} SET description = ? WHERE id = ?", (text, one))
                    for (table, one), text in TEXTS.items()
                ),
            ]
        )
        found = asked(file.path, "links", "5")
        assert [(row["url"], row["found_in"]) for row in found] == FOUND
        assert {row["of"] for row in found} == {"user 5"}
        all_of_it = asked(file.path, "links", "5", "emails=yes")
        assert {row["url"] for row in all_of_it} == {url for url, _ in FOUND} | EMAILS


WORLD = World(4, users=60, tracks=200, likes_per_user=25, seed_likers=20, seed_reposters=2, versions=0.2)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=15))
    return path, expect(WORLD, max_users=15)


def test_a_taste_is_held_against_everybodys(crawled):
    path, truth = crawled
    seed = next(subject for kind, subject in truth.lists if kind == "track_likers")
    own = [(u, t) for (u, t, deed), r in truth.engagements.items() if deed == "like" and r[0] is not None and t != seed]
    person = max({u for u, _ in own}, key=lambda u: (truth.lists["user_likes", u][1], -u))
    mine, here = Counter(), defaultdict(int)
    for user, track in own:
        facts = truth.tracks[track]
        said = {("tag", fold_tag(name), None) for name in truth.tags.get(track, ())}
        said |= {("genre", facts["genre"].lower(), None)} if facts["genre"] else set()
        if facts["uploader_id"]:
            said.add(("artist", truth.users[facts["uploader_id"]]["username"], facts["uploader_id"]))
        for one in said:
            here[one] += 1
            mine[one] += user == person
    n = sum(user == person for user, _ in own)
    expected = {
        one: (
            k,
            round(k / n, 3),
            round(here[one] / len(own), 3),
            pytest.approx(k / n / (here[one] / len(own)), abs=0.006),
        )
        for one, k in mine.items()
        if k >= 2
    }
    found = asked(path, "taste-of", str(person), "limit=9999")
    assert {
        (r["what"], r["name"], r["artist_id"]): (r["likes"], r["share"], r["share_here"], r["times"]) for r in found
    } == (expected)
    assert [r["times"] for r in found] == sorted((r["times"] for r in found), reverse=True)


def planted(truth):
    """The versions among the tracks of the file whose original is there too, by the ids of both, with their kind."""
    made = {WORLD.id("track", index): WORLD.facts.version(index) for index in range(WORLD.options.tracks)}
    return {
        (WORLD.id("track", version.original), track): version
        for track, version in made.items()
        if version is not None and track in truth.tracks and WORLD.id("track", version.original) in truth.tracks
    }


def test_recordings_that_were_uploaded_twice_are_found(crawled):
    """All that the world has planted, and what happens to be called alike."""
    path, truth = crawled
    again = {tuple(sorted(pair)): made for pair, made in planted(truth).items() if made.kind == "again"}
    assert {made.coded for made in again.values()} == {True, False}
    found = {(row["track_id"], row["other_id"]): row for row in asked(path, "duplicates", "limit=9999")}
    for pair, made in again.items():
        titles = [truth.tracks[one]["title"] for one in pair]
        if made.coded:
            assert found[pair]["why"] == "isrc"
        elif None not in titles and len(titles[0].strip()) >= 4:
            assert (found[pair]["why"], found[pair]["seconds_apart"] <= 1.1) == ("title", True), pair
    for pair in found.keys() - again.keys():
        one, other = (truth.tracks[track] for track in pair)
        assert (one["isrc"] and one["isrc"] == other["isrc"]) or (
            one["title"].strip().lower() == other["title"].strip().lower()
            and abs(one["duration_ms"] - other["duration_ms"]) <= 2000
        ), pair


def test_remixes_of_the_hit_name_it(crawled):
    path, truth = crawled
    ((hit,),) = {(seed,) for kind, seed in truth.lists if kind == "track_likers"}
    versions = {track: made for (original, track), made in planted(truth).items() if original == hit}
    wanted = {track for track, made in versions.items() if made.kind != "again"}
    assert len(wanted) >= 2
    found = {row["track_id"]: row for row in asked(path, "remixes-of", "limit=9999")}
    assert wanted <= found.keys()
    for track in wanted:
        is_remix = versions[track].kind == "remix"
        assert (found[track]["version"] == "remix") == is_remix
        owner = truth.users[truth.tracks[track]["uploader_id"]]["username"] if is_remix else ""
        assert not is_remix or f"({owner} Remix)" in found[track]["title"]


def test_tempo_key_and_label_are_those_of_the_genre(crawled):
    """House is danced to, drum and bass is faster; each genre has its two labels. A set in a range holds to it."""
    path, truth = crawled
    tempi, labels = defaultdict(set), defaultdict(set)
    for track in truth.tracks.values():
        tempi[track["genre"]] |= {track["bpm"]} - {None}
        labels[track["genre"]] |= {track["label_name"]} - {None, ""}
    assert all(118 <= bpm <= 126 for bpm in tempi["House"] | tempi["Deep House"])
    assert all(170 <= bpm <= 176 for bpm in tempi["Drum & Bass"])
    assert tempi["House"] | tempi["Deep House"]
    assert tempi["Drum & Bass"]
    assert {len(names) for genre, names in labels.items() if genre} <= {0, 1, 2}
    assert len(set.union(*labels.values())) > 4
    (seed,) = (subject for kind, subject in truth.lists if kind == "track_likers")
    liked = {t for (_, t, deed), ranks in truth.engagements.items() if deed == "like" and ranks[0] is not None}
    fitting = {
        track
        for track in liked - {seed}
        if (told := truth.tracks[track])["access"] in ("playable", None) and 100 <= (told["bpm"] or 0) <= 140
    }
    artists = {truth.tracks[track]["uploader_id"] or -track for track in fitting}
    found = asked(path, "set-of", "minutes=9999", "slowest=100", "fastest=140")
    assert {row["track_id"] for row in found} <= fitting
    assert (len(found), len(found) > 3) == (len(artists), True)
