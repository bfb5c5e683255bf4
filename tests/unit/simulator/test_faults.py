from __future__ import annotations

import json
from collections import Counter

import pytest

from harvest.simulator import Fault, parse_faults
from harvest.simulator.faults import pages
from harvest.simulator.faults.base import EFFECTS
from harvest.simulator.faults.parse import FaultPlan, describe
from harvest.simulator.service.replies import SimRequest

BASE = "https://api.soundcloud.com"
TAIL = "limit=10&linked_partitioning=true&access=playable,preview,blocked"


def plan(caller, schedule, seed: int = 1) -> FaultPlan:
    faults = parse_faults(schedule) if isinstance(schedule, str) else schedule
    return FaultPlan(faults, caller.service.handle, seed=seed)


def ask(caller, plan: FaultPlan, target: str):
    request = SimRequest.of("GET", target, {"authorization": f"OAuth {caller.token}"})
    return plan.answer(request, target, BASE)


def page(caller, plan: FaultPlan, target: str):
    reply = ask(caller, plan, target)
    assert reply.status == 200
    return json.loads(reply.body)


def likes(caller) -> str:
    return f"/users/{caller.world.id('user', 0)}/likes/tracks?{TAIL}"


def follow(body) -> str:
    return body["next_href"].removeprefix(BASE)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("slow", Fault("slow")),
        ("slow=0.25", Fault("slow", rate=0.25)),
        ("slow@7", Fault("slow", at=7)),
        ("slow*3", Fault("slow", times=3)),
        ("slow(0.5)[/favoriters]=0.1*4", Fault("slow", rate=0.1, times=4, path="/favoriters", value=0.5)),
        ("slow[/users/a,b]@2*2", Fault("slow", at=2, times=2, path="/users/a,b")),
    ],
)
def test_a_schedule_is_read(text, fault):
    assert parse_faults(text) == (fault,)


def test_several_faults_are_separated_by_commas():
    assert [fault.name for fault in parse_faults(" slow@1 , ok_empty[/a,b]=0.5,, trickle ")] == [
        "slow",
        "ok_empty",
        "trickle",
    ]
    assert parse_faults("") == ()


@pytest.mark.parametrize("text", ["nonsense", "slow=2", "slow@0", "slow@", "slow@x", "slow[", "=0.1"])
def test_a_schedule_that_cannot_be_read_is_named(text):
    with pytest.raises(ValueError, match="cannot read the fault"):
        parse_faults(text)


def test_every_fault_is_described():
    table = describe()
    assert all(name in table for name in EFFECTS)
    assert all(effect.what for effect in EFFECTS.values())
    assert {effect.changes for effect in EFFECTS.values()} == {"", "ends", "items", "ranks", "texts"}
    assert Fault("href_cut").changes == "ends"


def struck(caller, schedule: str, targets: list[str], seed: int = 1) -> list[int]:
    chosen = plan(caller, schedule, seed)
    for target in targets:
        ask(caller, chosen, target)
    return [number for number, _, _ in chosen.strikes]


def test_a_fault_strikes_when_it_is_told_to(caller):
    tracks = [f"/tracks/{number}" for number in range(10)]
    assert struck(caller, "error_503_text@4", tracks) == [4]
    assert struck(caller, "error_503_text@4*2", tracks) == [4, 5]
    assert struck(caller, "error_503_text*3", tracks) == [1, 2, 3]
    assert struck(caller, "error_503_text", tracks) == list(range(1, 11))
    mixed = [target for track in tracks for target in (track, f"{track}/favoriters")]
    assert struck(caller, "error_503_text[/favoriters]@2", mixed) == [4]
    assert struck(caller, "ok_empty@2,error_503_text@2*2", tracks) == [2, 3]


def test_a_rate_strikes_as_often_as_it_says_and_always_the_same(caller):
    targets = [f"/tracks/{number}" for number in range(2000)]
    first, again = (struck(caller, "error_500_empty=0.2", targets) for _ in range(2))
    assert first == again
    assert 320 < len(first) < 480
    assert first != struck(caller, "error_500_empty=0.2", targets, seed=2)
    assert len(struck(caller, "error_500_empty=0.2*5", targets)) == 5


