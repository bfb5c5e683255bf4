"""What a probe says of recorded replies, which lie outside: of old ones what has changed since, of new ones nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harvest.probing.findings import findings
from harvest.probing.onward import goes_on
from harvest.probing.report import Answer, Endpoint
from harvest.probing.shapes import shape_of

RECORDED = Path(__file__).parents[2].parent / "shared" / "recorded"
API = "https://api.soundcloud.com"

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recordings beside the checkout")

# Before urn (April 2025), the artist's own name and quiet mode (2026).
OF_2022 = [
    "track.reveal_comments is missing; it is described, and we do not read it",
    "track.reveal_stats is missing; we read it",
    "track.urn is missing; we read it",
    "track.user.urn is missing; we read it",
]


def exchange(name: str) -> tuple[str, Any]:
    recorded = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    return recorded["request"]["url"].removeprefix(API), recorded["response"]["body"]


def told(endpoint: str, asked: str, body: Any) -> list[str]:
    on = goes_on(body.get("next_href"), asked=asked, api_base=API)
    answer = Answer(200, fields=shape_of(body), goes_on=on, location="URN")
    return [one.line.removeprefix(f"{endpoint}: ") for one in findings({endpoint: Endpoint({"application": answer})})]


@pytest.mark.parametrize(
    ("endpoint", "name", "lines"),
    [
        ("/tracks/{urn}", "track_13158665_2022", OF_2022),
        ("/users/{urn}/followings", "me_followings_page_2018", [
            "user.created_at is missing; we read it", "user.urn is missing; we read it",
        ]),
        ("/users/{urn}/tracks", "user_tracks_next_href_wrong_host_2024", ["next_href names another host"]),
        ("/me/likes/tracks", "me_likes_tracks_next_href_2024", []),
        ("/tracks?q", "search_empty_page_with_next_href_2026", []),
        ("/resolve", "resolve_track_302_2025", []),
        ("/tracks/{urn}", "doc_track", []),
        ("/users/{urn}", "doc_user", []),
    ],
)  # fmt: skip
def test_a_recorded_reply_differs_in_what_is_newer(endpoint, name, lines):
    assert told(endpoint, *exchange(name)) == lines


def test_of_a_person_inside_of_a_track_of_2025_nothing_is_missed_but_what_was_not_posted():
    """The head of the object alone was posted; its urn came later in it."""
    asked, person = exchange("search_track_embedded_user_2025_partial")
    page = {"collection": [{"user": person}]}
    assert [line for line in told("/tracks?q", asked, page) if line.startswith("track.user.")] == [
        "track.user.urn is missing; we read it"
    ]
