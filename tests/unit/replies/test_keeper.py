"""What is kept comes back, in order and once; what was taken back is gone."""

from __future__ import annotations

import contextlib
import sqlite3
from random import Random

import pytest
import zstandard

from harvest.errors import StoreError
from harvest.replies import cutting, files, frames
from harvest.replies.keeper import Keeper, drop_later
from harvest.replies.recording import Act, Facts, Recording

FACTS = {
    "pair": "9f2c",
    "key": b"k" * 16,
    "harvest": "0.1.0",
    "main_schema": 6,
    "pages_before": 3,
    "service": "https://api.soundcloud.com",
}
BODY = b'{"collection":[{"kind":"track","urn":"soundcloud:tracks:1","title":"x"}]}'
OTHER = b'{"collection":[]}'


def keeper(path, **facts):
    return Keeper.open(path, **{"full_profiles": False, **FACTS, **facts})


def bare(acts):
    """Acts without the names of their bodies."""
    return [(act.number, act.what, act.detail, act.body) for act in acts]


def count(path, table):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.replies.db"


def test_acts_come_back_as_they_were_noted(path):
    with contextlib.closing(keeper(path)) as kept:
        assert kept.last == 0
        assert kept.note("begin", {"at": "2026-11-29T12:00:00Z", "n": None}) == 1
        assert kept.note("page", {"task": 7, "text": 'é"\n'}, BODY, 5) == 2
        assert kept.note("fail", {}, OTHER, -(2**63)) == kept.last == 3
    with Recording.open(path) as recording:
        assert recording.facts == Facts(full_profiles=False, **FACTS)
        assert bare(recording.acts()) == [
            (1, "begin", {"at": "2026-11-29T12:00:00Z", "n": None}, None),
            (2, "page", {"task": 7, "text": 'é"\n'}, BODY),
            (3, "fail", {}, OTHER),
        ]
        unread = list(recording.acts(with_bodies=False))
        assert [act.body for act in unread] == [None, None, None]
        assert [recording.body(act.body_id) for act in unread if act.body_id is not None] == [BODY, OTHER]


def test_a_body_that_cannot_be_read_keeps_the_shape_of_what_is_cut(path):
    body = b'{"items":[{"full_name":"Planted"}]}'
    with contextlib.closing(keeper(path)) as kept:
        kept.note("page", {}, body)
        for _ in range(2):
            kept.note("fail", {}, body, is_read=False)
    with Recording.open(path) as recording:
        shape = b'{"items":[{"full_name":""}]}'
        assert [act.body for act in recording.acts()] == [b"{}", shape, shape]
    assert count(path, "bodies") == 2


def test_a_keeper_goes_on_where_another_stopped(path):
    killed = keeper(path)  # not closed before another has begun, as of a process that was killed
    killed.note("begin", {})
    with contextlib.closing(keeper(path, harvest="0.2.0", pages_before=99, main_schema=7)) as kept:
        assert kept.last == 1
        assert kept.note("end", {}) == 2
    with Recording.open(path) as recording:
        assert [act.what for act in recording.acts()] == ["begin", "end"]
        assert recording.facts == Facts(full_profiles=False, **FACTS)
    killed.close()


def test_an_act_is_in_the_file_when_its_number_is_known(path):
    kept = keeper(path)
    assert kept._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # also when the power is cut
    kept.note("page", {"n": 1}, BODY)
    with Recording.open(path) as recording:  # beside the writer
        assert bare(recording.acts()) == [(1, "page", {"n": 1}, BODY)]
    kept.note("page", {"n": 2})
    with Recording.open(path) as recording:
        assert len(list(recording.acts())) == 2
    kept.close()


def test_a_body_is_stored_once_under_its_hash(path):
    with contextlib.closing(keeper(path)) as kept:
        for _ in range(3):
            kept.note("page", {}, BODY, 5)
        kept.note("page", {}, OTHER, 6)
        kept.note("page", {}, OTHER)
        kept.note("page", {}, OTHER)
    assert count(path, "bodies") == 3  # 5, 6 and the hash that was made here
    with Recording.open(path) as recording:
        assert [act.body for act in recording.acts()] == [BODY] * 3 + [OTHER] * 3


def test_what_is_taken_back_takes_its_bodies_along_unless_they_are_used(path):
    with contextlib.closing(keeper(path)) as kept:
        kept.note("page", {"n": 1}, BODY, 5)
        kept.note("page", {"n": 2}, BODY, 5)
        kept.note("page", {"n": 3}, OTHER, 6)
        kept.drop_after(1)
        assert kept.last == 1
        assert count(path, "bodies") == 1
        assert kept.note("page", {"n": 4}, OTHER, 6) == 2
        kept.drop_after(7)  # there is nothing as late
        assert kept.last == 2
    with Recording.open(path) as recording:
        assert bare(recording.acts()) == [(1, "page", {"n": 1}, BODY), (2, "page", {"n": 4}, OTHER)]


