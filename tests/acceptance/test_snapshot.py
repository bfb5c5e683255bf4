"""`harvest snapshot`: a whole copy of a file, also in the middle of a crawl."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from contextlib import closing

import pytest

from harvest.errors import StorageFailed
from harvest.models import Limits
from harvest.simulator import run_in_thread
from harvest.store.snapshot import take_snapshot
from harvest.system.clock import SystemClock
from tests.crawling import assert_exact, crawl_world, read
from tests.disk import BROKEN, FULL, LIBRARY, watching
from tests.waiting import PATIENCE, until

CAPS = ("--max-users", "20", "--max-user-likes", "20", "--page-size", "5")
LIMITS = Limits(max_users=20, max_user_likes=20)


@pytest.fixture
def finished(run, server, tmp_path):
    assert run(server.world.seed_url(), "--db", "t.db", *CAPS, "--delay", "0", server=server).returncode == 0
    return tmp_path / "t.db"


def test_a_running_crawl_is_copied_as_it_is_at_one_moment_and_goes_on(run, start, small_world, tmp_path):
    path = tmp_path / "t.db"
    with run_in_thread(small_world) as server:
        server.hold_after(15)
        process = start(server.world.seed_url(), "--db", path, "--delay", "0.02", *CAPS, server=server)
        for n in range(3):
            until(lambda n=n: server.total > 15 + 10 * n)
            server.hold_after(25 + 10 * n)  # some pages more while the copy is made
            done = run("snapshot", f"copy{n}.db", "--db", path)
            assert done.returncode == 0, done.stderr
            assert process.poll() is None
        server.hold_after(None)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, out
        for n in range(3):
            copy = tmp_path / f"copy{n}.db"
            assert run("verify", "--db", copy).returncode == 0
            assert read(copy, "SELECT count(*) FROM lease") == [(0,)]
            assert read(copy, "SELECT state FROM harvests") == [("paused",)]
            assert not list(tmp_path.glob(f"*copy{n}.db?*"))
        pages = [read(tmp_path / f"copy{n}.db", "SELECT count(*) FROM pages")[0][0] for n in range(3)]
        assert pages == sorted(pages)
        assert pages[0] < pages[-1]
        assert run("resume", "--db", "copy0.db", "--delay", "0", server=server).returncode == 0
    assert_exact(tmp_path / "copy0.db", small_world, limits=LIMITS, page_size=5)
    assert_exact(path, small_world, limits=LIMITS, page_size=5)


def test_nothing_is_overwritten_without_being_told_to(run, finished, tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    refused = run("snapshot", "notes.txt", "--db", finished)
    assert refused.returncode == 4
    assert "--force" in refused.stderr
    assert other.read_text() == "mine"
    assert run("snapshot", "notes.txt", "--db", finished, "--force").returncode == 0
    assert read(other, "SELECT count(*) FROM pages") == read(finished, "SELECT count(*) FROM pages")


def test_side_files_of_what_was_there_do_not_get_into_the_copy(run, finished, tmp_path):
    """A stray write-ahead log would be taken for the copy's own."""
    old = tmp_path / "old.db"
    shutil.copy(finished, old)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE runs SET version = 'stray'")
        connection.commit()
        shutil.copy(tmp_path / "old.db-wal", tmp_path / "copy.db-wal")
    refused = run("snapshot", "copy.db", "--db", finished)
    assert refused.returncode == 4
    assert not (tmp_path / "copy.db").exists()
    assert run("snapshot", "copy.db", "--db", finished, "--force").returncode == 0
    assert read(tmp_path / "copy.db", "SELECT version FROM runs") == read(finished, "SELECT version FROM runs")
    assert run("verify", "--db", "copy.db").returncode == 0


@pytest.mark.first_case
@pytest.mark.parametrize("target", ["t.db", "./t.db", "."])
def test_a_target_that_makes_no_sense_is_refused(run, finished, target):
    before = finished.read_bytes()
    done = run("snapshot", target, "--db", finished, "--force")
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert finished.read_bytes() == before


def test_a_file_that_is_being_crawled_is_not_replaced(run, start, finished, small_world, tmp_path):
    with run_in_thread(small_world) as server:
        server.hold_after(5)
        process = start(server.world.seed_url(), "--db", "busy.db", "--delay", "0.02", *CAPS, server=server)
        until(lambda: server.total > 5)
        done = run("snapshot", "busy.db", "--db", finished, "--force")
        assert done.returncode == 4
        assert "being crawled" in done.stderr
        process.send_signal(signal.SIGINT)
        server.hold_after(None)
        process.communicate(timeout=PATIENCE)
    assert run("verify", "--db", "busy.db").returncode == 0


def test_a_snapshot_that_is_killed_leaves_no_file_of_that_name(start, finished, tmp_path):
    """Killed as soon as anything is there, if it is not over by then: what has the name is whole."""
    copy, whole = tmp_path / "copy.db", read(finished, "SELECT count(*) FROM pages")
    for _ in range(6):
        process = start("snapshot", "copy.db", "--db", finished)
        until(lambda process=process: list(tmp_path.glob("*copy.db*")) or process.poll() is not None, every=0.0005)
        process.kill()
        process.communicate()
        if copy.exists():
            assert read(copy, "SELECT count(*) FROM pages") == whole
        for left in tmp_path.glob("*copy.db*"):
            left.unlink()


def test_no_file_no_snapshot(run, tmp_path):
    done = run("snapshot", "copy.db", "--db", "nothing.db")
    assert done.returncode == 4
    assert not list(tmp_path.glob("*copy*"))


@pytest.mark.skipif(LIBRARY is None, reason="this Python hides its SQLite")
@pytest.mark.parametrize("trouble", [FULL, BROKEN], ids=["full", "broken"])
def test_a_disk_that_fails_at_any_write_leaves_no_copy_and_is_named(small_world, tmp_path, trouble):
    """Above all at the last writes: they let go of what belongs to the process that crawls."""
    path, out = tmp_path / "t.db", tmp_path / "copy.db"
    crawl_world(path, small_world, limits=LIMITS)
    with watching(out.with_name(".copy.db")) as disk:
        take_snapshot(path, out, now=SystemClock().now())
    writes = disk.done()
    for number in (1, writes // 2, *range(writes - 12, writes + 1)):
        out.unlink(missing_ok=True)
        with watching(out.with_name(".copy.db")) as disk:
            disk.refuse(number, trouble)
            with pytest.raises(StorageFailed, match=r"copy\.db"):
                take_snapshot(path, out, now=SystemClock().now())
        assert [left.name for left in tmp_path.iterdir()] == ["t.db"], number


def test_a_file_of_no_name_is_a_folder_and_no_damage(run):
    for words in (("snapshot", "copy.db", "--cache-path", ""), ("snapshot", "")):
        done = run(*words)
        assert (done.returncode, done.stdout) == (4, "")
        assert "is a folder" in done.stderr or "There is no file" in done.stderr, done.stderr
        assert "harvest verify" not in done.stderr
