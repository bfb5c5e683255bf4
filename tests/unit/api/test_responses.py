"""What each kind of answer means."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.api.responses import Reply, evidence, redirect, success
from harvest.errors import (
    ApiError,
    BadRequest,
    Challenged,
    Forbidden,
    Gone,
    RateLimited,
    ServerTrouble,
    Unauthorized,
    UnexpectedReply,
)

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
JSON = {"content-type": "application/json; charset=utf-8"}
HTML = {"content-type": "text/html"}
TEXT = {"content-type": "text/plain"}
ERROR = b'{"code": 404, "message": "", "status": "404 - Not Found", "errors": [], "error": null}'


def reply(status, body=b"", headers=JSON):
    return Reply(status, httpx.Headers(headers), body)


def error_of(*args):
    with pytest.raises(ApiError) as raised:
        success(reply(*args), now=NOW)
    return raised.value


@pytest.mark.parametrize("body", [b"{}", b"[]", b'  {"a": 1}', b"\xef\xbb\xbf[]", b'"a string"', b"7"])
def test_json_with_200_is_a_success(body):
    assert success(reply(200, body), now=NOW) == body


@pytest.mark.parametrize(
    ("status", "body", "headers", "meaning"),
    [
        (200, b"", JSON, ServerTrouble),
        (200, b"<html>busy</html>", HTML, ServerTrouble),
        (200, b"OK", TEXT, ServerTrouble),
        (201, b"{}", JSON, UnexpectedReply),
        (202, b"", HTML, Challenged),
        (202, b"{}", JSON, Challenged),
        (200, b"{}", {**JSON, "x-amzn-waf-action": "challenge"}, Challenged),
        (405, b"", {**HTML, "x-amzn-waf-action": "captcha"}, Challenged),
        (204, b"", JSON, UnexpectedReply),
        (302, b"{}", JSON, UnexpectedReply),
        (304, b"", JSON, UnexpectedReply),
        (400, ERROR, JSON, BadRequest),
        (400, b"<html>", HTML, BadRequest),
        (401, ERROR, JSON, Unauthorized),
        (401, b"", TEXT, Unauthorized),
        (403, ERROR, JSON, Forbidden),
        (403, b'{"error":"Access to this API has been disallowed"}', JSON, Forbidden),
        (403, b"", TEXT, Forbidden),
        (403, b"<!DOCTYPE HTML><TITLE>ERROR: The request could not be satisfied</TITLE>", HTML, Challenged),
        (404, ERROR, JSON, Gone),
        (404, b'{"errors":[]}', TEXT, Gone),
        (404, b"404 page not found", TEXT, ServerTrouble),
        (404, b"<html>", HTML, ServerTrouble),
        (404, b"", TEXT, ServerTrouble),
        (405, ERROR, JSON, BadRequest),
        *((status, b"", TEXT, ServerTrouble) for status in (407, 408, 421, 425, 431)),
        (451, ERROR, JSON, Forbidden),
        (410, b"", TEXT, Gone),
        (418, b"", TEXT, BadRequest),
        (422, ERROR, JSON, BadRequest),
        (429, b"", TEXT, RateLimited),
        (500, ERROR, JSON, ServerTrouble),
        (500, b"", TEXT, ServerTrouble),
        (502, b"<html>", HTML, ServerTrouble),
        (503, b"upstream connect error or disconnect/reset before headers", TEXT, ServerTrouble),
        (503, b"", {**TEXT, "retry-after": "9"}, RateLimited),
        (504, b"upstream request timeout", TEXT, ServerTrouble),
        (599, b"", TEXT, ServerTrouble),
    ],
)
def test_each_status_has_its_meaning(status, body, headers, meaning):
    error = error_of(status, body, headers)
    assert type(error) is meaning
    assert error.status == status


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (b'{"error":"Rate Limit Exceeded"}', JSON, None),
        (b"Please slow down.", TEXT, None),
        (b"", {**TEXT, "retry-after": "7"}, 7.0),
        (b"", {**TEXT, "Retry-After": " 1.5 "}, 1.5),
        (b"", {**TEXT, "retry-after": "0"}, 0.0),
        (b"", {**TEXT, "retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        (b"", {**TEXT, "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, None),
        (b"", {**TEXT, "retry-after": "soon"}, None),
        (b"", {**TEXT, "retry-after": "-5"}, None),
        (b"", {**TEXT, "retry-after": "9", "date": "Mon, 01 Jan 2026 00:00:00 +99999999999999999999"}, 9.0),
        (b'{"errors":[{"meta":{"reset_time":"0001-01-01T00:00:00+14:00"}}]}', JSON, None),
        (b'{"errors":[{"meta":{"reset_time":"2026/11/21 12:10:00 +0000"}}]}', {**JSON, "retry-after": "soon"}, 600.0),
        (b"", {**TEXT, "x-ratelimit-reset": "0", "x-ratelimit-limit": "-1"}, None),
        (b'{"errors":[{"meta":{"remaining_requests":0,"reset_time":"2026/11/21 12:10:00 +0000"}}]}', JSON, 600.0),
        (b'{"errors":[{"meta":{"reset_time":"2026/11/21 14:01:00 +0200"}}]}', JSON, 60.0),
        (b'{"errors":[{"meta":{"reset_time":"2022/05/26 16:31:52 +0000"}}]}', JSON, None),
        (b'{"errors":[{"meta":{"reset_time":17}}, 5]}', JSON, None),
        (b'{"errors":{"meta":1}}', JSON, None),
        (b'{"errors":[{"meta":{"reset_time":"2026/99/21 12:10:00 +0000"}}]}', JSON, None),
        (b'{"errors":[{"meta":{"reset_time":"2026/11/21 12:10:00 +0000"}}]}', {**JSON, "retry-after": "3"}, 3.0),
    ],
)
def test_how_long_a_429_asks_us_to_wait(body, headers, seconds):
    error = error_of(429, body, headers)
    assert isinstance(error, RateLimited)
    assert error.wait_seconds == seconds


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        (b'{"message": "detail", "error": null}', JSON, "SoundCloud has trouble (500: detail)."),
        (b'{"message": "", "errors": [{"error_message": "inner"}]}', JSON, "SoundCloud has trouble (500: inner)."),
        (b'{"error": "a\\u001b[31m\\nb"}', JSON, "SoundCloud has trouble (500: a\\x1b[31m b)."),
        (b"<html><title>Bad\nGateway</title>", HTML, "SoundCloud has trouble (500: Bad Gateway)."),
        (b"", TEXT, "SoundCloud has trouble (500)."),
        (b'{"message": 5}', JSON, "SoundCloud has trouble (500)."),
        (b"upstream request timeout", TEXT, "SoundCloud has trouble (500: upstream request timeout)."),
    ],
)
def test_an_error_is_one_clear_line(body, headers, message):
    assert str(error_of(500, body, headers)) == message


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (r'{"city":"Pla\"nted","id":5}', '{"city":"***","id":5}'),
        ('{"full_name" : "Planted", "country":null}', '{"full_name" : "***", "country":"***"}'),
        ('{"subscriptions":[{"product":"Planted"}],"kind":"user"}', '{"subscriptions":"***","kind":"user"}'),
        ('{"quota":{"a":"Planted"},"online":true}', '{"quota":"***","online":"***"}'),
        ('{"username":"stays","description":"cut short: Plant', '{"username":"stays","description":"***"'),
        ('{"last_name":"Planted\\', '{"last_name":"***"'),
        (r'{"\u0063ity":"Pl\u0061nted"}', '{"city":"***"}'),
    ],
)
def test_evidence_holds_nothing_that_people_say_of_themselves(body, kept):
    for encoding in ("utf-8", "utf-16", "utf-32"):
        assert evidence(body.encode(encoding)) == kept


def test_evidence_is_bounded_and_carries_no_secret():
    body = json.dumps(
        {"location": "https://x/?secret_token=s-abc&client_id=zzz", "access_token": "tok", "pad": "y" * 9000}
    )
    error = error_of(400, body.encode())
    assert len(error.reply) == 2000
    assert not any(secret in error.reply for secret in ("s-abc", "zzz", 'tok"'))


@pytest.mark.timeout(60)  # a pattern that begins anywhere and ends nowhere takes the square of their number
def test_a_message_of_nothing_but_letters_is_cut_quickly():
    said = str(error_of(500, json.dumps({"message": "a" * 90_000}).encode(), JSON))
    assert said.endswith("aaa…).")
    assert len(said) < 400


def test_a_redirect_is_read_from_the_header_or_the_body():
    named = redirect(reply(302, b"{}", {**JSON, "location": "https://a/tracks/1"}), now=NOW)
    assert named == "https://a/tracks/1"
    assert redirect(reply(302, b'{"location": "https://a/tracks/2"}'), now=NOW) == "https://a/tracks/2"


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (reply(302, b"{}"), UnexpectedReply),
        (reply(302, b"gone"), UnexpectedReply),
        (reply(302, b'{"location": 5}'), UnexpectedReply),
        (reply(200, b"{}"), UnexpectedReply),
        (reply(404, ERROR), Gone),
        (reply(404, b"404 page not found", TEXT), ServerTrouble),
        (reply(202, b"", HTML), Challenged),
        (reply(401, ERROR), Unauthorized),
    ],
)
def test_what_is_no_redirect_is_an_error(answer, meaning):
    with pytest.raises(meaning):
        redirect(answer, now=NOW)


@given(st.integers(100, 599), st.binary(max_size=300), st.sampled_from([JSON, HTML, TEXT, {}]))
def test_any_answer_is_a_success_or_one_error_in_one_line(status, body, headers):
    error = None
    try:
        success(reply(status, body, headers), now=NOW)
    except ApiError as raised:
        error = raised
    if error:
        assert str(error).isprintable()
        assert len(error.reply) <= 2000
