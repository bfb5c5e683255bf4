"""Replies are kept on after something was taken out of their file: nothing of it gets in, and the file comes back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from harvest.crawler.sieve import Sieve
from harvest.errors import StoreError, UnexpectedReply
from harvest.forgetting import forget as forgetting
from harvest.forgetting.comply import empty_what_is_gone
from harvest.forgetting.forget import finish, forget_for_good
from harvest.forgetting.purge import purge
from harvest.models import Limits
from harvest.simulator import World
from harvest.store.database import open_to_read
from harvest.store.refreshes import Refresh
from harvest.store.snapshot import take_snapshot
from harvest.store.sweeps import Sweep
from tests.crawling import contents, crawl_world, read
from tests.forgetting import bytes_beside, contradictions, goes_with
from tests.repetitions import slow_but
from tests.replaying import assert_replays
from tests.unit.forgetting.test_kept import busiest, in_the_clear, texts_of_all, traces
from tests.unit.forgetting.test_purge import Later

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WORLD = World(3, users=12, tracks=16, seed_likers=6, seed_reposters=2, gone=0.1, forbidden=0.1)
LIMITS = Limits(
    max_users=4,
    max_tracks=2,
    read=("likers", "reposters", "comments", "likes", "uploads", "playlists", "playlist-tracks"),
)
AGAIN = {"limits": LIMITS, "keep_replies": True, "refresh": Refresh(full=True)}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    path = tmp_path_factory.mktemp("crawled") / "t.db"
    crawl_world(path, WORLD, limits=LIMITS, keep_replies=True, sweep=Sweep(), profiles="full")
    return path


@pytest.fixture
def path(crawled, tmp_path):
    shutil.copy(crawled.with_name("t.replies.db"), tmp_path / "t.replies.db")
    return shutil.copy(crawled, tmp_path / "t.db")


def replies_of(path):
    return path.with_name("t.replies.db")


def acts_of(path, what):
    return [row[0] for row in read(replies_of(path), "SELECT number FROM acts WHERE what = ? ORDER BY 1", what)]


def killed_in(work):
    """Do work in a process of its own that kills itself in the midst of it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def die(*_args, **_options):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("thing", slow_but(["user"], ["user", "track", "playlist"]))
def test_a_crawl_that_still_shows_it_keeps_replies_without_it(path, thing):
    one = busiest(path, thing)
    gone = goes_with(contents(path), thing, one)
    texts = texts_of_all(path, gone)
    forget_for_good(path, [(thing, one)], now=NOW)
    before = acts_of(path, "page")
    crawl_world(path, WORLD, **AGAIN, sweep=Sweep(), profiles="full")
    assert len(acts_of(path, "page")) > len(before) > 0
    ((left_out,),) = read(path, "SELECT sum(suppressed) FROM pages")
    told = "SELECT sum(detail ->> 'left_out') FROM acts WHERE what = 'page'"
    assert read(replies_of(path), told) == [(left_out,)] != [(None,)]
    of_others = {text for text in texts if "/" not in text and text.encode() in bytes_beside(path)}
    assert traces(path, texts - of_others, gone) == []
    assert re.findall(rb"(?<![0-9])%d(?![0-9])" % one, in_the_clear(path)) == []
    assert_replays(path)


def test_the_same_tables_stand_in_the_file_as_without_replies(path, tmp_path):
    """What is cut from a body is what is left out of a page."""
    (tmp_path / "other").mkdir()
    other = shutil.copy(path, tmp_path / "other" / "t.db")
    shutil.copy(replies_of(path), tmp_path / "other" / "t.replies.db")
    one = busiest(path, "user")
    for file in (path, other):
        forget_for_good(file, [("user", one)], now=NOW)
    crawl_world(path, WORLD, **AGAIN, profiles="full")
    crawl_world(other, WORLD, **{**AGAIN, "keep_replies": False}, profiles="full")
    of_others = [
        {
            part: {key: row for key, row in rows.items() if part not in ("lists", "visits") or key[-1] > 0}
            for part, rows in contents(file).items()
        }
        for file in (path, other)
    ]  # the numbers that stand for the forgotten are drawn in each by itself
    assert of_others[0] == of_others[1]
    counts = "SELECT task_id, reading, number, received, skipped, suppressed, kept FROM pages ORDER BY 1, 2, 3"
    assert read(path, counts) == read(other, counts)


@pytest.mark.parametrize("stays", slow_but([None], [b"[]", None]))
def test_of_a_reply_that_cannot_be_read_and_may_show_it_nothing_is_evidence(path, stays):
    one = busiest(path, "user")
    forget_for_good(path, [("user", one)], now=NOW)
    with open_to_read(path) as connection:
        sieve = Sieve(connection, full_profiles=False)
    entry = b'{"kind":"user","id":%d,"username":"somebody"}' % one
    error = UnexpectedReply("The reply is no list.", status=200, reply=entry.decode())
    error.body = None if stays is None else b'{"strange":[%s,{"kind":"user","id":1}]}' % entry
    sieve.cut_error(error)
    assert error.reply == ""
    other = UnexpectedReply("The reply is no list.", status=200, reply='{"kind":"user","id":1}')
    other.body = stays
    sieve.cut_error(other)
    assert (other.body, other.reply) == (stays, '{"kind":"user","id":1}')


