"""Files that somebody else has made: absurd numbers, damage, other people's tricks. Every command that reads, inside
this process.
"""

from __future__ import annotations

import shutil
import sqlite3

import pytest
import structlog

from harvest.cli.main import main
from harvest.explore.named import named_queries
from harvest.simulator import World
from tests.crawling import crawl_world, read

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
def harvest(tmp_path, monkeypatch, capsys):
    """Run a command inside this process; give its exit code and its streams."""
    monkeypatch.chdir(tmp_path)

    def call(line, path):
        ((user, track),) = read(path, "SELECT (SELECT min(id) FROM users), (SELECT min(id) FROM tracks)")
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


@pytest.mark.parametrize("line", READING)
def test_no_sum_of_absurd_counts_overflows(harvest, absurd, tmp_path, line):
    path = tmp_path / "t.db"
    shutil.copy(absurd, path)
    code, out, err = harvest(line, path)
    assert "overflow" not in out + err
    assert code == (1 if line == "verify" else 0), err
