"""What is forgotten is gone under a newer SQLite as well: its tests once more, with another library put in its place.

Python's own `sqlite3` takes what it needs of SQLite from a shared library, and finds it in whichever was loaded first.
That of `pysqlite3` holds a whole SQLite and is loaded so. Linux only.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest

from harvest.forgetting.forget import forget_for_good
from harvest.simulator import World
from harvest.system.clock import SystemClock
from tests.crawling import crawl_world, read
from tests.foreign import ROOT, python_of, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TESTS = ("tests/unit/forgetting", "tests/acceptance/test_forget.py")


@pytest.fixture
def newer():
    """The library of a newer SQLite."""
    python = python_of("sqlite")
    told = subprocess.run(
        [str(python), "-c", "import pysqlite3._sqlite3 as s; print(s.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="a library is put in the place of another by Linux's loader")
def test_forgetting_holds_under_a_newer_sqlite(newer):
    environ = {**os.environ, "LD_PRELOAD": newer}
    asked = [sys.executable, "-c", "import sqlite3; print(sqlite3.sqlite_version)"]
    version = subprocess.run(asked, env=environ, capture_output=True, text=True, check=True).stdout.strip()
    print(f"SQLite {version} in the place of {sqlite3.sqlite_version}")
    assert tuple(map(int, version.split("."))) > max(sqlite3.sqlite_version_info, (3, 50, 0))
    chosen = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not soak and not slow", *TESTS]
    done = subprocess.run(chosen, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False)
    assert (done.returncode, done.stdout[-3000:] if done.returncode else "") == (0, "")


def test_the_newest_sqlite_finds_nothing_wrong_with_a_file_that_was_written_anew(tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, World(3, users=20, tracks=40, seed_likers=8))
    who = read(path, "SELECT user_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")[0][0]
    assert forget_for_good(path, [("user", who)], now=SystemClock().now()).erased
    titles = [row[0] for row in read(path, "SELECT title FROM track_texts ORDER BY track_id")]
    done = run("sqlite", ROOT / "tests" / "readers" / "with_apsw.py", path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert tuple(map(int, told.pop("version").split("."))) > (3, 50, 0)
    assert told == {"integrity": ["ok"], "references": [], "titles": titles}
