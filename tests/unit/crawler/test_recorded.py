"""What was kept of a crawl, as what was asked and answered."""

from __future__ import annotations

import contextlib

from harvest.crawler.recorded import _Reader
from harvest.replies.keeper import Keeper
from harvest.replies.recording import Recording
from harvest.simulator import Exchange

AT = "2026-11-29T12:00:00Z"
TRACK = b'{"kind":"track","urn":"soundcloud:tracks:9"}'
STATION = b'{"kind":"system-playlist","urn":"soundcloud:system-playlists:track-stations:9","tracks":[]}'
BATCH = b'{"collection":[{"kind":"user","urn":"soundcloud:users:5"}]}'
LIKES = "/users/soundcloud:users:5/likes/tracks?limit=200&linked_partitioning=true&access=playable,preview,blocked"
ON = "/users/soundcloud:users:5/likes/tracks?cursor=7&limit=200"
LIST = {"kind": "user_likes", "subject": 5, "reading": 0}


def page(body, request, kind="user_likes", subject=5, **more):
    detail = {"kind": kind, "subject": subject, "number": 0, "request": request, "fetched_at": AT, **more}
    return "page", detail, body


def failed(failure="server", status=503, reply="trouble", **more):
    return (
        "fail",
        {**LIST, "now": AT, "failure": failure, "message": "m", "status": status, "reply": reply, **more},
        None,
    )


def exchanges(tmp_path, *acts):
    path = tmp_path / "t.replies.db"
    how = {"harvest": "1", "main_schema": 7, "pages_before": 0, "service": "https://api.soundcloud.com"}
    with contextlib.closing(Keeper.open(path, pair="p", key=b"k", full_profiles=False, **how)) as keeper:
        for what, detail, body in acts:
            keeper.note(what, detail, body)
    with Recording.open(path) as recording:
        reader = _Reader(recording)
        found = list(reader.exchanges())
        bodies = {act.body_id: act.body for act in recording.acts()}
    return [(exchange, bodies.get(exchange.body)) for exchange in found], list(reader.seeds)


def test_pages_are_what_was_asked_and_what_came(tmp_path):
    begun = {
        "now": AT, "version": "1", "schema": 7, "runs_before": 0, "api_url": "x", "credential_kind": "k",
        "harvests": [[["https://soundcloud.com/a/b", "me"], "{}"], [["me"], "{}"]], "options": {}, "page_size": 200,
    }  # fmt: skip
    resolve = "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb"
    lookup = "/users?limit=200&linked_partitioning=true&urns=soundcloud:users:5,soundcloud:users:6"
    found, seeds = exchanges(
        tmp_path,
        ("begin", begun, None),
        page(TRACK, resolve, "resolve", 1, thing="track"),
        page(STATION, "/system-playlists/track-stations:9", "resolve", 2, thing="station"),
        page(b'{"kind":"user","urn":"soundcloud:users:5"}', "/me", "resolve", 3, thing="user"),
        page(b"[]", LIKES, next_cursor=ON),
        page(BATCH, lookup, "lookup", 1, about="soundcloud:users:5,soundcloud:users:6"),
        ("round", {"now": AT}, None),
        ("something newer", {}, None),
        page(None, LIKES),
    )
    assert seeds == ["https://soundcloud.com/a/b", "me"]
    station = "soundcloud:system-playlists:track-stations:9"
    assert found == [
        (Exchange(resolve, status=302, location="/tracks/soundcloud:tracks:9"), None),
        (Exchange("/tracks/soundcloud:tracks:9", body=1, urns=("soundcloud:tracks:9",)), TRACK),
        (Exchange(f"/system-playlists/{station}", body=2, urns=(station,)), STATION),
        (Exchange("/me", body=3, urns=("soundcloud:users:5",)), b'{"kind":"user","urn":"soundcloud:users:5"}'),
        (Exchange(LIKES, body=4), b"[]"),
        (Exchange(lookup, body=5, urns=("soundcloud:users:5", "soundcloud:users:6")), BATCH),
    ]


def test_what_failed_is_what_would_have_come_next(tmp_path):
    found, _ = exchanges(
        tmp_path,
        failed(attempts=3),
        page(b"[]", LIKES, next_cursor=ON),
        failed(status=0, reply=""),
        page(b"[]", ON),
        failed("unexpected_reply", 200, '{"collection": [{"a'),
        failed("unexpected_reply", 200, '{"a": 1}'),
        ("withdraw", {"now": AT, "kind": "user_likes", "subjects": [5], "message": "m", "status": 405}, None),
        failed(kind="resolve", subject=1, about="soundcloud:tracks:9", status=404, reply="{}"),
        failed(kind="resolve", subject=1, about="https://soundcloud.com/a/b/s-x", status=404, reply="{}"),
        failed(kind="lookup", subject=1, about="soundcloud:users:6", status=404, reply="{}"),
    )
    assert [exchange for exchange, _ in found] == [
        Exchange(LIKES, status=503, evidence="trouble", times=3),
        Exchange(LIKES, body=1),
        Exchange(ON, status=504),
        Exchange(ON, body=1),
        Exchange(LIKES, status=200, evidence='{"reply":"{\\"collection\\": [{\\"a"}'),
        Exchange(LIKES, status=200, evidence='{"a": 1}'),
        Exchange(LIKES, status=405),
        Exchange("/tracks/soundcloud:tracks:9", status=404, evidence="{}"),
        Exchange("/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb%2Fs-x", status=404, evidence="{}"),
        Exchange("/users/soundcloud:users:6", status=404, evidence="{}"),
    ]
