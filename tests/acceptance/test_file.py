"""The file: whatever stands in the way of it gets one line, exit 4, and is left as it was (issue: promises 1, 6)."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from harvest.errors import CrawlBusy, StorageFailed, StoreError
from harvest.models import Limits
from harvest.simulator import serve
from harvest.store import frontier
from harvest.store.database import open_for_crawl
from harvest.store.lease import Lease
from tests.crawling import Onlooker, assert_exact, assert_sound, crawl_into, crawl_world, read
from tests.repetitions import slow_but
from tests.waiting import PATIENCE, until

CAPS = ("--max-users", "20", "--max-user-likes", "20", "--page-size", "5", "--delay", "0")


def untouched(path, before):
    return path.read_bytes() == before


@pytest.mark.parametrize("what", ["text", "empty folder", "foreign", "newer", "half a database"])
def test_what_is_not_ours_is_refused_and_left_untouched(run, server, tmp_path, what):
    path = tmp_path / "x.db"
    if what == "text":
        path.write_text("no database at all, " * 100)
    elif what == "empty folder":
        path.mkdir()
    elif what == "half a database":
        path.write_bytes(b"SQLite format 3\x00" + b"\x07" * 3000)
    else:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE tasks (mine TEXT)")
        if what == "newer":
            connection.execute("PRAGMA application_id = 0x68727673")
            connection.execute("PRAGMA user_version = 999")
        connection.commit()
        connection.close()
    before = path.read_bytes() if path.is_file() else None
    for command in ([server.world.seed_url(), *CAPS], ["resume"], ["status"], ["verify"], ["retry"], ["failures"]):
        done = run(*command, "--db", path, server=server)
        assert done.returncode == 4, (command, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1
        assert str(path) in done.stderr
    assert server.total == 0
    if before is not None:
        assert untouched(path, before)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("x.db")) == ["x.db"]


def test_an_empty_file_is_a_new_one(run, server, tmp_path):
    (tmp_path / "t.db").touch()
    assert run(server.world.seed_url(), "--db", "t.db", *CAPS, server=server).returncode == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_named(run, server, tmp_path):
    place = tmp_path / "locked"
    place.mkdir(mode=0o500)
    done = run(server.world.seed_url(), "--db", place / "t.db", *CAPS, server=server)
    assert done.returncode == 4
    assert str(place) in done.stderr


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 700 kB, and the means to make it larger."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("making a small disk needs root")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=700k", "tmpfs", place], check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"no small disk to be had here: {done.stderr.decode()}")
    yield place, lambda: subprocess.run([mount, "-o", "remount,size=50m", place], check=True)
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_stops_the_crawl_with_the_file_intact_and_space_lets_it_go_on(run, server, small_disk):
    place, make_room = small_disk
    path = place / "t.db"
    done = run(server.world.seed_url(), "--db", path, *CAPS, "-q", server=server)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr
    assert "space" in done.stderr
    assert_sound(path)
    make_room()
    assert run("resume", "--db", path, server=server).returncode == 0
    from harvest.models import Limits

    assert_exact(path, server.world, limits=Limits(max_users=20, max_user_likes=20), page_size=5)


def test_a_database_that_may_not_grow_loses_nothing(db, db_path):
    """The same without a disk: SQLite itself refuses to grow."""
    from harvest.errors import StorageFailed
    from harvest.store.database import storage_errors

    pages = db.conn.execute("PRAGMA page_count").fetchone()[0]
    db.conn.execute(f"PRAGMA max_page_count = {pages + 2}")

    def fill():
        with storage_errors(db_path), db.atomic():
            for number in range(10_000):
                db.conn.execute("INSERT INTO tags (name, folded) VALUES (?, ?)", (f"tag {number}" * 20, ""))

    with pytest.raises(StorageFailed, match="full"):
        fill()
    assert db.conn.execute("SELECT count(*) FROM tags").fetchone()[0] == 0


def test_a_reader_with_a_long_transaction_neither_blocks_nor_is_blocked(run, server, tmp_path):
    path = tmp_path / "t.db"
    assert run(server.world.seed_url(), "--db", path, "--max-users", "2", "--delay", "0", server=server).returncode == 0
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    before = reader.execute("SELECT count(*) FROM user_engagements").fetchone()
    assert (
        run(server.world.seed_url(), "--db", path, "--max-users", "20", "--delay", "0", server=server).returncode == 0
    )
    assert reader.execute("SELECT count(*) FROM user_engagements").fetchone() == before
    reader.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM user_engagements").fetchone() > before
    reader.close()


def test_status_works_beside_a_running_crawl_and_a_second_crawl_is_told_who_has_the_file(run, start, server, tmp_path):
    path = tmp_path / "t.db"
    server.hold_after(6)
    process = start(server.world.seed_url(), "--db", path, "--delay", "0", server=server)
    until(lambda: server.total > 6)
    status = run("status", "--db", path)
    assert f"Being crawled by process {process.pid}" in status.stdout
    for command in ([server.world.seed_url()], ["resume"], ["retry"]):
        second = run(*command, "--db", path, server=server)
        assert second.returncode == 4
        assert str(process.pid) in second.stderr
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.hold_after(None)
    assert run("resume", "--db", path, "--delay", "0", server=server).returncode == 0  # a dead holder loses it at once


@pytest.mark.first_case
@pytest.mark.parametrize("what", ["no byte", "no table"])
def test_a_file_left_by_a_start_that_was_cut_short_is_begun_in(run, server, tmp_path, what):
    """Killed between making the file and making its tables, or out of disk at that moment."""
    path = tmp_path / "t.db"
    path.touch()
    if what == "no table":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    status = run("status", "--db", path)
    assert (status.returncode, status.stdout) == (4, "")
    assert "is empty: run `harvest URL` first" in status.stderr
    assert f"nothing is in {path} yet; a crawl makes it" in run("doctor", "--db", path, server=server).stdout
    done = run(server.world.seed_url(), "--db", path, *CAPS, server=server)
    assert done.returncode == 0, done.stderr
    assert_sound(path)


@pytest.mark.parametrize("every", [pytest.param(4, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.soak)])
def test_a_start_killed_at_any_moment_is_begun_again(run, start, server, tmp_path, every):
    for n in range(0, 20, every):
        path = tmp_path / f"t{n}.db"
        process = start(server.world.seed_url(), "--db", path, *CAPS, server=server)
        while not path.exists() and process.poll() is None:
            time.sleep(0.0002)
        time.sleep(n * 0.002)
        process.kill()
        process.communicate()
        done = run(server.world.seed_url(), "--db", path, *CAPS, server=server)
        assert done.returncode == 0, done.stderr
        assert_sound(path)


@pytest.mark.parametrize(
    ("path", "says"), [("/dev/null", "is a device or a pipe"), ("notes.txt/t.db", "notes.txt is a file")]
)
def test_a_place_where_no_file_can_be_is_named(tmp_path, path, says):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StoreError, match=says):
        open_for_crawl(tmp_path / path)


@pytest.mark.parametrize("what", slow_but(("replaced",), ("deleted", "replaced")))
def test_a_file_that_is_taken_away_stops_the_crawl_at_once(start, server, tmp_path, what):
    path = tmp_path / "t.db"
    process = start(server.world.seed_url(), "--db", path, "--delay", "0.5", server=server)
    until(lambda: server.total > 4)
    path.unlink()
    if what == "replaced":
        path.touch()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert err.splitlines()[-1].startswith(f"harvest: {path} was deleted, moved or replaced")
    assert server.total < 35  # of some forty


def test_a_file_that_is_taken_away_after_the_last_look_is_missed_all_the_same(db_path, server):
    class Thief(Onlooker):
        def page_committed(self, task, page, receipt):
            db_path.unlink(missing_ok=True)

    with pytest.raises(StorageFailed, match="was deleted, moved or replaced"):
        asyncio.run(crawl_into(db_path, server, limits=Limits(max_users=0), onlooker=Thief()))


def test_two_crawls_started_together_do_not_share_a_file(start, server, tmp_path):
    server.hold_after(3)
    arguments = [server.world.seed_url(), "--db", tmp_path / "t.db", "--delay", "0", "--max-users", "5"]
    processes = [start(*arguments, server=server) for _ in range(2)]
    until(lambda: any(process.poll() is not None for process in processes))
    server.hold_after(None)
    codes = sorted(process.wait(timeout=PATIENCE) for process in processes)
    assert codes == [0, 4]


def test_a_crawl_whose_file_another_host_has_taken_over_writes_no_more(tmp_path, small_world):
    """As after hours of sleep. The harvests, which are theirs now, stay as they are; only our run is closed."""
    path = tmp_path / "t.db"

    class Watching(Onlooker):
        def page_committed(self, task, page, receipt):
            super().page_committed(task, page, receipt)
            if len(self.pages) == 5:
                with closing(sqlite3.connect(path)) as theirs, theirs:
                    theirs.execute("UPDATE lease SET holder = 'they', host = 'elsewhere', pid = 17")

    async def both():
        async with serve(small_world) as server:
            await crawl_into(path, server, limits=Limits(max_users=20), onlooker=Watching(), page_size=5)

    with pytest.raises(CrawlBusy, match="taken over by process 17 on elsewhere"):
        asyncio.run(both())
    assert read(path, "SELECT count(*) FROM pages") == [(5,)]
    assert read(path, "SELECT state FROM harvests") == [("running",)]
    assert read(path, "SELECT holder, host, pid FROM lease") == [("they", "elsewhere", 17)]
    assert read(path, "SELECT stop_reason FROM runs") == [("CrawlBusy",)]
    assert_sound(path)


def test_a_list_that_somebody_else_marked_is_read_before_anything_is_called_drained(tmp_path, small_world, monkeypatch):
    path = tmp_path / "t.db"
    monkeypatch.setattr(frontier, "_LOOK_AHEAD", 2)  # else all of this small world's lists are known by then

    class Marking(Onlooker):
        marked = 0

        def page_committed(self, task, page, receipt):
            super().page_committed(task, page, receipt)
            if task.kind == "user_likes" and not self.marked:
                with closing(sqlite3.connect(path)) as theirs, theirs:
                    self.marked = theirs.execute("UPDATE readings SET state = 'doing' WHERE state = 'todo'").rowcount

    limits = Limits(max_users=20)
    onlooker = Marking()
    crawl_world(path, small_world, limits=limits, onlooker=onlooker, page_size=5)
    assert onlooker.marked > 3
    assert read(path, "SELECT count(*) FROM readings WHERE state <> 'ended'") == [(0,)]
    assert_exact(path, small_world, limits=limits, page_size=5)


def test_two_crawls_in_one_process_do_not_share_a_file(tmp_path, small_world):
    path = tmp_path / "t.db"

    async def both():
        async with serve(small_world) as server:
            return await asyncio.gather(
                *(crawl_into(path, server, limits=Limits(max_users=3)) for _ in range(2)), return_exceptions=True
            )

    one, other = asyncio.run(both())
    assert one == "drained"
    assert isinstance(other, CrawlBusy)


def test_a_process_number_that_was_given_to_somebody_else_holds_nothing(db, db_path):
    from datetime import UTC, datetime

    Lease(db_path).take(db.conn, datetime.now(UTC))
    db.conn.execute("UPDATE lease SET pid = ?, process_born = 'long ago'", (os.getppid(),))
    Lease(db_path).take(db.conn, datetime.now(UTC))
    assert db.conn.execute("SELECT pid FROM lease").fetchone() == (os.getpid(),)


def test_after_a_clean_end_the_file_alone_is_the_result(run, server, tmp_path):
    assert run(server.world.seed_url(), "--db", "t.db", *CAPS, server=server).returncode == 0
    assert [p.name for p in tmp_path.glob("t.db*")] == ["t.db"]
    run("status", "--db", "t.db")
    run("verify", "--db", "t.db")
    assert [p.name for p in tmp_path.glob("t.db*")] == ["t.db"]


def test_the_wal_is_folded_in_even_while_somebody_has_the_file_open(run, server, tmp_path):
    path = tmp_path / "t.db"
    assert run(server.world.seed_url(), "--db", path, "--max-users", "2", "--delay", "0", server=server).returncode == 0
    idle = sqlite3.connect(path)
    idle.execute("SELECT count(*) FROM tracks").fetchone()
    assert run(server.world.seed_url(), "--db", path, *CAPS, server=server).returncode == 0
    assert path.with_name("t.db-wal").stat().st_size == 0
    idle.close()


def test_a_file_that_cannot_be_written_can_still_be_read(run, server, tmp_path):
    assert run(server.world.seed_url(), "--db", "t.db", *CAPS, server=server).returncode == 0
    (tmp_path / "t.db").chmod(0o444)
    assert run("status", "--db", "t.db").returncode == 0
    assert run("verify", "--db", "t.db").returncode == 0
