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
    file = LikesFile(tmp_path / "t.db")
    for track, title in TITLES.items():
        file.title(track, title, artist=5)
        file._write([("UPDATE tracks SET likes_count = ? WHERE id = ?", (100 - track, track))])
    file._write([("INSERT INTO track_search (track_search) VALUES ('rebuild')", ())])
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
    file = LikesFile(tmp_path / "t.db")
    for track in (20, 21, 22, 23):
        file.title(track, f"t{track}", artist=5)
    page = file.read("SELECT coalesce(max(id), 0) FROM pages")[0][0]
    file._write([("PRAGMA foreign_keys = OFF", ())])
    file._connection.execute("PRAGMA foreign_keys = OFF")
    file._write(
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


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "t.db"
    world = World(4, users=60, tracks=200, likes_per_user=25, seed_likers=20, seed_reposters=2)
    crawl_world(path, world, limits=Limits(max_users=15))
    return path, expect(world, max_users=15)


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
