"""Outputs that nobody can read any more, or not yet: a crawl goes on to its true end, and a result ends quietly."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, environment
from tests.crawling import read
from tests.repetitions import slow_but

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
CAPS = ("--max-users", "5", "--delay", "0")


@pytest.fixture
def unread():
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.fixture
def harvest(tmp_path):
    """Run `harvest ...` with its outputs where a test wants them; give its exit code."""

    def call(*arguments, server=None, **where):
        return subprocess.run(
            [sys.executable, "-m", "harvest", *arguments],
            cwd=tmp_path,
            env=environment(server),
            timeout=60,
            check=False,
            **where,
        )

    return call


def assert_drained(tmp_path):
    assert read(tmp_path / "t.db", "SELECT h.state, r.stop_reason FROM harvests AS h, runs AS r") == [
        ("drained", "drained")
    ]


def test_a_crawl_whose_reader_has_gone_ends_with_its_own_code(harvest, server, tmp_path, unread):
    crawl = (server.world.seed_url(), "--db", "t.db", *CAPS)
    assert harvest(*crawl, "-v", server=server, stdout=unread, stderr=unread).returncode == 0
    assert_drained(tmp_path)


@pytest.mark.slow
def test_a_crawl_that_its_bound_ends_says_so_by_its_code_though_nobody_reads(harvest, server, unread):
    begun = (server.world.seed_url(), "--db", "u.db", *CAPS, "--max-requests", "3")
    stopped = harvest(*begun, server=server, stdout=unread, stderr=subprocess.PIPE)
    assert stopped.returncode == 7
    assert b"Broken" not in stopped.stderr


@pytest.mark.slow
def test_a_crawl_without_stderr_says_its_result_all_the_same(harvest, server, tmp_path):
    crawl = (server.world.seed_url(), "--db", "t.db", *CAPS, "-v")
    done = harvest(*crawl, server=server, stdout=subprocess.PIPE, preexec_fn=lambda: os.close(2))
    assert (done.returncode, b"Harvest complete" in done.stdout) == (0, True)
    assert_drained(tmp_path)


@FULL
@pytest.mark.slow
def test_a_full_stderr_stops_nothing(harvest, server, tmp_path):
    crawl = (server.world.seed_url(), "--db", "t.db", *CAPS)
    with Path("/dev/full").open("wb") as full:
        done = harvest(*crawl, "-v", server=server, stdout=subprocess.PIPE, stderr=full)
    assert (done.returncode, b"Harvest complete" in done.stdout) == (0, True)


@FULL
@pytest.mark.slow
def test_a_full_log_file_stops_nothing_and_is_given_up(harvest, server, tmp_path):
    crawl = (server.world.seed_url(), "--db", "t.db", "--max-users", "9", "--delay", "0", "--log-file", "/dev/full")
    logged = harvest(*crawl, server=server, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert logged.returncode == 0
    assert logged.stderr.count(b"log_file.given_up") == 1
    assert b"crawl.ended" in logged.stderr


@FULL
def test_a_full_stdout_gets_one_line_and_leaves_a_crawl_its_code(harvest, server, tmp_path):
    with Path("/dev/full").open("wb") as full:
        crawl = (server.world.seed_url(), "--db", "t.db", *CAPS, "-q")
        crawled = harvest(*crawl, server=server, stdout=full, stderr=subprocess.PIPE)
    assert (crawled.returncode, crawled.stderr.count(b"\n")) == (0, 1)


@pytest.mark.parametrize("command", slow_but(["status"], ["status", "failures --csv", "sql 'SELECT 1'", "sql"]))
def test_a_result_that_nobody_reads_ends_quietly(harvest, server, tmp_path, unread, command):
    assert harvest(server.world.seed_url(), "--db", "t.db", *CAPS, "-q", server=server).returncode == 0
    done = harvest(*shlex.split(command), "--db", "t.db", stdout=unread, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("way_in", [["-m", "harvest"], [str(ROOT / "scripts" / "harvest.py")]])
def test_ctrl_c_while_all_is_still_being_imported_gets_one_line(tmp_path, way_in):
    (tmp_path / "click.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    environ = environment() | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, *way_in, "status"], capture_output=True, text=True, env=environ, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")