def test_a_rate_does_not_depend_on_the_order_of_requests(caller):
    targets = [f"/tracks/{number}" for number in range(300)]
    forward, back = plan(caller, "ok_empty=0.3"), plan(caller, "ok_empty=0.3")
    for there, here in zip(targets, reversed(targets), strict=True):
        ask(caller, forward, there)
        ask(caller, back, here)
    assert {target for *_, target in forward.strikes} == {target for *_, target in back.strikes}


def test_the_token_host_is_spared_unless_named(caller):
    chosen = plan(caller, "error_500_empty,token_quota[/oauth/token]*1")
    request = SimRequest.of("POST", "/oauth/token")
    assert [chosen.answer(request, "/oauth/token", BASE).status for _ in range(2)] == [429, 400]
    assert chosen.requests == 0
    assert chosen.fired == Counter({"token_quota": 1})


STATUSES = {
    "throttled_gateway": (429, b"Rate Limit Exceeded"),
    "throttled_object": (429, b'"code":429'),
    "throttled_until": (429, b"reset_time"),
    "throttled_text": (429, b"Please slow down."),
    "token_quota": (429, b"rate_limit_exceeded"),
    "token_quota_until": (429, b"client-credentials-exchange"),
    "waf_challenge": (202, b""),
    "blocked_html": (403, b"Request blocked."),
    "bad_request_html": (400, b"<HTML>"),
    "missing_text": (404, b"404 page not found"),
    "missing_json": (404, b'"code":404'),
    "missing_errors_only": (404, b'{"errors":'),
    "forbidden_json": (403, b'"code":403'),
    "forbidden_gateway": (403, b"disallowed"),
    "forbidden_empty": (403, b""),
    "unauthorized": (401, b'"code":401'),
    "unauthorized_empty": (401, b""),
    "redirect_foreign": (302, b"evil.example"),
    "ok_html": (200, b"<html>"),
    "ok_empty": (200, b""),
} | {
    f"error_{status}_{form}": (status, body)
    for status in (500, 502, 503, 504)
    for form, body in (("html", b"<HTML>"), ("text", b" "), ("empty", b""), ("json", b'"code":'))
}


@pytest.mark.parametrize("name", STATUSES)
def test_a_whole_reply_is_replaced(caller, name):
    status, body = STATUSES[name]
    reply = ask(caller, plan(caller, name), likes(caller))
    assert reply.status == status
    assert body in reply.body
    assert bool(reply.body) == bool(body)


def test_retry_after_comes_when_a_number_is_given(caller):
    for name in ("throttled_gateway", "throttled_object", "throttled_text"):
        assert "retry-after" not in ask(caller, plan(caller, name), likes(caller)).headers
        assert ask(caller, plan(caller, f"{name}(7)"), likes(caller)).headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("href_internal_host", "https://http.api.prod.api-public.srv.db.s-cloud.net/users/"),
        ("href_foreign_host", "https://evil.example/users/"),
        ("href_http", "http://api.soundcloud.com/users/"),
        ("href_other_port", "https://api.soundcloud.com:1/users/"),
    ],
)
def test_next_href_can_point_elsewhere(caller, name, start):
    right = page(caller, plan(caller, ""), likes(caller))["next_href"]
    wrong = page(caller, plan(caller, name), likes(caller))["next_href"]
    assert wrong.startswith(start)
    assert wrong.partition("/users/")[2] == right.partition("/users/")[2]


def test_next_href_can_lose_parameters(caller):
    body = page(caller, plan(caller, "href_loses_access"), likes(caller))
    assert "access" not in body["next_href"]
    assert "linked_partitioning=true" in body["next_href"]
    body = page(caller, plan(caller, "href_loses_partitioning"), likes(caller))
    assert isinstance(page(caller, plan(caller, ""), follow(body)), list)


def test_next_href_can_stand_still(caller):
    assert follow(page(caller, plan(caller, "href_loop_1"), likes(caller))) == likes(caller)


