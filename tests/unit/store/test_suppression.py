"""A page is kept without what was forgotten, and without what that made, in whichever way it is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harvest.models import Comment, Page, Playlist, Station, WebProfile
from harvest.store import suppression
from harvest.store.suppression import Suppressed

from .conftest import a_track, a_user

# Each is named by one part of the page alone.
FORGOTTEN = [
    ("user", 1), ("user", 2), ("user", 3), ("user", 4), ("user", 5), ("user", 6), ("user", 7),
    ("track", 21), ("track", 22), ("track", 23), ("track", 24), ("playlist", 31), ("playlist", 34), ("station", 41),
]  # fmt: skip
_AROUND = "soundcloud:system-playlists:"
WHOLE = Page(
    request="/page",
    items=(),
    received=3,
    users={1: a_user(1), 9: a_user(9)},
    tracks={
        21: a_track(21, uploader_id=9),
        26: a_track(26, uploader_id=2),
        28: a_track(28),
        29: a_track(29, uploader_id=9),
    },
    tags={21: ("a",), 26: ("b",), 29: ("c",)},
    playlists={i: Playlist(i, owner, *[None] * 12) for i, owner in ((31, 9), (36, 3), (38, None), (39, 9))},
    stations={
        i: Station(i, f"{_AROUND}{around}", *[None] * 7)
        for i, around in (
            (41, "track-stations:29"),
            (42, "artist-stations:4"),
            (43, "track-stations:22"),
            (49, "artist-stations:9"),
        )
    },
    comments={i: Comment(i, track, user, *[None] * 3) for i, track, user in ((51, 23, 9), (52, 29, 5), (59, 29, 9))},
    links={i: WebProfile(i, user, None, "https://x.example", None, None, None) for i, user in ((61, 6), (69, 9))},
)


def only(part, *ids):
    return {i: getattr(WHOLE, part)[i] for i in ids}


LEFT = replace(
    WHOLE,
    users=only("users", 9),
    tracks=only("tracks", 28, 29),
    tags={29: ("c",)},
    playlists=only("playlists", 38, 39),
    stations=only("stations", 49),
    comments=only("comments", 59),
    links=only("links", 69),
)


@pytest.fixture
def suppressed(db):
    key = suppression.key_to_forget_with(db.conn)
    numbers = [(suppression.number_of(key, *one),) for one in FORGOTTEN]
    db.conn.executemany("INSERT INTO suppressed (hash) VALUES (?)", numbers)
    return Suppressed(db.conn)


@pytest.mark.parametrize(
    ("item", "items", "left"),
    [
        ("user", (9, 1, 9, 7), (9, 9)),  # 7 stands among the items alone
        ("track", (21, 26, 29, 24, 28), (29, 28)),
        ("playlist", (31, 34, 36, 38, 39), (38, 39)),
        ("station", (41, 42, 43, 49), (49,)),
        ("comment", (51, 52, 59), (59,)),
        ("link", (61, 69), (69,)),
    ],
)
def test_what_was_forgotten_is_left_out_with_all_that_it_made(suppressed, item, items, left):
    sifted = suppressed.sift(item, replace(WHOLE, items=items))
    assert sifted == (replace(LEFT, items=left), len(items) - len(left))


def test_a_page_without_any_of_it_is_kept_as_it_is(suppressed):
    page = replace(LEFT, items=(29,))
    assert suppressed.sift("track", page) == (page, 0)


def test_nothing_is_left_out_of_a_file_in_which_nothing_was_forgotten(db):
    page = replace(WHOLE, items=(21,))
    assert Suppressed(db.conn).sift("track", page) == (page, 0)
