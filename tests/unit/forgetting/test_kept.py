"""What is forgotten is in no kept reply, in no byte of their file, and the file made again of them is the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest

from harvest.crawler.recorded import recorded
from harvest.crawler.replay import replay
from harvest.errors import KeyMissing, StoreError
from harvest.forgetting import forget as forgetting
from harvest.forgetting import kept
from harvest.forgetting import purge as purging
from harvest.forgetting.checks import FORGOTTEN_CHECKS
from harvest.forgetting.comply import empty_what_is_gone
from harvest.forgetting.forget import finish, forget_for_good
from harvest.forgetting.purge import purge
from harvest.lists import KINDS
from harvest.models import Limits
from harvest.replies.keeper import Keeper
from harvest.replies.recording import Recording
from harvest.simulator import World
from harvest.store import tables
from harvest.store.database import open_to_read
from harvest.store.refreshes import Refresh
from harvest.store.sweeps import Sweep
from harvest.things import THINGS
from harvest.verify.checks import verify
from tests.crawling import contents, crawl_world, read
from tests.forgetting import contradictions, goes_with, texts_of
from tests.refreshing import LIMITS
from tests.repetitions import slow_but
from tests.replaying import everything, seal

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WORLD = World(3, users=20, tracks=30, seed_likers=8, seed_reposters=3, gone=0.1, forbidden=0.2)
_BUSIEST = {
    "user": "SELECT user_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
    "track": "SELECT track_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1 OFFSET 1",
    "playlist": "SELECT playlist_id FROM playlist_tracks GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
    "refused": """
        SELECT t.subject_id FROM failures AS f JOIN tasks AS t ON t.id = f.task_id
        JOIN list_kinds AS k ON k.kind = t.kind AND k.subject = 'user' LIMIT 1
    """,
}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    path = tmp_path_factory.mktemp("crawled") / "t.db"
    crawl_world(path, WORLD, limits=LIMITS, keep_replies=True, sweep=Sweep())
    return path


@pytest.fixture
def path(crawled, tmp_path):
    shutil.copy(crawled.with_name("t.replies.db"), tmp_path / "t.replies.db")
    return shutil.copy(crawled, tmp_path / "t.db")


def busiest(path, thing):
    ((one,),) = read(path, _BUSIEST[thing])
    return one


def in_the_clear(path):
    """Every byte of the replies, and everything they say: acts, bodies, the file among them."""
    said = [one.read_bytes() for one in sorted(path.parent.glob("t.replies.db*"))]
    with Recording.open(path.with_name("t.replies.db")) as recording:
        for act in recording.acts():
            said += [unquote(json.dumps(act.detail)).encode(), act.body or b""]
    return b"\n".join(said)


def traces(path, texts, gone):
    """Give the names and addresses, the URNs, and the objects with the numbers of what is gone, found in replies."""
    said = in_the_clear(path)
    found = [text for text in texts if re.search(re.escape(text.encode()) + rb"(?![0-9])", said)]
    urns = {f"soundcloud:{thing}s:{number}".encode() for thing, number in gone}
    found += sorted(urns & set(re.findall(rb"soundcloud:[a-z]+:[0-9]+", said)))
    with Recording.open(path.with_name("t.replies.db")) as recording:
        for act in recording.acts():
            if "subject" in act.detail:
                subject = (KINDS[act.detail["kind"]].subject, act.detail["subject"])
                found += [subject] if subject in gone else []
            if act.body is not None and act.what == "page":
                found += [one for one in _named(json.loads(act.body)) if one in gone]
    return found


def _named(value):
    if isinstance(value, list):
        return [one for entry in value for one in _named(entry)]
    if isinstance(value, dict):
        return [(value.get("kind"), value.get("id"))] + [one for entry in value.values() for one in _named(entry)]
    return []


def texts_of_all(path, gone):
    """Give what names everything that goes."""
    things = [(thing, one) for thing, one in gone if thing != "station"]
    return {text for one in things for text in texts_of(path, *one)}


@pytest.mark.first_case
@pytest.mark.parametrize("which", slow_but([*_BUSIEST][::3], _BUSIEST))
def test_nothing_of_it_is_in_the_replies_and_the_file_comes_back_as_it_is(path, tmp_path, which):
    thing, one = which if which in THINGS else "user", busiest(path, which)
    gone = goes_with(contents(path), thing, one)
    texts, replies = texts_of_all(path, gone), path.with_name("t.replies.db")
    assert len(traces(path, texts, gone)) > len(texts)
    ((acts,),) = read(replies, "SELECT count(*) FROM acts")
    done = forget_for_good(path, [(thing, one)], now=NOW)
    assert (done.erased, done.clean, done.replies) == (True, True, replies)
    of_others = {text for text in texts if "/" not in text and text.encode() in path.read_bytes()}  # has the same name
    assert traces(path, texts - of_others, gone) == []
    numbers = [row[0] for row in read(replies, "SELECT number FROM acts ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > acts
    replay(replies, tmp_path / "again.db")
    assert everything(tmp_path / "again.db") == everything(path)
    assert contradictions(tmp_path / "again.db") == {}


def test_the_key_is_needed_to_make_the_file_again(path, tmp_path, monkeypatch):
    forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(KeyMissing, match="harvest forget --import-key FILE"):
        replay(path.with_name("t.replies.db"), tmp_path / "again.db")
    assert not (tmp_path / "again.db").exists()


@pytest.mark.slow
def test_what_is_left_is_served(tmp_path):
    """The crawl is told again without it: what others said comes, and lists of the forgotten are not there. Whoever was
    looked up together with it is still found.
    """
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=4), keep_replies=True, sweep=Sweep())
    ((one,),) = read(
        path,
        "SELECT i.thing_id FROM batch_items AS i JOIN batches AS b ON b.id = i.batch_id AND b.thing = 'user'"
        " WHERE (SELECT count(*) FROM batch_items AS o WHERE o.batch_id = b.id) > 1 LIMIT 1",
    )
    urns = {f"soundcloud:{thing}s:{number}" for thing, number in goes_with(contents(path), "user", one)}
    with Recording.open(path.with_name("t.replies.db")) as recording:
        before, seeds = recorded(recording, tell=lambda request: None)
    forget_for_good(path, [("user", one)], now=NOW)
    with Recording.open(path.with_name("t.replies.db")) as recording:
        after, seeds_after = recorded(recording, tell=lambda request: None)
        assert seeds_after == seeds != []
        lost = before.replies.keys() - after.replies.keys()
        assert len(after.replies) > len(lost) > 0
        assert before.things.keys() - after.things.keys() == urns & before.things.keys() != set()
        told = [one for exchanges in after.replies.values() for one in exchanges if one.body is not None]
        assert {type(json.loads(recording.body(one.body))) for one in told} <= {dict, list}
        assert len(told) > 5


def test_killed_between_the_two_files_it_says_so_and_finish_ends_it(path, tmp_path):
    one = busiest(path, "user")
    gone = goes_with(contents(path), "user", one)
    texts, replies = texts_of_all(path, gone), path.with_name("t.replies.db")
    acts = "SELECT number, what, detail FROM acts ORDER BY number"
    before = read(replies, acts)
    child = os.fork()
    if child == 0:
        forgetting.kept.take_out = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        forget_for_good(path, [("user", one)], now=NOW)
        os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert read(replies, acts) == [*before, (len(before) + 1, "forget", "{}")]
    with open_to_read(path) as connection:
        found = [one.check.name for one in verify(connection, more=FORGOTTEN_CHECKS) if one.contradictions]
        assert found == ["forgotten.bytes", "forgotten.replies"]
    with pytest.raises(StoreError, match="harvest forget --finish"):
        replay(replies, tmp_path / "again.db")
    assert finish(path, now=NOW).erased
    assert traces(path, texts, gone) == []
    replay(replies, tmp_path / "again.db")
    assert everything(tmp_path / "again.db") == everything(path)
    assert finish(path, now=NOW).erased  # again, without an effect
    assert traces(path, texts, gone) == []


def test_killed_before_the_file_has_it_nothing_was_forgotten(path, tmp_path):
    before, replies = everything(path), path.with_name("t.replies.db")
    acts = read(replies, "SELECT number, what, detail FROM acts ORDER BY number")
    child = os.fork()
    if child == 0:
        begin = forgetting.kept.begin
        forgetting.kept.begin = lambda *args: (begin(*args), os.kill(os.getpid(), signal.SIGKILL))
        forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
        os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    with pytest.raises(StoreError, match="harvest forget --finish"):
        replay(replies, tmp_path / "again.db")
    finish(path, now=NOW)
    assert read(replies, "SELECT number, what, detail FROM acts ORDER BY number") == acts
    replay(replies, tmp_path / "again.db")
    assert everything(tmp_path / "again.db") == everything(path) == before


@pytest.mark.slow
def test_forgetting_again_reaches_replies_that_are_not_kept_any_more(path, tmp_path):
    replies = path.with_name("t.replies.db")
    first = busiest(path, "user")
    forget_for_good(path, [("user", first)], now=NOW)
    second = busiest(path, "user")
    gone = goes_with(contents(path), "user", second)
    texts = texts_of_all(path, gone)
    assert traces(path, texts, gone) != []
    done = forget_for_good(path, [("user", second)], now=NOW)
    assert (done.clean, done.replies) == (True, replies)
    assert traces(path, texts, gone) == []
    replay(replies, tmp_path / "again.db")
    assert everything(tmp_path / "again.db") == everything(path)


def test_no_name_hides_in_another_spelling(tmp_path):
    replies = tmp_path / "t.replies.db"
    facts = {"pair": "p", "key": b"k", "harvest": "0", "main_schema": 8, "pages_before": 0, "service": ""}
    track = rb'{"kind":"track","sharing":"public","title":"by Pl\u0061nted N\u0061me"}'
    page = rb'{"collection":[%s],"next_href":null}' % track
    other = page.replace(b'"title"', rb'"permalink_url":"https:\/\/soundcloud.com\/pl\u0061nted-name","title"')
    with closing(Keeper.open(replies, full_profiles=False, **facts)) as keeper:
        for body in (page, other):
            keeper.note("page", {}, body)
        keeper.note("fail", {"reply": track.decode()})
    sought = {"Planted Name", "soundcloud.com/planted-name"}
    found, named = kept.found_in(replies, sought, ())
    assert found == {"Planted Name": 1, "soundcloud.com/planted-name": 1}
    assert named == 1
    assert kept.found_in(replies, {"Nobody Else"}, ()) == ({}, 0)


def test_replies_that_are_not_there_are_missed_before_anything_is_forgotten(path):
    before = everything(path)
    path.with_name("t.replies.db").unlink()
    with pytest.raises(StoreError, match="Put it back"):
        forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    assert everything(path) == before


def test_a_crawl_goes_on_without_replies(path):
    one = busiest(path, "user")
    gone = goes_with(contents(path), "user", one)
    texts, replies = texts_of_all(path, gone), path.with_name("t.replies.db")
    forget_for_good(path, [("user", one)], now=NOW)
    before = replies.read_bytes()
    crawl_world(path, WORLD, limits=LIMITS, refresh=Refresh(full=True))
    assert replies.read_bytes() == before
    assert traces(path, texts, gone) == []
    assert contradictions(path) == {}


HARMS = [
    "DELETE FROM acts WHERE number = (SELECT max(number) FROM acts)",
    "UPDATE acts SET detail = json_set(detail, '$.pieces', 3) WHERE what = 'state'",
    "UPDATE acts SET detail = '{}' WHERE what = 'state'",
    "UPDATE acts SET body_id = (SELECT min(id) FROM bodies) WHERE what = 'state'",
    "UPDATE acts SET body_id = NULL WHERE what = 'state'",
]


@pytest.mark.parametrize("harm", slow_but(HARMS[2:4], HARMS))
def test_a_file_among_the_replies_that_is_none_of_ours_is_refused(path, tmp_path, harm):
    forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    replies = path.with_name("t.replies.db")
    with closing(sqlite3.connect(replies)) as db:
        db.execute(harm)
        db.commit()
    seal(replies)
    with pytest.raises(StoreError):
        replay(replies, tmp_path / "again.db")
    assert not (tmp_path / "again.db").exists()


@pytest.mark.parametrize(
    "strange",
    [
        "CREATE TRIGGER track_search_more AFTER INSERT ON users BEGIN DELETE FROM users; END",
        "CREATE TABLE more (x)",
        "DROP VIEW",
    ],
)
def test_a_strangers_tables_are_refused(path, tmp_path, monkeypatch, strange):
    if strange.startswith("DROP"):
        ((view,),) = read(path, "SELECT name FROM sqlite_schema WHERE type = 'view' LIMIT 1")
        strange = f"DROP VIEW {view}"
    with closing(sqlite3.connect(path)) as db:
        db.execute(strange)
    monkeypatch.setattr(tables, "drop_others", lambda connection: None)
    forget_for_good(path, [("track", busiest(path, "track"))], now=NOW)
    with pytest.raises(StoreError, match="are not ours"):
        replay(path.with_name("t.replies.db"), tmp_path / "again.db")
    assert not (tmp_path / "again.db").exists()


def test_what_somebody_has_added_to_the_file_is_not_in_the_replies(path, tmp_path):
    with closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE mine (x); CREATE INDEX mine_by_x ON mine (x); CREATE VIEW more AS SELECT 1")
        db.executescript("CREATE TRIGGER again AFTER INSERT ON mine BEGIN SELECT 1; END; INSERT INTO mine VALUES (1)")
    forget_for_good(path, [("track", busiest(path, "track"))], now=NOW)
    replay(path.with_name("t.replies.db"), tmp_path / "again.db")
    mine = everything(path)
    assert mine.pop("mine") == [(1,)]
    assert everything(tmp_path / "again.db") == mine


def test_replies_have_no_part_in_what_a_purge_has_left(path):
    with closing(sqlite3.connect(path)) as db:  # as a purge leaves it that was killed before the replies began
        db.execute("INSERT INTO forgettings (at, version, things, rows) VALUES ('2026-11-29T12:00:00Z', 1, 1, 1)")
        db.commit()
    acts = read(path.with_name("t.replies.db"), "SELECT * FROM acts")
    assert finish(path, now=NOW).erased
    assert read(path.with_name("t.replies.db"), "SELECT * FROM acts") == acts


@pytest.mark.parametrize("all_of_it", slow_but([False], [True, False]))
def test_what_is_purged_goes_from_the_replies_by_its_age(path, tmp_path, all_of_it):
    replies = path.with_name("t.replies.db")
    gone = {("user", row[0]) for row in read(path, "SELECT id FROM users WHERE username IS NOT NULL")}
    texts = {text for text in texts_of_all(path, gone) if "/" in text}  # names alone stand in the dictionary of frames
    assert len(traces(path, texts, gone)) > 20
    times = sorted(row[0] for row in read(path, "SELECT fetched_at FROM pages"))
    now = datetime.fromisoformat(times[-1]) + timedelta(days=10)
    done = purge(path, None if all_of_it else timedelta(days=5).total_seconds(), now=now)
    assert (done.erased, done.replies) == (True, replies)
    assert {row[0] for row in read(replies, "SELECT what FROM acts")} == {"begin", "gone", "state"}
    assert traces(path, texts if all_of_it else (), gone if all_of_it else set()) == []
    replay(replies, tmp_path / "again.db")
    assert everything(tmp_path / "again.db") == everything(path)
    assert not purge(path, timedelta(days=5).total_seconds(), now=now).rows


def test_younger_replies_outlast_a_purge(path):
    replies = path.with_name("t.replies.db")
    with closing(sqlite3.connect(replies)) as db:
        db.execute(
            "UPDATE acts SET detail = json_set(detail, '$.fetched_at', '2020-01-01T00:00:00Z')"
            " WHERE what = 'page' AND number % 2"
        )
        ((young,),) = db.execute("SELECT count(*) FROM acts WHERE what = 'page' AND number % 2 = 0").fetchall()
        db.commit()
    seal(replies)
    before = everything(path)
    done = purge(path, 86400.0, now=datetime.fromisoformat(read(path, "SELECT max(fetched_at) FROM pages")[0][0]))
    assert (done.things, done.replies) == (0, replies)
    assert read(replies, "SELECT count(*) FROM acts WHERE what = 'page'") == [(young,)]
    assert everything(path) == before


@pytest.mark.parametrize("after", slow_but(["forgetting"], ["nothing", "forgetting"]))
def test_killed_between_the_two_files_a_purge_is_ended_by_finish(path, tmp_path, after):
    replies = path.with_name("t.replies.db")
    if after == "forgetting":
        forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    child = os.fork()
    if child == 0:
        purging.kept.take_out_before = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        purge(path, None, now=NOW)
        os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    with pytest.raises(StoreError, match="harvest forget --finish"):
        replay(replies, tmp_path / "again.db")
    for command in (lambda: purge(path, None, now=NOW), lambda: empty_what_is_gone(path, now=NOW)):
        with pytest.raises(StoreError, match="harvest forget --finish"):
            command()
    assert finish(path, now=NOW).erased
    assert {row[0] for row in read(replies, "SELECT what FROM acts")} == {"begin", "gone", "state"}
    replay(replies, tmp_path / "again.db")
    assert everything(tmp_path / "again.db") == everything(path)


def test_what_the_service_no_longer_shows_goes_from_the_replies(path, tmp_path):
    replies, one = path.with_name("t.replies.db"), busiest(path, "user")
    texts = texts_of_all(path, {("user", one)})
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE users SET status = 'gone', gone_at = ? WHERE id = ?", ("2026-11-29T12:00:00Z", one))
        db.commit()
    done = empty_what_is_gone(path, now=NOW)
    assert (done.erased, done.replies, done.things["users"]) == (True, replies, read_gone(path))
    assert [text for text in texts if "/" in text and text in traces(path, texts, set())] == []
    replay(replies, tmp_path / "again.db")
    assert everything(tmp_path / "again.db") == everything(path)
    assert empty_what_is_gone(path, now=NOW).replies is None


def read_gone(path):
    return read(path, "SELECT count(*) FROM users WHERE status = 'gone'")[0][0]
