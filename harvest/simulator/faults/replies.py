"""Faults that replace a whole reply or spoil its way over the wire.

| faults                                  | evidence                                              |
|-----------------------------------------|-------------------------------------------------------|
| throttled_*, token_quota*               | soundcloud/api issues 529, 517, 212, 148              |
| waf_challenge, blocked_html             | issues 542, 481                                       |
| missing_*, forbidden_*, unauthorized*   | issues 121, 346, 320, 361, 117                        |
| error_500_* to error_504_*              | issues 308, 354, 170                                  |
| app_refused                             | issues 573, 577                                       |
| status_*                                | 405 of endpoints seen in 2026; the others are any HTTP |
| reset_*, truncated_*, slow, trickle ... | any network                                           |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from harvest.simulator.faults.base import FaultScene, effect
from harvest.simulator.service.replies import SimReply, Wire, error_object, json_reply, not_found, refusal

_EDGE = {"server": "CloudFront", "x-cache": "Error from cloudfront", "content-type": "text/html"}
_HTML = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">\n'
    '<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=iso-8859-1">\n'
    "<TITLE>ERROR: The request could not be satisfied</TITLE>\n</HEAD><BODY>\n<H1>{status} ERROR</H1>\n"
    '<H2>The request could not be satisfied.</H2>\n<HR noshade size="1px">\n{why}\n</BODY></HTML>\n'
)
_TEXTS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    504: "upstream request timeout",
}


def _text(status: int, text: str, **headers: str) -> SimReply:
    return SimReply(status, {"content-type": "text/plain"} | headers, text.encode())


def _html(status: int, why: str) -> SimReply:
    return SimReply(status, dict(_EDGE), _HTML.format(status=status, why=why).encode())


def _hurried(scene: FaultScene, reply: SimReply) -> SimReply:
    """Add Retry-After when the fault carries a number."""
    if scene.value is None:
        return reply
    return replace(reply, headers=reply.headers | {"retry-after": f"{scene.value:g}"})


@effect()
def throttled_gateway(scene: FaultScene) -> SimReply:
    """429 of the gateway, 38 bytes; with a number also Retry-After."""
    headers = {"server": "envoy", "x-generator": "tyk.io", "content-type": "application/json"}
    return _hurried(scene, SimReply(429, headers, b'{"error": "Rate Limit Exceeded"}\n\n\n\n\n\n'))


@effect()
def throttled_object(scene: FaultScene) -> SimReply:
    """429 with the error object; with a number also Retry-After."""
    return _hurried(scene, refusal(429, "Too many requests"))


@effect()
def throttled_until(scene: FaultScene) -> SimReply:
    """429 that names when it ends: reset_time, so many seconds ahead (2)."""
    return json_reply(429, _quota("by-client", "api", scene.number(2)))


@effect()
def throttled_text(scene: FaultScene) -> SimReply:
    """429 as text, Please slow down.; with a number also Retry-After."""
    return _hurried(scene, _text(429, "Please slow down."))


def _quota(bucket: str, name: str, seconds: float) -> dict[str, object]:
    reset = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y/%m/%d %H:%M:%S +0000")
    limit = {"bucket": bucket, "max_nr_of_requests": 30, "time_window": "PT1H", "name": name}
    return {"errors": [{"meta": {"rate_limit": limit, "remaining_requests": 0, "reset_time": reset}}]}


@effect()
def token_quota(scene: FaultScene) -> SimReply:
    """429 of the token host: rate_limit_exceeded (name the path: token_quota[/oauth/token])."""
    return json_reply(429, {"error": "rate_limit_exceeded"})


@effect()
def token_quota_until(scene: FaultScene) -> SimReply:
    """429 of the token host with a reset_time, so many seconds ahead (2)."""
    return json_reply(429, _quota("by-ip", "client-credentials-exchange", scene.number(2)))


@effect()
def waf_challenge(scene: FaultScene) -> SimReply:
    """202, empty: the bot challenge of the firewall."""
    return SimReply(202, dict(_EDGE) | {"x-amzn-waf-action": "challenge", "cache-control": "no-store, max-age=0"})


@effect()
def blocked_html(scene: FaultScene) -> SimReply:
    """403 HTML of the edge: Request blocked."""
    return _html(403, "Request blocked.\nWe can't connect to the server for this app or website at this time.")


@effect(changes="ends")
def bad_request_html(scene: FaultScene) -> SimReply:
    """400 HTML of the edge."""
    return _html(400, "Bad request.")


@effect()
def missing_text(scene: FaultScene) -> SimReply:
    """404 as plain text: an outage, the thing exists."""
    return _text(404, "404 page not found")


@effect(changes="ends")
def missing_json(scene: FaultScene) -> SimReply:
    """404 with the error object: gone."""
    return not_found()


@effect(changes="ends")
def missing_errors_only(scene: FaultScene) -> SimReply:
    """404 with nothing but errors: gone."""
    return json_reply(404, {"errors": [{"error_message": "404 - Not Found"}]})


@effect(changes="ends")
def forbidden_json(scene: FaultScene) -> SimReply:
    """403 with the error object."""
    return refusal(403)


@effect(changes="ends")
def forbidden_gateway(scene: FaultScene) -> SimReply:
    """403 of the gateway: Access to this API has been disallowed."""
    return json_reply(403, {"error": "Access to this API has been disallowed"})


@effect(changes="ends")
def forbidden_empty(scene: FaultScene) -> SimReply:
    """403, empty."""
    return SimReply(403)


@effect(changes="ends")
def app_refused(scene: FaultScene) -> SimReply:
    """403 with the error object: the app would need a subscription."""
    return refusal(403, "An active Pro Unlimited subscription is required for this action")


def _refusing(status: int) -> Callable[[FaultScene], SimReply]:
    return lambda scene: refusal(status)


for _number, _changes in ((400, "ends"), (405, "ends"), (410, "ends"), (451, "ends"), (421, ""), (425, ""), (431, "")):
    effect(f"{_number} with the error object", name=f"status_{_number}", changes=_changes)(_refusing(_number))


@effect()
def unavailable(scene: FaultScene) -> SimReply:
    """503 with Retry-After, so many seconds (1)."""
    return replace(
        _text(503, _TEXTS[503]), headers={"content-type": "text/plain", "retry-after": f"{scene.number(1):g}"}
    )


@effect()
def unauthorized(scene: FaultScene) -> SimReply:
    """401 with the error object, whatever the token."""
    return refusal(401)


@effect()
def unauthorized_empty(scene: FaultScene) -> SimReply:
    """401, empty."""
    return SimReply(401)


def _error(status: int, form: str) -> Callable[[FaultScene], SimReply]:
    def apply(scene: FaultScene) -> SimReply:
        if form == "html":
            return _html(status, "We can't connect to the server for this app or website at this time.")
        if form == "text":
            return _text(status, _TEXTS[status])
        return json_reply(status, error_object(status)) if form == "json" else SimReply(status)

    return apply


for _status in (500, 502, 503, 504):
    for _form in ("html", "text", "empty", "json"):
        effect(f"{_status}, body: {_form}", name=f"error_{_status}_{_form}")(_error(_status, _form))


@effect()
def error_500_escapes(scene: FaultScene) -> SimReply:
    """500, with a text that would steer a terminal."""
    return _text(500, "\x1b[2J\x1b]0;owned\x07 \u202etrouble\x9b31m\r\nERROR all is lost\u2028")


@effect()
def close_before_headers(scene: FaultScene) -> SimReply:
    """The connection closes before anything is sent."""
    return replace(scene.right(), wire=Wire(cut_headers=0))


@effect()
def reset_before_headers(scene: FaultScene) -> SimReply:
    """The connection is reset before anything is sent."""
    return replace(scene.right(), wire=Wire(cut_headers=0, reset=True))


@effect()
def reset_in_headers(scene: FaultScene) -> SimReply:
    """The connection is reset in the middle of the headers."""
    return replace(scene.right(), wire=Wire(cut_headers=20, reset=True))


@effect()
def reset_in_body(scene: FaultScene) -> SimReply:
    """The connection is reset in the middle of the body."""
    return replace(scene.right(), wire=Wire(cut=0.5, reset=True))


@effect()
def truncated_with_length(scene: FaultScene) -> SimReply:
    """The body is shorter than its Content-Length."""
    return replace(scene.right(), wire=Wire(cut=0.7))


@effect()
def truncated_without_length(scene: FaultScene) -> SimReply:
    """The body breaks off, without a Content-Length that would tell."""
    return replace(scene.right(), wire=Wire(cut=0.7, lengthless=True))


@effect()
def broken_json(scene: FaultScene) -> SimReply:
    """200 with half a JSON text."""
    reply = scene.right()
    return replace(reply, body=reply.body[: len(reply.body) // 2])


@effect()
def broken_json_gzip(scene: FaultScene) -> SimReply:
    """200, gzip of half a JSON text."""
    reply = scene.right()
    return replace(reply, body=reply.body[: len(reply.body) // 2], wire=Wire(gzipped=True))


@effect()
def broken_gzip(scene: FaultScene) -> SimReply:
    """200, said to be gzip, but it is not."""
    return SimReply(200, scene.right().headers | {"content-encoding": "gzip"}, b"\x1f\x8b\x08\x00 this is no gzip")


@effect()
def ok_html(scene: FaultScene) -> SimReply:
    """200 HTML with a kind word."""
    return SimReply(200, {"content-type": "text/html"}, b"<html><body>We will be right back.</body></html>")


@effect()
def ok_empty(scene: FaultScene) -> SimReply:
    """200, empty."""
    return SimReply(200, {"content-type": "application/json; charset=utf-8"})


@effect(changes="ends")
def huge_body(scene: FaultScene) -> SimReply:
    """200 and a body of so many megabytes (200)."""
    megabytes = max(1, int(scene.number(200)))
    return SimReply(200, {"content-type": "application/json; charset=utf-8"}, b" " * 2**20, Wire(repeat=megabytes))


@effect()
def trickle(scene: FaultScene) -> SimReply:
    """The body comes byte by byte, so many seconds apart (1)."""
    return replace(scene.right(), wire=Wire(trickle=scene.number(1)))


@effect()
def slow(scene: FaultScene) -> SimReply:
    """The reply starts only after so many seconds (5)."""
    return replace(scene.right(), wire=Wire(delay=scene.number(5)))


@effect(changes="ends")
def redirect_foreign(scene: FaultScene) -> SimReply:
    """302 to a foreign host, instead of the reply; with a number to that port of this machine."""
    location = scene.foreign + scene.target
    return json_reply(302, {"status": "302 - Found", "location": location}, location=location)
