"""What tells how a crawl goes never fails in silence."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from harvest.crawler.progress import EVERY, Teller
from harvest.models import Gauge


class Enough(Exception):
    """Raised by a listener who has heard enough."""


class Meter:
    """The part of a client that is looked at."""

    waited_seconds = 0.0

    def gauge(self):
        return Gauge(0, 0, 0.5, 0.0, None)


@pytest.fixture
def run_id(db):
    """A run to tell of."""
    sql = "INSERT INTO runs (started_at, version, api_url, credential_kind) VALUES ('now', '0', 'x', 'x') RETURNING id"
    return db.conn.execute(sql).fetchone()[0]


def listener(times):
    """Listen so often."""

    def listen(progress):
        heard.append(progress)
        if len(heard) == times:
            raise Enough

    heard = []
    return listen


async def test_a_listener_that_fails_is_not_swallowed(db, run_id, clock):
    teller = Teller(db.conn, run_id, Meter(), clock, on_progress=listener(3))
    with pytest.raises(Enough):
        await teller.go_on()
    assert clock.naps == [EVERY, EVERY]
    assert db.conn.execute("SELECT run_id FROM progress").fetchall() == [(run_id,)]


async def test_a_file_that_somebody_else_writes_to_is_told_the_next_time(db, run_id, db_path, clock):
    db.conn.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(db_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Enough):
            await Teller(db.conn, run_id, Meter(), clock, on_progress=listener(2)).go_on()
    assert db.conn.execute("SELECT count(*) FROM progress").fetchone() == (0,)
    with pytest.raises(Enough):
        await Teller(db.conn, run_id, Meter(), clock, on_progress=listener(2)).go_on()
    assert db.conn.execute("SELECT count(*) FROM progress").fetchone() == (1,)


async def test_any_other_trouble_of_the_file_is_not_swallowed(db, run_id, clock):
    db.conn.execute("DROP TABLE progress")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await Teller(db.conn, run_id, Meter(), clock, on_progress=listener(2)).go_on()
