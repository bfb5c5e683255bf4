"""What people say of themselves is nowhere in the replies of a crawl that does not keep it: not in the bytes of the
file, not in a frame, not in the evidence of what failed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from unittest.mock import Mock

import pytest

from harvest.models import Limits
from harvest.replies.keeper import Keeper
from harvest.replies.recording import Recording
from harvest.simulator import World, serve
from harvest.simulator.world import names
from tests.crawling import crawl_into
from tests.faulty import QUICK, QuickClock
from tests.refreshing import EVERYTHING
from tests.repetitions import slow_but
from tests.replaying import assert_replays

WORLD = World(5, users=60, tracks=150, likes_per_user=10, seed_likers=12, quirks=False)
LIMITS = Limits(max_users=6, max_tracks=2, depth=1, read=EVERYTHING, seed_read=EVERYTHING)
SAID_ELSEWHERE = {"Berlin", "Lagos"}  # in tags and comments
PERSONAL = [
    *(name for name in (*names.CITIES, *names.COUNTRIES) if name not in SAID_ELSEWHERE),
    *("Bookings: see site", " Full", "Pro Unlimited", "recurring"),
]
# Most of these leave evidence behind; the JSON that is broken has whole people in it.
FAULTS = "shape_object[/likes/tracks]=0.3,broken_json[/followings],broken_json[/tracks?]=0.5,items_alien=0.1"


async def kept(path, profiles, faults):
    """Crawl and keep the replies; give what can be read in their file, and in the main one, in any way."""
    seeds = [WORLD.seed_url(), "me", WORLD.user_url(WORLD.id("user", 3))]
    async with serve(WORLD, gzip=False, faults=faults) as server:
        how = {"clock": QuickClock(), "page_size": 7, "keep_replies": True, "access_token": server.token(user=True)}
        await crawl_into(path, server, seeds, LIMITS, profiles=profiles, **how, **QUICK)
    replies = path.with_name("t.replies.db")
    with Recording.open(replies) as recording:
        acts = list(recording.acts())
    whole = replies.read_bytes() + b"".join(repr(act.detail).encode() + (act.body or b"") for act in acts)
    with contextlib.closing(sqlite3.connect(path)) as db:
        failures = [row[0] for row in db.execute("SELECT reply FROM failures WHERE reply IS NOT NULL")]
    return whole, " ".join(failures), [act.what for act in acts]


def said(text):
    return [word for word in PERSONAL if word in text]


@pytest.mark.parametrize("faults", slow_but([FAULTS], ["", FAULTS]))
async def test_what_people_say_of_themselves_is_not_kept(tmp_path, faults):
    whole, failures, acts = await kept(tmp_path / "t.db", "minimal", faults)
    assert len(acts) > 20
    assert ("fail" in acts) == bool(faults)
    assert said(whole.decode(errors="replace")) == said(failures) == []
    assert ('"city":"***"' in failures) == bool(faults)


@pytest.mark.slow
async def test_under_full_profiles_it_is(tmp_path):
    whole, _, _ = await kept(tmp_path / "t.db", "full", "")
    assert said(whole.decode(errors="replace")) == PERSONAL


async def test_a_run_that_keeps_less_cuts_what_earlier_ones_have_kept(tmp_path):
    path = tmp_path / "t.db"
    await kept(path, "full", "")
    whole, _, acts = await kept(path, "minimal", "")
    assert acts.count("begin") == 2
    assert said(whole.decode(errors="replace")) == []
    assert not path.with_name("t.replies.db-wal").exists()
    assert_replays(path)


@pytest.mark.slow
async def test_what_a_killed_run_did_not_cut_the_next_one_cuts(tmp_path, monkeypatch):
    path = tmp_path / "t.db"
    await kept(path, "full", "")
    with monkeypatch.context() as killed:
        killed.setattr(Keeper, "cut_people", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            await kept(path, "minimal", "")
    whole, _, _ = await kept(path, "minimal", "")
    assert said(whole.decode(errors="replace")) == []
    assert_replays(path)
