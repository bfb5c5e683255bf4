"""Turn status, headers and body into the body of a success or the right error. Pure.

Rule 1. 200 with JSON is the only success; where a redirect is expected, that one.
Rule 2. The status speaks first, then what kind of text the body is; words in a body only decorate a message.
Rule 3. A block of the whole client (WAF challenge, page of the edge) is never the fault of one list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

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
from harvest.replies.cutting import PERSONAL
from harvest.system.clock import parse_time
from harvest.system.escapes import in_the_clear

EVIDENCE = 2000
_WORDS = 200
_SECRETS = re.compile(r'((?:secret_token|client_id|client_secret|[a-z]{1,20}_token)"?\s*[=:]\s*"?)[^"&\s,}]+', re.ASCII)

# What people say of themselves; evidence needs no more than the names of such fields. A cut body may end in one.
_PERSONAL = re.compile(
    rf'("(?:description|{"|".join(sorted(PERSONAL))})"\s*:\s*)'
    r'(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|\[[^\]]*(?:\]|$)|\{[^}]*(?:\}|$)|[^\s",}\]]+)',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a server, as it came. `headers` are found in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    elapsed_ms: int = 0


def success(reply: Reply, *, now: datetime) -> bytes:
    """Give the body of a 200 that looks like JSON; raise the error that any other reply means."""
    if reply.status != 200 or reply.headers.get("x-amzn-waf-action"):
        raise failure(reply, now=now)
    if not is_json(reply) and not _is_plain_value(reply.body):
        raise _error(ServerTrouble, reply, "answers 200 with a body that is not JSON")
    return reply.body


def redirect(reply: Reply, *, now: datetime) -> str:
    """Give where a redirect points: its header, or `location` in its body (recording of 2018)."""
    if reply.status not in (301, 302, 303, 307, 308) or reply.headers.get("x-amzn-waf-action"):
        success(reply, now=now)
        raise _error(UnexpectedReply, reply, "does not redirect")
    named = reply.headers.get("location") or _mapping(reply.body).get("location")
    if not isinstance(named, str) or not named:
        raise _error(UnexpectedReply, reply, "redirects to nowhere")
    return named


def failure(reply: Reply, *, now: datetime) -> ApiError:
    """Find the error that a reply means which is no success."""
    status = reply.status
    if status == 202 or reply.headers.get("x-amzn-waf-action") or (status == 403 and is_html(reply)):
        return _error(Challenged, reply, "blocks this client for now")
    if status == 429 or (status == 503 and "retry-after" in reply.headers):
        return RateLimited(
            _message(reply, "asks us to slow down"),
            status=status,
            reply=evidence(reply.body),
            wait_seconds=wait_seconds(reply, now=now),
        )
    if status == 404:
        return (
            _error(Gone, reply, "has no such thing") if is_json(reply) else _error(ServerTrouble, reply, "is confused")
        )
    for meaning in _MEANINGS:
        if meaning.applies(status):
            return _error(meaning.error, reply, meaning.words)
    return _error(UnexpectedReply, reply, "gives an answer nobody expects")


@dataclass(frozen=True, slots=True)
class _Meaning:
    applies: Callable[[int], bool]
    error: type[ApiError]
    words: str


# Of the connection, the proxy, the headers, the moment: 407, 421 misdirected, 425 too early, 431 headers too large.
_NO_FAULT_OF_THE_LIST = frozenset({407, 408, 421, 425, 431})

# Read from top to bottom; what needs a look at the body stands in `failure`.
_MEANINGS = (
    _Meaning(lambda status: status == 401, Unauthorized, "does not accept the token"),
    _Meaning(lambda status: status == 403, Forbidden, "does not allow this"),
    _Meaning(lambda status: status in _NO_FAULT_OF_THE_LIST, ServerTrouble, "cannot take this request now"),
    _Meaning(lambda status: status == 451, Forbidden, "may not show this here"),
    _Meaning(lambda status: status == 410, Gone, "has no such thing any more"),
    _Meaning(lambda status: 400 <= status < 500, BadRequest, "does not understand the request"),
    _Meaning(lambda status: status >= 500, ServerTrouble, "has trouble"),
)


def wait_seconds(reply: Reply, *, now: datetime) -> float | None:
    """Read how long we are asked to wait: Retry-After, else the latest `reset_time`; None when nothing usable says so.

    Retry-After was in no header dump so far (soundcloud/api issues 517, 529); `reset_time` stands in `errors[].meta`
    of some bodies (issue 212).
    """
    now = _http_date(reply.headers.get("date", "")) or now  # a moment is told by the clock of the service, not by ours
    asked = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", asked, re.ASCII):
        return float(asked)
    named = _http_date(asked) if asked else None
    moments = [named] if named else _reset_times(reply.body)
    waits = [(moment - now).total_seconds() for moment in moments if moment]
    return max(waits) if waits and max(waits) > 0 else None


def is_json(reply: Reply) -> bool:
    """Say whether the body is JSON by its beginning; cheap, so only the decoder knows whether all of it is."""
    start = reply.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start[:1] in (b"{", b"[") and not is_html(reply)


def _is_plain_value(body: bytes) -> bool:
    """Say whether the body is JSON without being an object or an array: a changed shape, not trouble."""
    try:
        json.loads(body[:100_000])
    except (ValueError, RecursionError):
        return False
    return True


def is_html(reply: Reply) -> bool:
    """Say whether the body is a web page, as the edge sends it."""
    start = reply.body[:64].lstrip()
    if start[:1] in (b"{", b"["):
        return False
    return start[:1] == b"<" or "html" in reply.headers.get("content-type", "").lower()


def evidence(body: bytes) -> str:
    """Keep the beginning of a body as text, without secrets, without what people say of themselves, and without what a
    terminal would obey.
    """
    text = in_the_clear(body[: 4 * EVIDENCE])
    text = _PERSONAL.sub(r'\1"***"', _SECRETS.sub(r"\1***", text))
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text[:EVIDENCE])


def one_line(text: str, longest: int = _WORDS) -> str:
    """Make a short line of any text; control characters are written out."""
    line = " ".join(text.split())
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
    return line if len(line) <= longest else f"{line[:longest]}…"


def _error(kind: type[ApiError], reply: Reply, words: str) -> ApiError:
    return kind(_message(reply, words), status=reply.status, reply=evidence(reply.body))


def _message(reply: Reply, words: str) -> str:
    said = _said(reply)
    return f"SoundCloud {words} ({reply.status}{f': {said}' if said else ''})."


def _said(reply: Reply) -> str:
    """Find a few words of the service itself, in any of the shapes its errors have."""
    if is_html(reply):
        title = re.search(r"<title>(.*?)</title>", evidence(reply.body), re.IGNORECASE | re.DOTALL)
        return one_line(title[1]) if title else ""
    body = _mapping(reply.body)
    words = [body.get("message"), body.get("error"), body.get("error_code"), _first_message(body.get("errors"))]
    spoken = [word for word in words if isinstance(word, str) and word.strip()]
    if spoken:
        return one_line(_SECRETS.sub(r"\1***", spoken[0]))
    return "" if is_json(reply) else one_line(evidence(reply.body))


def _first_message(errors: object) -> object:
    first = errors[0] if isinstance(errors, list) and errors else None
    return first.get("error_message") if isinstance(first, dict) else None


def _mapping(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body) if len(body) <= 100_000 else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _reset_times(body: bytes) -> list[datetime | None]:
    errors = _mapping(body).get("errors")
    metas = [error.get("meta") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    texts = [meta.get("reset_time") for meta in metas if isinstance(meta, dict)]
    times = [parse_time(text) for text in texts if isinstance(text, str)]
    return [_instant(time) for time in times if time]


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None
