"""Files that somebody else has made: absurd numbers, damage, other people's tricks. Every command that reads, inside
this process.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from random import Random

import pytest
import structlog

from harvest.cli.main import main
from harvest.explore.named import named_queries
from harvest.simulator import World
from tests.crawling import crawl_world, read
from tests.repetitions import one_in, slow_but

WORLD = World(31, users=40, tracks=150, likes_per_user=12, seed_likers=20, seed_reposters=6)
SEED = WORLD.seed_url()
READING = (
    "status",
    "status --json",
    "failures",
    "why user {user}",
    "why track {track}",
    "verify",
    f"plan {SEED}",
    *(f"sql {name}{' a' if name == 'search' else ''}" for name in named_queries()),
    "sql seed_coverage",
    "sql track_stats",
    "report {out}.html",
    "export {out} --format jsonl",
    "export {out} --format parquet",
    "export {out} --format csv --ids pseudonym --key {out}.key",
    "export {out} --format graphml",
    "related {track}",
    "similar {user}",
    "analyze",
    "snapshot {out}.db",
)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    path = tmp_path_factory.mktemp("crawled") / "t.db"
    crawl_world(path, WORLD)
    return path


@pytest.fixture
def harvest(crawled, tmp_path, monkeypatch, capsys):
    """Run a command inside this process; give its exit code and its streams."""
    monkeypatch.chdir(tmp_path)
    ((user, track),) = read(crawled, "SELECT (SELECT min(id) FROM users), (SELECT min(id) FROM tracks)")

    def call(line, path):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*line.format(user=user, track=track, out=tmp_path / "out").split(" "), "--db", str(path)])
        done = capsys.readouterr()
        return ended.value.code, done.out, done.err

    yield call
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def absurd(crawled, tmp_path_factory):
    """Every count that the service names is the largest that SQLite holds, in a file that was made before counts had a
    bound.
    """
    path = tmp_path_factory.mktemp("absurd") / "t.db"
    shutil.copy(crawled, path)
    connection = sqlite3.connect(path)
    for table in ("users", "tracks", "playlists", "tasks", "readings"):
        for (column,) in connection.execute(
            "SELECT name FROM pragma_table_info(?) WHERE name LIKE '%\\_count' ESCAPE '\\' OR name = 'claimed'",
            (table,),
        ).fetchall():
            connection.execute(f"UPDATE {table} SET {column} = 9223372036854775807")
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize("line", one_in(3, READING))
def test_no_sum_of_absurd_counts_overflows(harvest, absurd, tmp_path, line):
    path = tmp_path / "t.db"
    shutil.copy(absurd, path)
    code, out, err = harvest(line, path)
    assert "overflow" not in out + err
    assert code == (1 if line == "verify" else 0), err


def write(path, *statements):
    """Change a file as no harvest would: what stands in its way is switched off."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON", *statements):
        connection.execute(statement)
    connection.close()


def overwrite(path, *, every):
    """Put noise over some pages, the first one left as it is."""
    noise = Random(7)
    whole = bytearray(path.read_bytes())
    for start in range(4096 * every, len(whole) - 4096, 4096 * every):
        whole[start : start + 64] = noise.randbytes(64)
    path.write_bytes(whole)


RUDE = "\x1b]0;owned\x07\x1b[2J\u202e\nharvest: all is well"
DAMAGES = {
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 & ~4095]),
    "noise in every page": lambda path: overwrite(path, every=1),
    "noise here and there": lambda path: overwrite(path, every=9),
    "totals are gone": lambda path: write(path, "DELETE FROM totals"),
    "totals are another table": lambda path: write(
        path, "DROP TABLE totals", "CREATE TABLE totals (owned TEXT)", f"INSERT INTO totals VALUES ('{RUDE}')"
    ),
    "no views": lambda path: write(
        path,
        *(
            f"DROP VIEW {name}"
            for (name,) in read(path, "SELECT name FROM sqlite_schema WHERE type = 'view' AND name <> 'track_texts'")
        ),
    ),
    "no ledger": lambda path: write(path, "DROP TABLE readings"),
    "kinds nobody knows": lambda path: write(path, f"UPDATE tasks SET kind = '{RUDE}' || id"),
    "outcomes nobody knows": lambda path: write(path, f"UPDATE tasks SET outcome = '{RUDE}'"),
    "things nobody knows": lambda path: write(path, f"UPDATE seeds SET thing = '{RUDE}'"),
    "options that are no JSON": lambda path: write(path, "UPDATE harvests SET options = '{'"),
    "options of another type": lambda path: write(path, "UPDATE harvests SET options = '[1]', last_options = '7'"),
    "options of other values": lambda path: write(
        path, """UPDATE harvests SET options = '{"max_users": "x", "read": 5, "via": {"a": null}}'"""
    ),
    "times that are none": lambda path: write(
        path,
        f"UPDATE runs SET started_at = '{RUDE}'",
        "UPDATE pages SET fetched_at = 'x'",
        "UPDATE readings SET claimed_at = 'x'",
    ),
    "numbers that are negative": lambda path: write(
        path,
        "UPDATE tasks SET collected = -9, claimed = -1, pages_read = -3",
        "UPDATE readings SET collected = -7",
        "UPDATE runs SET waited_ms = -9223372036854775808",
    ),
    "nobody to refer to": lambda path: write(path, "DELETE FROM users", "DELETE FROM pages"),
    "a chain without end": lambda path: write(
        path, "UPDATE visits SET parent_task_id = (SELECT id FROM tasks WHERE kind = 'track_likers' LIMIT 1)"
    ),
    "seeds that are gone": lambda path: write(path, "DELETE FROM seeds", "DELETE FROM harvest_seeds"),
    "names that are rude": lambda path: write(
        path,
        f"UPDATE users SET username = '{RUDE}', permalink_url = '{RUDE}'",
        f"UPDATE tracks SET title = '{RUDE}', genre = '{RUDE}'",
        f"UPDATE seeds SET address = '{RUDE}'",
        f"UPDATE runs SET api_url = '{RUDE}'",
        f"UPDATE runs SET stop_reason = '{RUDE}'",
        f"UPDATE harvests SET reason = '{RUDE}'",
        f"UPDATE tags SET name = '{RUDE}' || id",
    ),
    "a view that counts for ever": lambda path: write(
        path, "DROP VIEW lists", "CREATE VIEW lists AS SELECT load_extension('x') AS kind, zeroblob(1e9) AS what"
    ),
}
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
@pytest.mark.parametrize("damage", slow_but([*DAMAGES][::3], DAMAGES))
def test_a_file_that_is_damaged_or_hostile_costs_one_line_whatever_is_asked_of_it(
    harvest, crawled, tmp_path, damage, every
):
    seen = set()
    lines = (*READING, "retry", f"crawl {SEED} --max-requests 1", "resume")
    for line in lines[list(DAMAGES).index(damage) % every :: every]:
        path = tmp_path / "t.db"
        for left in tmp_path.glob("*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        shutil.copy(crawled, path)
        DAMAGES[damage](path)
        code, out, err = harvest(line, path)
        told = f"TOLD {damage}: {line}: {code} {err[-500:]!r} {out[-500:]!r}"
        assert "unexpected" not in err, told
        assert "Traceback" not in out + err, told
        assert not CONTROLS.search(err + ("" if "report" in line else out)), told
        assert code in (0, 1, 2, 3, 4, 6), told
        if code == 4:
            assert err.splitlines()[-1].startswith("harvest: "), told
        seen.add(code)
    assert every > 1 or seen & {1, 4}  # somebody notices
