"""Files of replies that somebody else has made: damaged, or made to harm. Each costs one line, and nothing else."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from pathlib import Path
from random import Random

import pytest
import zstandard

from harvest.crawler.recorded import recorded
from harvest.errors import NotADatabase, NothingThere, SchemaTooNew, StoreError
from harvest.replies import files, frames
from harvest.replies.keeper import Keeper
from harvest.replies.recording import Recording
from tests.replaying import seal

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
PAGE = {
    "kind": "user_likes",
    "subject": 5,
    "number": 0,
    "request": "/users/soundcloud:users:5/likes/tracks?limit=200",
    "fetched_at": "2026-11-29T12:00:00Z",
}
SEED = {**PAGE, "kind": "resolve", "request": "/resolve?url=x", "thing": "track"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "t.replies.db"
    with contextlib.closing(
        Keeper.open(
            path,
            pair="9f2c",
            key=b"k" * 16,
            full_profiles=False,
            harvest="0.1.0",
            main_schema=7,
            pages_before=0,
            service="https://api.soundcloud.com",
        )
    ) as keeper:
        keeper.note("page", SEED, b'{"kind":"track","urn":"soundcloud:tracks:1"}', 1)
        for number in range(40):
            words = Random(number).randbytes(400).hex()
            body = f'{{"collection":[{{"kind":"track","urn":"soundcloud:tracks:{number + 1}","title":"{words}"}}]}}'
            keeper.note("page", {**PAGE, "number": number}, body.encode(), number + 2)
    return path


@pytest.fixture
def path(kept, tmp_path):
    return Path(shutil.copy(kept, tmp_path / "t.replies.db"))


def everything(path):
    """Read all there is, and make a service of it."""
    with Recording.open(path) as recording:
        for _ in recording.acts():
            pass
        recorded(recording, tell=print)


def write(path, *statements):
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON", *statements):
        connection.execute(statement)
    connection.close()
    if any("UPDATE acts SET" in statement for statement in statements):
        seal(path)


def rewrite_schema(path, change):
    """Put another statement into the schema, or other values into columns, as no SQLite would."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(change)
    connection.close()


def frame_of(body, **how):
    return zstandard.ZstdCompressor(dict_data=frames.dictionary(), **how).compress(body)


def with_frame(path, frame, size):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE bodies SET frame = ?, size = ? WHERE id = 3", (frame, size))
    connection.close()


def without_end_of_dictionary(path):
    """Let the pages of the dictionary lead nowhere; all that is looked at first is well."""
    whole = bytearray(path.read_bytes())
    at = whole.index(frames.dictionary().as_bytes()[5000:5100]) & ~2047
    whole[at : at + 4] = b"\xff" * 4
    path.write_bytes(whole)


