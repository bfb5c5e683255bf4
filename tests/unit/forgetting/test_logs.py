"""Events of our logs that name what is forgotten say nothing any more, and all others stay byte for byte."""

from __future__ import annotations

import json

import pytest

from harvest.errors import StorageFailed
from harvest.forgetting.logs import naming, silence
from harvest.forgetting.proof import pattern_of

NAMING = [
    {"list": "user_likes", "subject": 7, "page": 0, "event": "page.committed"},
    {"list": "track_likers", "subject": 8, "event": "page.committed"},
    {"request": "/users/soundcloud:users:7/likes/tracks?limit=200", "event": "request"},
    {"request": "/users?urns=soundcloud%3Ausers%3A1%2Csoundcloud%3Ausers%3A7", "event": "request"},
]
NAMING_IN_WORDS = [
    {"thing": "user", "who": "https://soundcloud.com/somebody", "lists": "likes 4", "event": "visit.read"},
    {"error": "no such person: Ñandú", "event": "list.failed"},
]
OTHERS = [
    {"list": "user_likes", "subject": 77, "event": "page.committed"},
    {"list": "track_likers", "subject": 7, "event": "page.committed"},
    {"list": "resolve", "subject": 7, "event": "page.committed"},
    {"thing": "user", "who": "https://soundcloud.com/another", "event": "visit.read"},
    {"event": "é" * 3, "subject": "7"},
]
TEXTS = ["https://soundcloud.com/somebody", "Ñandú", "soundcloud:users:7", "soundcloud:tracks:8"]
GONE = frozenset({("user", 7), ("track", 8)})


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.jsonl"
    events = [one for three in zip(NAMING + NAMING_IN_WORDS, [*OTHERS, OTHERS[0]], strict=True) for one in three]
    lines = [json.dumps(one) for one in events]
    path.write_text("\n".join([*lines, "no JSON at all", "[]", '{"subject']))
    return path


def test_events_that_name_it_say_nothing_and_others_stay(log):
    before = log.read_bytes().split(b"\n")
    assert silence(log, GONE.__contains__, pattern_of(TEXTS)) == len(NAMING + NAMING_IN_WORDS)
    after = log.read_bytes().split(b"\n")
    naming_lines = {json.dumps(one).encode() for one in NAMING + NAMING_IN_WORDS}
    wanted = [b'{"event": "forgotten"}'.ljust(len(line)) if line in naming_lines else line for line in before]
    assert after == wanted
    assert silence(log, GONE.__contains__, pattern_of(TEXTS)) == 0


def test_events_are_found_by_their_ids_alone(log):
    size = len(log.read_bytes())
    places = [int(line.rpartition(" ")[2]) for line in naming(log, GONE.__contains__)]
    events = [json.loads(log.read_bytes()[place:size].split(b"\n")[0]) for place in places]
    assert events == NAMING


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StorageFailed, match=r"nowhere\.jsonl is a log that may name what is to be forgotten"):
        silence(tmp_path / "nowhere.jsonl", GONE.__contains__, pattern_of(TEXTS))


def test_in_a_file_that_is_no_log_nothing_is_written_over(tmp_path):
    """A file from somebody else may call any file its log."""
    other = tmp_path / "profile"
    other.write_text("export WHO=Ñandú\ncurl https://soundcloud.com/somebody\n")
    before = other.read_bytes()
    assert silence(other, GONE.__contains__, pattern_of(TEXTS)) == 0
    assert other.read_bytes() == before