@pytest.mark.slow
def test_an_address_that_leads_to_it_does_not_stay_in_the_replies(tmp_path):
    """It is typed, and kept as what a run began with, before anybody knows where it leads."""
    path, seed = tmp_path / "t.db", WORLD.seed_url()
    few = {"limits": Limits(max_users=2), "keep_replies": True}
    other = WORLD.seed_urls(2)[1]
    crawl_world(path, WORLD, [other], **few)
    forget_for_good(path, [("track", WORLD.seed_ids()[0])], now=NOW)
    crawl_world(path, WORLD, [seed], **few)
    assert seed.removeprefix("https://").encode() not in in_the_clear(path) + path.read_bytes()
    assert acts_of(path, "forget") == []
    crawl_world(path, WORLD, [other], **AGAIN | few)
    assert_replays(path)


@pytest.mark.parametrize("step", slow_but(["fold"], ["take_out", "fold"]))
def test_killed_between_the_two_files_the_next_crawl_goes_on_and_ends_it(path, monkeypatch, step):
    one = busiest(path, "user")
    gone = goes_with(contents(path), "user", one)
    texts = texts_of_all(path, gone)

    def forget():
        monkeypatch.setattr(forgetting.kept, step, die)
        forget_for_good(path, [("user", one)], now=NOW)

    killed_in(forget)
    crawl_world(path, WORLD, **AGAIN, profiles="full")
    assert finish(path, now=NOW).erased
    of_others = {text for text in texts if "/" not in text and text.encode() in bytes_beside(path)}
    assert traces(path, texts - of_others, gone) == []
    assert_replays(path)


def test_an_older_copy_of_the_file_keeps_nothing_in_replies_that_were_cut(path, tmp_path):
    one = busiest(path, "user")
    older = path.read_bytes()
    forget_for_good(path, [("user", one)], now=NOW)
    path.write_bytes(older)
    acts = read(replies_of(path), "SELECT * FROM acts")
    with pytest.raises(StoreError, match="the file is an older copy"):
        crawl_world(path, WORLD, **AGAIN)
    assert read(replies_of(path), "SELECT * FROM acts") == acts


def test_a_snapshot_has_the_file_that_stands_among_the_acts(path, tmp_path):
    forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    copy = tmp_path / "copy" / "t.db"
    copy.parent.mkdir()
    assert not take_snapshot(path, copy, now=NOW).lost
    crawl_world(copy, WORLD, **AGAIN, profiles="full")
    assert_replays(copy)


@pytest.mark.parametrize("how", ["purge", pytest.param("purge all", marks=pytest.mark.slow), "comply"])
def test_replies_are_kept_on_after_a_purge_and_after_what_is_gone_was_emptied(path, how):
    if how == "comply":
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE users SET status = 'gone', gone_at = ? WHERE id = ?", (str(NOW), busiest(path, "user")))
            db.commit()
        assert empty_what_is_gone(path, now=NOW).replies is not None
    else:
        assert purge(path, None if how == "purge all" else 0, now=datetime.now(UTC) + timedelta(days=1)).replies
    before = acts_of(path, "page")
    crawl_world(path, WORLD, **AGAIN, profiles="full")
    assert acts_of(path, "page") > before
    assert empty_what_is_gone(path, now=NOW).replies is None or how != "comply"
    assert_replays(path)


def test_a_crawl_that_retains_cuts_its_replies_in_the_end(path):
    replies = replies_of(path)
    first = acts_of(path, "page")
    times = sorted(row[0] for row in read(path, "SELECT fetched_at FROM pages"))
    crawl_world(path, WORLD, **AGAIN, profiles="full", clock=Later(40), retain=timedelta(days=30).total_seconds())
    ((oldest,),) = read(replies, "SELECT min(detail ->> 'fetched_at') FROM acts WHERE what = 'page'")
    assert oldest > times[-1]
    assert set(acts_of(path, "page")).isdisjoint(first)
    assert_replays(path)


def test_what_a_lesser_profile_empties_goes_from_the_file_among_the_acts_too(path):
    forget_for_good(path, [("track", busiest(path, "track"))], now=NOW)
    said = [row[0] for row in read(path, "SELECT description FROM users WHERE length(description) > 20")]
    assert said
    crawl_world(path, WORLD, **AGAIN, profiles="minimal")
    assert [text for text in said if text.encode() in in_the_clear(path)] == []
    assert contradictions(path) == {}
    assert_replays(path)


def test_where_something_was_forgotten_replies_that_cannot_be_read_are_not_kept(path):
    forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    crawl_world(path, WORLD, **AGAIN, profiles="full", server_options={"faults": "shape_list[/favoriters]"})
    acts = read(replies_of(path), "SELECT detail ->> 'failure', body_id FROM acts WHERE what = 'fail'")
    assert ("unexpected_reply", None) in acts
    assert {body for _, body in acts} == {None}