BOMB = frame_of(bytes(200_000_000))
RUDE = "\x1b]0;owned\x07\x1b[2J"
HOSTILE = {
    "a view": (lambda path: write(path, "CREATE VIEW v AS SELECT 1"), "view 'v' does not belong"),
    "a trigger": (
        lambda path: write(path, "CREATE TRIGGER t AFTER INSERT ON acts BEGIN SELECT 1; END"),
        "trigger 't' does not belong",
    ),
    "another table": (lambda path: write(path, "CREATE TABLE more (a)"), "table 'more' does not belong"),
    "a table is a view": (
        lambda path: write(path, "DROP TABLE acts", "CREATE VIEW acts AS SELECT 1 AS number"),
        "is missing",
    ),
    "a table that computes": (
        lambda path: write(path, "ALTER TABLE acts RENAME TO old", "CREATE TABLE acts (number, what AS (hex(number)))"),
        "is another one",
    ),
    "a word in the schema": (
        lambda path: rewrite_schema(path, "UPDATE sqlite_schema SET sql = sql || ' -- x' WHERE name = 'acts'"),
        None,  # comments are no difference
    ),
    "a column more": (lambda path: write(path, "ALTER TABLE acts ADD COLUMN more TEXT"), "'acts' is another one"),
    "a rude name": (lambda path: write(path, f'CREATE TABLE "{RUDE}" (a)'), "does not belong"),
    "a statement that is none": (
        lambda path: rewrite_schema(
            path, "UPDATE sqlite_schema SET sql = replace(sql, 'pair', '\"') WHERE name = 'facts'"
        ),
        "malformed database schema",
    ),
    "no facts": (lambda path: write(path, "DELETE FROM facts"), "whose replies"),
    "facts of other kinds": (lambda path: write(path, "UPDATE facts SET key = zeroblob(99)"), "whose replies"),
    "a newer version": (lambda path: write(path, "PRAGMA user_version = 2"), "newer harvest"),
    "a version that never was": (lambda path: write(path, "PRAGMA user_version = 0"), "something else"),
    "somebody else's": (lambda path: write(path, "PRAGMA application_id = 7"), "something else"),
    "a harvest": (lambda path: write(path, "PRAGMA application_id = 0x68727673"), "is a harvest"),
    "an act is missing": (lambda path: write(path, "DELETE FROM acts WHERE number = 9"), "act 9 is missing"),
    "an act is no JSON": (lambda path: write(path, "UPDATE acts SET detail = '{' WHERE number = 9"), "act 9"),
    "an act is a list": (lambda path: write(path, "UPDATE acts SET detail = '[1]' WHERE number = 9"), "act 9"),
    "an act without end": (
        lambda path: write(
            path, """UPDATE acts SET detail = '{"a":"' || hex(zeroblob(900000)) || '"}' WHERE number = 9"""
        ),
        "act 9 is too long",
    ),
    "an act that is deep": (
        lambda path: write(
            path,
            """UPDATE acts SET detail = '{"a":' || replace(hex(zeroblob(9000)), '00', '[') || '1}' WHERE number = 9""",
        ),
        "act 9",
    ),
    "an act of other types": (
        lambda path: write(path, "UPDATE acts SET detail = '{\"kind\":7}' WHERE number = 9"),
        "act 9",
    ),
    "an act of no kind": (
        lambda path: write(path, "UPDATE acts SET detail = replace(detail, 'user_likes', 'nobody') WHERE number = 9"),
        None,  # whoever has no use for it leaves it
    ),
    "a body is missing": (lambda path: write(path, "DELETE FROM bodies WHERE id = 3"), "body 3 is missing"),
    "the dictionary is missing": (lambda path: write(path, "DELETE FROM dictionaries"), "dictionary is missing"),
    "the dictionary is another": (lambda path: write(path, "UPDATE dictionaries SET body = x'00'"), "is damaged"),
    "the dictionary is huge": (
        lambda path: write(path, "UPDATE dictionaries SET body = zeroblob(3000000)"),
        "dictionary is too large",
    ),
    "the dictionary ends early": (without_end_of_dictionary, "is malformed"),
    "a frame is noise": (lambda path: with_frame(path, Random(1).randbytes(300), 300), "frame is damaged"),
    "a frame has more behind it": (lambda path: with_frame(path, frame_of(b"[]") + b"more", 2), "frame is damaged"),
    "a frame lies about its size": (lambda path: with_frame(path, frame_of(b"[]"), 3), "not as large"),
    "a frame says no size": (
        lambda path: with_frame(path, frame_of(b"[]", write_content_size=False), 2),
        "not as large",
    ),
    "a frame unpacks into much": (lambda path: with_frame(path, BOMB, 2), "not as large"),
    "a frame unpacks into more than any reply": (lambda path: with_frame(path, BOMB, 200_000_000), "200000000 bytes"),
    "a size is negative": (lambda path: with_frame(path, frame_of(b"[]"), -1), "-1 bytes"),
    "a seed is no track": (
        lambda path: write(path, "UPDATE acts SET body_id = 2 WHERE number = 1"),
        "act 1 cannot be read",
    ),
    "cut in half": (
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 & ~2047]),
        "is damaged",
    ),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "text": (lambda path: path.write_text("words" * 999), "is not a SQLite database"),
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_file_that_is_damaged_or_hostile_costs_one_line(path, harm):
    change, words = HOSTILE[harm]
    everything(path)
    change(path)
    before = path.read_bytes()
    if words is None:
        everything(path)
        return
    with pytest.raises(StoreError) as ended:
        everything(path)
    assert words in str(ended.value)
    assert not CONTROLS.search(str(ended.value)) or harm == "a rude name"  # the command line writes these out
    assert "\n" not in str(ended.value)
    assert len(str(ended.value)) < 400 + len(str(path))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_errors_say_what_it_is(path, tmp_path):
    for harm, error in {"a newer version": SchemaTooNew, "text": NotADatabase, "empty": NothingThere}.items():
        HOSTILE[harm][0](path)
        with pytest.raises(error):
            Recording.open(path)
    with pytest.raises(NothingThere, match="--keep-replies"):
        Recording.open(tmp_path / "missing.db")
    with pytest.raises(NotADatabase, match="folder"):
        Recording.open(tmp_path)


@pytest.mark.parametrize("seed", range(30))
def test_noise_anywhere_costs_one_line_or_nothing(path, seed):
    chance = Random(seed)
    whole = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 5, 50])):
        at = chance.randrange(len(whole) - 20)
        whole[at : at + chance.randint(1, 20)] = chance.randbytes(chance.randint(1, 20))
    path.write_bytes(whole)
    with contextlib.suppress(StoreError):
        everything(path)


def test_what_cannot_be_trusted_is_not_written_into(path):
    for harm in ("a trigger", "somebody else's", "a newer version"):
        HOSTILE[harm][0](path)
        before = path.read_bytes()
        with pytest.raises(StoreError):
            files.open_to_write(path)
        assert path.read_bytes() == before


def test_a_dictionary_that_cannot_be_read_ends_whoever_asks_for_a_body_with_one_line(path):
    without_end_of_dictionary(path)
    with Recording.open(path) as recording, pytest.raises(NotADatabase, match="is malformed"):
        recording.body(2)


@pytest.mark.parametrize(
    "turned",
    [
        "UPDATE acts SET what = 'dance' WHERE number = 9",
        "UPDATE acts SET detail = replace(detail, '12:00:00Z', '12:00:01Z') WHERE number = 9",
        "UPDATE acts SET body_id = 8 WHERE number = 9",
        "UPDATE acts SET checksum = checksum + 1 WHERE number = 9",
        "UPDATE facts SET pair = '9f2d'",
        "UPDATE facts SET key = x'00'",
    ],
)
def test_a_bit_that_has_turned_over_in_what_happened_is_noticed(path, turned):
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute(turned).rowcount == 1
        db.commit()
    with pytest.raises(NotADatabase, match=r"act (1|9) is not as it was written"):
        everything(path)
    seal(path)
    everything(path)  # it is nothing else


@pytest.mark.parametrize("harm", ["a frame is noise", "a body is missing"])
def test_a_damaged_body_is_found_before_anything_is_served(path, harm):
    HOSTILE[harm][0](path)
    with Recording.open(path) as recording, pytest.raises(NotADatabase):
        recorded(recording, tell=print)
