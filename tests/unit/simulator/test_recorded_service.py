"""What a recorded service answers, the first time and after that."""

from __future__ import annotations

import base64
import json

import pytest

from harvest.api.cursors import canonical
from harvest.simulator import Exchange, Recorded
from harvest.simulator.recorded.service import RecordedService
from harvest.simulator.service.replies import SimRequest

HERE = "http://127.0.0.1:5"
LIKES = "/users/soundcloud:users:5/likes/tracks?limit=200&linked_partitioning=true"
BODIES = {
    1: b'{"collection":[],"next_href":"https://api.soundcloud.com/users/5/likes/tracks?cursor=9&page_size=200"}',
    2: b'{"collection":[1]}',
    3: b'{"collection":[{"kind":"track","urn":"soundcloud:tracks:1","title":"a"},null,{"kind":"track","id":2}]}',
    4: b'{"kind":"track","urn":"soundcloud:tracks:3"}',
    5: b'[{"kind":"user","urn":"soundcloud:users:4"}]',
    6: b"no JSON",
}


class Asked:
    """A service of some exchanges, and what it was asked for in vain."""

    def __init__(self, *exchanges: Exchange) -> None:
        self.missed: list[str] = []
        recording = Recorded("rec", exchanges, BODIES.__getitem__, canonical=canonical, tell=self.missed.append)
        self.service = RecordedService(recording, HERE)

    def get(self, target, **headers):
        return self.service.handle(SimRequest.of("GET", target, headers))

    def bodies(self, *targets):
        return [json.loads(self.get(target).body) for target in targets]


def test_the_second_time_the_second_reply_comes_and_then_the_last_again():
    twice = Exchange(LIKES, status=403, evidence="{}", times=2)
    asked = Asked(Exchange(LIKES, body=2), twice, Exchange(LIKES, body=4), Exchange(LIKES, body=5))
    replies = [asked.get(LIKES) for _ in range(6)]
    assert [reply.status for reply in replies] == [200, 403, 403, 200, 200, 200]
    assert [reply.body for reply in replies if reply.status == 200] == [BODIES[2], BODIES[4], BODIES[5], BODIES[5]]


def test_any_spelling_and_size_of_a_request_is_the_same_one():
    asked = Asked(Exchange(LIKES, body=2), Exchange(LIKES, body=4))
    first = asked.get("/users/5/likes/tracks?linked_partitioning=1&page_size=25", authorization="OAuth whatever")
    assert first.body == BODIES[2]
    assert asked.get("/users/soundcloud%3Ausers%3A5/likes/tracks?linked_partitioning=true").body == BODIES[4]
    assert asked.get("/users/6/likes/tracks?linked_partitioning=true").status == 404


def test_who_only_looks_whether_a_list_is_answered_uses_nothing_up():
    asked = Asked(Exchange(LIKES, body=2), Exchange(LIKES, body=4))
    look = LIKES.replace("limit=200", "limit=1")
    assert [asked.get(look).body for _ in range(3)] == [BODIES[2]] * 3
    assert asked.get(LIKES).body == BODIES[2]
    assert asked.get(look).body == BODIES[4]


def test_the_next_page_is_here():
    (page,) = Asked(Exchange(LIKES, body=1)).bodies(LIKES)
    assert page["next_href"] == f"{HERE}/users/5/likes/tracks?cursor=9&page_size=200"


def test_a_seed_is_found_where_its_thing_is():
    resolve = "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb"
    reply = Asked(Exchange(resolve, status=302, location="/tracks/soundcloud:tracks:3")).get(resolve)
    assert (reply.status, reply.headers["location"]) == (302, f"{HERE}/tracks/soundcloud:tracks:3")


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [("{}", "application/json; charset=utf-8"), ("<html>", "text/html"), ("trouble", "text/plain")],
)
def test_what_failed_fails_with_what_was_said(evidence, kind):
    reply = Asked(Exchange(LIKES, status=503, evidence=evidence)).get(LIKES)
    assert (reply.status, reply.body.decode(), reply.headers["content-type"]) == (503, evidence, kind)


def test_things_are_found_by_name_whatever_they_were_asked_together_with():
    tracks = tuple(f"soundcloud:tracks:{number}" for number in (1, 2, 9))
    asked = Asked(
        Exchange("/tracks?urns=" + ",".join(tracks), body=3, urns=tracks),
        Exchange("/tracks/soundcloud:tracks:3", body=4, urns=("soundcloud:tracks:3",)),
        Exchange("/users?urns=soundcloud:users:4,soundcloud:users:8", body=5, urns=("soundcloud:users:4",)),
        Exchange("/tracks/soundcloud:tracks:6", body=6, urns=("soundcloud:tracks:6",)),
    )
    batch, single = asked.bodies(
        "/tracks?urns=soundcloud:tracks:3,soundcloud:tracks:2,soundcloud:tracks:9,soundcloud:tracks:6",
        "/users/soundcloud:users:4",
    )
    assert batch == {"collection": [json.loads(BODIES[4]), {"kind": "track", "id": 2}]}
    assert single == {"kind": "user", "urn": "soundcloud:users:4"}
    assert asked.get("/tracks/soundcloud:tracks:9").status == 404  # it was not there
    assert asked.missed == ["/tracks/soundcloud:tracks:9"]
    assert asked.bodies("/tracks?urns=soundcloud:tracks:77") == [{"collection": []}]
    assert asked.missed[1:] == ["/tracks?urns=soundcloud:tracks:77"]


def test_what_was_not_recorded_is_said_and_told_once():
    asked = Asked(Exchange(LIKES, body=2))
    for _ in range(3):
        reply = asked.get("/tracks/soundcloud:tracks:5/favoriters?limit=200")
        assert reply.status == 404
        assert (
            "rec has no reply to /tracks/soundcloud:tracks:5/favoriters?limit=200" in json.loads(reply.body)["message"]
        )
    assert asked.missed == ["/tracks/soundcloud:tracks:5/favoriters?limit=200"]
    assert asked.service.handle(SimRequest.of("POST", LIKES)).status == 404


def test_tokens_are_granted_to_anybody_and_asked_of_nobody():
    asked = Asked(Exchange(LIKES, body=2))
    anybody = {"authorization": f"Basic {base64.b64encode(b'a:b').decode()}"}
    granted = asked.service.handle(SimRequest.of("POST", "/oauth/token", anybody, b"grant_type=client_credentials"))
    assert (granted.status, "access_token" in json.loads(granted.body)) == (200, True)
    assert asked.get("/authorize").status == 404
    assert asked.get(LIKES).status == asked.get(LIKES, authorization="OAuth of somebody else").status == 200