@pytest.mark.parametrize(("name", "length"), [("href_loop_3", 3), ("href_backwards", 2)])
def test_next_href_can_run_in_a_ring(caller, name, length):
    chosen, target, asked = plan(caller, name), likes(caller), []
    for _ in range(7):
        asked.append(target)
        target = follow(page(caller, chosen, target))
    assert len(set(asked)) == length
    assert asked[:length] == asked[length : 2 * length]


def test_empty_pages_can_go_on_for_ever(caller):
    chosen, target = plan(caller, "href_endless@2"), likes(caller)
    bodies = []
    for _ in range(25):
        bodies.append(page(caller, chosen, target))
        target = follow(bodies[-1])
    assert bodies[0]["collection"]
    assert not any(body["collection"] for body in bodies[1:])
    assert len({body["next_href"] for body in bodies}) == 25


def test_a_list_can_be_cut(caller):
    assert page(caller, plan(caller, "href_cut"), likes(caller))["next_href"] is None
    assert isinstance(page(caller, plan(caller, "bare_array"), likes(caller)), list)


def urns(items) -> list[str]:
    return [item["urn"] for item in items if isinstance(item, dict) and "urn" in item]


def test_items_can_be_many_repeated_or_turned_round(caller):
    right = page(caller, plan(caller, ""), likes(caller))
    long = page(caller, plan(caller, "items_too_many"), likes(caller))
    assert len(long["collection"]) == 20
    assert urns(long["collection"])[:10] == urns(right["collection"])
    assert "page_size=10&" in long["next_href"]
    turned = page(caller, plan(caller, "items_reordered"), likes(caller))
    assert urns(turned["collection"]) == urns(right["collection"])[::-1]
    chosen = plan(caller, "items_repeated@2")
    first = page(caller, chosen, likes(caller))
    second = page(caller, chosen, follow(first))
    assert urns(second["collection"])[:3] == urns(first["collection"])[-3:]
    assert len(second["collection"]) == 15


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("items_null", None),
        ("items_alien", 17),
        ("urn_not_numeric", "soundcloud:tracks:a1b2-c3d4"),
        ("id_too_large", f"soundcloud:tracks:{2**63}"),
        ("id_largest", f"soundcloud:tracks:{2**63 - 1}"),
    ],
)
def test_odd_entries_come_on_top_of_the_right_ones(caller, name, odd):
    right = page(caller, plan(caller, ""), likes(caller))["collection"]
    items = page(caller, plan(caller, name), likes(caller))["collection"]
    assert odd in items or odd in urns(items)
    assert [urn for urn in urns(items) if urn in urns(right)] == urns(right)
    assert len(items) > len(right)


@pytest.mark.parametrize("name", ["shape_list", "shape_string", "shape_object", "shape_no_collection"])
def test_a_page_can_have_another_shape(caller, name):
    body = page(caller, plan(caller, name), likes(caller))
    assert not (isinstance(body, dict) and isinstance(body.get("collection"), list))


def test_texts_can_hold_what_text_cannot(caller):
    for name, escape in (("text_nul", rb"\u0000a\u0000"), ("text_surrogate", rb"\ud83d")):
        reply = ask(caller, plan(caller, name), likes(caller))
        assert b'"title":"' + escape in reply.body
        assert json.loads(reply.body)["collection"]


def test_resolve_and_me_can_lie(caller):
    target = f"/resolve?url={caller.world.seed_url()}"
    assert ask(caller, plan(caller, "resolve_foreign"), target).headers["location"].startswith("https://evil.example/")
    caller.token = caller.service.tokens.access_token(user=True)
    me = page(caller, plan(caller, "me_somebody_else"), "/me")
    assert me["urn"].startswith("soundcloud:users:")
    assert me["urn"] != page(caller, plan(caller, ""), "/me")["urn"]


def test_what_is_no_page_passes_unharmed(caller):
    target = f"/tracks/{caller.world.seed_ids(1)[0]}"
    of_pages = [n for n, effect in EFFECTS.items() if effect.apply.__module__ == pages.__name__ and n[:5] != "text_"]
    assert len(of_pages) > 20
    for name in of_pages:
        assert ask(caller, plan(caller, name), target) == ask(caller, plan(caller, ""), target)
