"""The service as it may be after an unannounced change: fields with another name or type, gone or new.

They change every thing that a reply is about: the entries of a page, or the one thing it shows; not what stands inside
of these. Refusals, and things that have no such field, pass unharmed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from msgspec import DecodeError
from msgspec.json import decode, encode

from harvest.simulator.faults.base import FaultScene, effect, page_of
from harvest.simulator.service.replies import SimReply

Thing = dict[str, Any]

_UUID = "6f1c9a52-0b7e-4d3a-9c41-2e8d5b7a1f60"


def _on_things(scene: FaultScene, change: Callable[[Thing], object]) -> SimReply:
    """Return the right reply with every thing in it changed."""
    reply = scene.right()
    if reply.status != 200:
        return reply
    try:
        value = decode(reply.body)
    except DecodeError:
        return reply
    for thing in _things(value):
        change(thing)
    return replace(reply, body=encode(value))


def _things(value: Any) -> list[Thing]:
    if isinstance(value, dict):
        value = value.get("collection", [value])
    return [thing for thing in value if isinstance(thing, dict)] if isinstance(value, list) else []


@effect(changes="texts")
def field_renamed(scene: FaultScene) -> SimReply:
    """permalink_url is called page_url."""

    def rename(thing: Thing) -> None:
        if "permalink_url" in thing:
            thing["page_url"] = thing.pop("permalink_url")

    return _on_things(scene, rename)


@effect(changes="texts")
def field_retyped(scene: FaultScene) -> SimReply:
    """created_at is a number."""

    def retype(thing: Thing) -> None:
        if "created_at" in thing:
            thing["created_at"] = 1_790_000_000

    return _on_things(scene, retype)


@effect()
def field_missing(scene: FaultScene) -> SimReply:
    """Things come without their uri."""
    return _on_things(scene, lambda thing: thing.pop("uri", None))


@effect()
def field_added(scene: FaultScene) -> SimReply:
    """Things have an unknown field, mood."""
    return _on_things(scene, lambda thing: thing.update(mood={"valence": 0.5}))


@effect(changes="ends")
def href_new_form(scene: FaultScene) -> SimReply:
    """next_href goes on by after=UUID, which leads to the first page."""
    reply = scene.right()
    page = page_of(reply)
    if page is None or not page.get("next_href"):
        return reply
    parts = urlsplit(page["next_href"])
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("cursor", "offset")]
    page["next_href"] = urlunsplit((*parts[:3], urlencode([*query, ("after", _UUID)]), ""))
    return replace(reply, body=encode(page))


@effect()
def limit_header(scene: FaultScene) -> SimReply:
    """Replies give a limit in a header that no client reads."""
    reply = scene.right()
    return replace(reply, headers={**reply.headers, "x-ratelimit-window-limit": "600;w=60"})