def test_people_are_cut_from_what_was_kept_with_them(path):
    people = [f'{{"kind":"user","urn":"soundcloud:users:{n}","city":"Planted"}}'.encode() for n in range(3)]
    with contextlib.closing(keeper(path)) as kept:
        kept.note("page", {}, people[0], 5)
    with contextlib.closing(keeper(path, full_profiles=True)) as kept:
        for n, person in enumerate(people):
            kept.note("page", {}, person, 5 + n)
        kept.cut_people()
        assert kept.has_full_profiles  # it goes on keeping them
        kept.note("page", {}, people[1], 6)
    with contextlib.closing(keeper(path)) as kept:
        kept.cut_people()
        assert not kept.has_full_profiles
        kept.note("page", {}, people[0], 5)
    with Recording.open(path) as recording:
        assert not recording.facts.full_profiles
        bodies = [act.body for act in recording.acts()]
    assert bodies == [people[n].replace(b',"city":"Planted"', b"") for n in (0, 0, 1, 2, 1, 0)]
    assert count(path, "bodies") == 5  # the last is the first again


def test_nothing_is_left_of_people_who_were_cut_or_taken_back(path):
    frames_of_people = []
    for number in (1, 2):
        person = f'{{"kind":"user","urn":"soundcloud:users:{number}","city":"{Random(number).randbytes(4000).hex()}"}}'
        with contextlib.closing(keeper(path, full_profiles=True)) as kept:
            kept.note("page", {}, person.encode(), number)
        with contextlib.closing(sqlite3.connect(path)) as db:
            (frame,) = db.execute("SELECT frame FROM bodies WHERE hash = ?", (number,)).fetchone()
        frames_of_people.append(frame)
    pieces = [frame[at : at + 64] for frame in frames_of_people for at in range(100, len(frame) - 64, 300)]
    assert sum(piece in path.read_bytes() for piece in pieces) > len(pieces) / 2
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = OFF").fetchone()  # as SQLite is built elsewhere
        drop_later(db, 1)
    with contextlib.closing(keeper(path)) as kept:
        kept.cut_people()
    assert not any(piece in path.read_bytes() for piece in pieces)
    assert not path.with_name(f"{path.name}-wal").exists()


def test_a_body_of_full_profiles_is_another_one_than_the_same_without(path):
    person = b'{"kind":"user","urn":"soundcloud:users:1","first_name":"Planted"}'
    bare_person = b'{"kind":"user","urn":"soundcloud:users:1"}'
    with contextlib.closing(keeper(path)) as kept:
        kept.note("page", {}, person, 5)
    with Recording.open(path) as recording:
        assert not recording.facts.full_profiles
    with contextlib.closing(keeper(path, full_profiles=True)) as kept:
        kept.note("page", {}, person, 5)
    with contextlib.closing(keeper(path)) as kept:
        kept.note("page", {}, person, 5)
    with Recording.open(path) as recording:
        assert recording.facts.full_profiles  # some are
        assert [act.body for act in recording.acts()] == [bare_person, person, bare_person]


@pytest.mark.parametrize("other", [{"pair": "1111"}, {"key": b"x" * 16}])
def test_the_replies_of_another_file_are_left_alone(path, other):
    with contextlib.closing(keeper(path)) as kept:
        kept.note("begin", {})
    with pytest.raises(StoreError, match="another file"):
        keeper(path, **other)
    with Recording.open(path) as recording:
        assert recording.facts.pair == "9f2c"
        assert list(recording.acts()) == [Act(1, "begin", {})]


def test_a_closed_file_is_all_there_is(path, tmp_path):
    kept = keeper(path)
    kept.note("page", {}, BODY)
    kept.close()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with Recording.open(path) as recording:
        assert len(list(recording.acts())) == 1
    assert [file.name for file in tmp_path.iterdir()] == [path.name]  # reading leaves nothing behind


def test_a_full_disk_keeps_nothing_of_an_act(path):
    with contextlib.closing(keeper(path)) as kept:
        kept.note("begin", {})
        kept._connection.execute("PRAGMA max_page_count = 150")
        words = Random(1).randbytes(300_000).hex()
        with pytest.raises(StoreError, match="disk is full"):
            kept.note("page", {}, f'[{{"kind":"track","title":"{words}"}}]'.encode(), 5)
        assert kept.last == 1
        kept._connection.execute("PRAGMA max_page_count = 100000")
        assert kept.note("page", {}, BODY, 5) == 2
    with Recording.open(path) as recording:
        assert bare(recording.acts()) == [(1, "begin", {}, None), (2, "page", {}, BODY)]


def test_the_file_stands_beside_the_main_one(tmp_path):
    assert files.beside(tmp_path / "t.db") == tmp_path / "t.replies.db"
    assert files.beside(tmp_path / "tracks") == tmp_path / "tracks.replies.db"


def test_what_was_packed_with_another_dictionary_stays_readable(path, monkeypatch):
    with contextlib.closing(keeper(path)) as kept:
        kept.note("page", {}, BODY, 5)
    samples = [f'{{"collection":[{n}],"next_href":"https://a.example/{n * 7919}"}}'.encode() for n in range(3000)]
    another = zstandard.train_dictionary(4096, samples)
    monkeypatch.setattr(frames, "dictionary", lambda: another)
    with contextlib.closing(keeper(path)) as kept:
        kept.note("page", {}, OTHER, 6)
    assert count(path, "dictionaries") == 2
    with Recording.open(path) as recording:
        assert [act.body for act in recording.acts()] == [BODY, OTHER]


def test_the_dictionary_holds_nothing_that_people_say_of_themselves_and_no_secret():
    words = frames.dictionary().as_bytes()
    assert b'"username":' in words
    assert not any(f'"{name}":'.encode() in words for name in cutting.PERSONAL | cutting.SECRETS - {"secret_uri"})
    assert len(words) <= 112 * 1024
