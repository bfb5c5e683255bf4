"""Replies of an older, a newer or a strange program: what they say is taken as far as it goes, or refused in a line."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harvest.api import parse
from harvest.crawler.replay import replay
from harvest.errors import NotADatabase, SchemaTooNew, StoreError
from harvest.models import Page
from harvest.simulator import World, serve
from harvest.store import schema
from harvest.store.schema import schema_version
from tests.crawling import assert_exact, crawl_into, read
from tests.replaying import everything, seal

WORLD = World(4, users=12, tracks=40, likes_per_user=6, seed_likers=6, seed_reposters=3, gone=0.2, forbidden=0.1)
PAGE = 5


def crawled(path: Path) -> Path:
    async def crawling() -> None:
        async with serve(WORLD, gzip=False) as server:
            assert await crawl_into(path, server, page_size=PAGE, keep_replies=True) == "drained"

    asyncio.run(crawling())
    return path.with_name("t.replies.db")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return crawled(tmp_path_factory.mktemp("kept") / "t.db")


@pytest.fixture
def replies(kept, tmp_path):
    return Path(shutil.copy(kept, tmp_path / "t.replies.db"))


def change(replies: Path, sql: str, *parameters: Any) -> None:
    with closing(sqlite3.connect(replies)) as db:
        assert db.execute(sql, parameters).rowcount > 0
        db.commit()
    seal(replies)


def acts(replies: Path, what: str) -> list[tuple[int, dict[str, Any]]]:
    with closing(sqlite3.connect(replies)) as db:
        rows = db.execute("SELECT number, detail FROM acts WHERE what = ? ORDER BY number", (what,))
        return [(number, json.loads(detail)) for number, detail in rows]


def tell(replies: Path, number: int, /, **told: Any) -> None:
    """Let an act say something else."""
    with closing(sqlite3.connect(replies)) as db:
        (detail,) = db.execute("SELECT detail FROM acts WHERE number = ?", (number,)).fetchone()
    change(replies, "UPDATE acts SET detail = ? WHERE number = ?", json.dumps({**json.loads(detail), **told}), number)


# --- an older program -----------------------------------------------------------------------------------------------


def poorer(parsing: Callable[..., Any]) -> Callable[..., Any]:
    """Parse as a version that did not know of two columns."""

    def without(page: Page) -> None:
        for number, track in page.tracks.items():
            page.tracks[number] = track._replace(isrc=None, bpm=None)

    def parsed(*args: Any, **options: Any) -> Any:
        found = parsing(*args, **options)
        without(found if isinstance(found, Page) else found.page)
        return found

    return parsed


def test_a_column_that_the_tables_have_got_since_is_filled(tmp_path, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(parse, "parse_page", poorer(parse.parse_page))
        older.setattr(parse, "parse_thing", poorer(parse.parse_thing))
        replies = crawled(tmp_path / "t.db")
    filled = "SELECT count(isrc) + count(bpm) FROM tracks"
    assert read(tmp_path / "t.db", filled) == [(0,)]
    files = [
        *schema.schema_files(),
        (f"{schema_version() + 1:03}_more", "ALTER TABLE tracks ADD COLUMN mood TEXT;\n"),
    ]
    monkeypatch.setattr(schema, "schema_files", lambda: files)
    monkeypatch.setattr(schema, "schema_names", lambda: [name for name, _ in files])
    replay(replies, tmp_path / "new.db")
    assert read(tmp_path / "new.db", filled)[0][0] > 5
    assert read(tmp_path / "new.db", "SELECT count(*) FROM tracks WHERE mood IS NULL")[0][0] > 5
    assert_exact(tmp_path / "new.db", WORLD, page_size=PAGE)


def test_replies_of_lists_that_nobody_asks_for_any_more_are_left_out_and_counted(run, replies, tmp_path):
    """As if a newer version read no reposters unless told to."""
    number, begun = acts(replies, "begin")[0]
    addresses, limits = begun["harvests"][0]
    fewer = json.dumps({**json.loads(limits), "read": ["likers", "likes"]})
    tell(replies, number, harvests=[[addresses, fewer]])
    done = run("replay", replies, "-o", "new.db")
    assert done.returncode == 0
    assert "are of lists that this version does not ask for" in done.stderr
    kinds = {row[0] for row in read(tmp_path / "new.db", "SELECT DISTINCT kind FROM tasks")}
    assert "track_reposters" not in kinds
    assert "user_likes" in kinds
    assert run("verify", "--db", "new.db").returncode == 0


def test_a_page_that_does_not_follow_the_one_before_is_left_out_with_the_rest_of_its_list(kept, replies, tmp_path):
    """As if a newer version began the list anew where the older one went on."""
    pages = acts(replies, "page")
    number, first = next((n, page) for n, page in pages if page["kind"] == "user_likes" and page.get("next_cursor"))
    rest = [page for _, page in pages if (page["kind"], page["subject"]) == ("user_likes", first["subject"])]
    tell(replies, number, number=1)
    done = replay(replies, tmp_path / "new.db")
    assert (done.left_out, done.pages) == (len(rest), len(pages) - len(rest))
    stands = "SELECT outcome, pages_read FROM tasks WHERE kind = 'user_likes' AND subject_id = ?"
    assert read(tmp_path / "new.db", stands, first["subject"]) == [(None, None)]
    assert read(kept.with_name("t.db"), stands, first["subject"]) == [("complete", len(rest))]


# --- a newer one ----------------------------------------------------------------------------------------------------


def test_replies_of_a_newer_harvest_are_refused_unless_they_are_to_be_taken_as_older(run, kept, replies, tmp_path):
    change(replies, "UPDATE facts SET main_schema = ?, harvest = '9.9.9'", schema_version() + 1)
    with pytest.raises(SchemaTooNew, match=r"newer harvest \(9\.9\.9, schema .*--from-version"):
        replay(replies, tmp_path / "new.db")
    newest = schema_version()
    for other in (1, newest + 1):
        told = run("replay", replies, "-o", "new.db", "--from-version", other)
        assert told.returncode == 4
        assert f"no tables of version {other}: leave --from-version out" in told.stderr
        assert told.stderr.rstrip().endswith(f"{newest}.")
    assert not (tmp_path / "new.db").exists()
    assert run("replay", replies, "-o", "new.db", "--from-version", schema_version()).returncode == 0
    there = everything(kept.with_name("t.db"))
    assert everything(tmp_path / "new.db") == there


def test_a_run_of_a_newer_harvest_in_the_middle_is_refused_too(replies, tmp_path):
    tell(replies, 1, schema=schema_version() + 1, version="9.9.9")
    with pytest.raises(SchemaTooNew, match=r"9\.9\.9"):
        replay(replies, tmp_path / "new.db")
    assert [p.name for p in tmp_path.iterdir()] == ["t.replies.db"]


# --- a stranger -----------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten_without_being_told_to(run, replies, tmp_path):
    (tmp_path / "new.db").write_bytes(b"mine")
    refused = run("replay", replies, "-o", "new.db")
    assert (refused.returncode, (tmp_path / "new.db").read_bytes()) == (4, b"mine")
    assert "--force" in refused.stderr
    assert run("replay", replies, "-o", "new.db", "--force").returncode == 0
    assert run("replay", "t.db", "-o", "newer.db").returncode == 4  # there is no such file
    assert run("replay", "new.db", "-o", "newer.db").returncode == 4  # the file itself, not its replies


STRANGE = {
    "no such act": ("UPDATE acts SET what = 'dance' WHERE number = 4",),
    "no act at all": ("UPDATE acts SET detail = '[]' WHERE number = 4",),
    "nothing begins": ("UPDATE acts SET what = 'world', detail = '{\"world\":\"x\"}' WHERE number = 1",),
    "another kind of act": ("UPDATE acts SET what = 'end' WHERE number = 4",),
    "a page without a body": ("UPDATE acts SET body_id = NULL WHERE what = 'page'",),
    "no time": ('UPDATE acts SET detail = replace(detail, \'"now":"2\', \'"now":"x2\')',),
    "no day": (
        "UPDATE acts SET detail = json_set(detail, '$.now', '2026-77-01T00:00:00Z') WHERE detail ->> 'now' > ''",
    ),
    "an act is missing": ("DELETE FROM acts WHERE number = 4",),
    "a body is missing": ("PRAGMA foreign_keys = OFF", "DELETE FROM bodies WHERE id = 3"),
    "no options": ("UPDATE acts SET detail = json_set(detail, '$.harvests[0][1]', '[]') WHERE number = 1",),
}


@pytest.mark.parametrize("statements", STRANGE.values(), ids=STRANGE)
def test_what_is_no_act_of_ours_ends_it_with_a_line_and_leaves_nothing(replies, tmp_path, statements):
    with closing(sqlite3.connect(replies)) as db:
        for statement in statements:
            db.execute(statement)
        assert db.total_changes
        db.commit()
    seal(replies)
    with pytest.raises((NotADatabase, StoreError), match=r"t\.replies\.db") as ended:
        replay(replies, tmp_path / "new.db")
    assert "as it was written" not in str(ended.value)
    assert [p.name for p in tmp_path.iterdir()] == ["t.replies.db"]


def strangely(value: Any, chance: random.Random) -> Any:
    """Put something else somewhere into a value."""
    if isinstance(value, dict) and value:
        name = chance.choice(list(value))
        return {**value, name: strangely(value[name], chance)}
    if isinstance(value, list) and value:
        place = chance.randrange(len(value))
        return [*value[:place], strangely(value[place], chance), *value[place + 1 :]]
    return chance.choice([None, -1, 2**62, 2**64, 1.5, "", "x" * 3000, "\x00", "track_likers", [], {}, True])


@pytest.mark.parametrize("seed", range(12))
def test_whatever_acts_say_it_is_taken_or_refused(kept, tmp_path, seed):
    """Nothing that stands in an act leads to anything but a whole file or one line."""
    chance = random.Random(seed)
    replies = Path(shutil.copy(kept, tmp_path / "t.replies.db"))
    with closing(sqlite3.connect(replies)) as db:
        (last,) = db.execute("SELECT max(number) FROM acts").fetchone()
        for _ in range(chance.choice([1, 1, 3])):
            number = chance.randint(1, last)
            (detail,) = db.execute("SELECT detail FROM acts WHERE number = ?", (number,)).fetchone()
            told = json.dumps(strangely(json.loads(detail), chance))
            db.execute("UPDATE acts SET detail = ? WHERE number = ?", (told, number))
        db.commit()
    seal(replies)
    try:
        replay(replies, tmp_path / "new.db")
    except StoreError as error:
        told = str(error)
        assert "t.replies.db" in told
        assert [p.name for p in tmp_path.iterdir()] == ["t.replies.db"]
    else:
        assert read(tmp_path / "new.db", "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("out", ["t.replies.db/new.db", "/proc/new.db"])
def test_where_no_file_can_be_made_the_line_names_what_was_typed(run, replies, out):
    if out.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("no such folder here")
    done = run("replay", replies, "-o", out)
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert f"{out} cannot be written (" in line
    assert line.endswith("name a file in another folder.")
    assert ".part" not in line
