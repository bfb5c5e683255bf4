"""Requests and replies as plain values, and the bodies the service sends when it says no. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from msgspec.json import encode

JSON_TYPE = "application/json; charset=utf-8"
_LINK = "https://developers.soundcloud.com/docs/api/explorer/open-api"
_REASONS = {
    200: "OK",
    202: "Accepted",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class BadParameter(Exception):
    """A parameter that the service refuses; carries the status it answers with."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def whole_number(text: str, name: str) -> int:
    """Read a parameter that is a whole number; raise BadParameter."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadParameter(name)
    return int(text)


def reason(status: int) -> str:
    """Return the words that go with a status."""
    return _REASONS.get(status, "Unknown")


@dataclass(frozen=True, slots=True)
class SimRequest:
    """One request: the path as it was sent, the query decoded, header names in lower case."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    page_factor: int = 1

    @classmethod
    def of(cls, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> SimRequest:
        """Read a request from its target, `/path?query`."""
        path, _, query = target.partition("?")
        return cls(method, path, dict(parse_qsl(query, keep_blank_values=True)), headers or {}, body)


@dataclass(frozen=True, slots=True)
class Wire:
    """How a reply misbehaves on its way.

    `cut` ends the connection after this part of the body (0 to 1), `cut_headers` after so many bytes of the
    head; `reset` makes that end a TCP reset. `trickle` is seconds between single bytes, `delay` seconds before the
    first. `repeat` sends the body so many times. `lengthless` leaves Content-Length out. `gzipped` sends it as gzip.
    """

    cut: float | None = None
    cut_headers: int | None = None
    reset: bool = False
    delay: float = 0.0
    trickle: float = 0.0
    repeat: int = 1
    lengthless: bool = False
    gzipped: bool = False


@dataclass(frozen=True, slots=True)
class SimReply:
    """One reply: status, headers beyond the length, body, and how it misbehaves on the wire."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    wire: Wire | None = None


def json_reply(status: int, body: Any, **headers: str) -> SimReply:
    """Return a reply with a JSON body; underscores in header names stand for hyphens."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimReply(status, {"content-type": JSON_TYPE} | extra, body if isinstance(body, bytes) else encode(body))


def error_object(status: int, message: str = "", *, error_code: str | None = None) -> dict[str, Any]:
    """Return the error object of the API, as recorded in 2021 to 2026."""
    body: dict[str, Any] = {
        "code": status,
        "message": message,
        "link": _LINK,
        "status": f"{status} - {reason(status)}",
        "errors": [{"error_message": message}] if message else [],
        "error": None,
    }
    return body | ({"error_code": error_code} if error_code else {})


def refusal(status: int, message: str = "", *, error_code: str | None = None) -> SimReply:
    """Return an error reply with the error object."""
    return json_reply(status, error_object(status, message, error_code=error_code))


def not_found() -> SimReply:
    """Return the JSON 404 of something that does not exist."""
    return refusal(404, "404 - Not Found")
