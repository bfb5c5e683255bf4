"""Nothing the service sends can break the terminal, the log, the SQL or a spreadsheet: the real command line."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import select
import subprocess
import sys

import pytest

from harvest.simulator import World, run_in_thread
from harvest.simulator.oracle import expect
from harvest.simulator.world.names import NASTY
from harvest.system.logs import printable
from tests import copying
from tests.acceptance.conftest import environment
from tests.crawling import read
from tests.waiting import PATIENCE

# Everything a terminal obeys, but for the line ends and tabs of our own.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
OWNED = ("\x1b]0;owned", "\x1b[2J", "\x07", "\u202e", "\x9b31m", "\u2028")
CAPS = ("--max-users", "40", "--delay", "0")


@pytest.fixture(scope="module")
def crowd():
    """A world in which everybody likes the hit, so that every nasty name is met."""
    return World(21, users=300, tracks=200, likes_per_user=2, seed_likers=300, seed_reposters=20)


@pytest.fixture(scope="module")
def rude(crowd):
    """Every name and title, and every list of likes, sends escape sequences."""
    faults = "error_500_escapes[/likes/tracks],text_escapes"
    with run_in_thread(crowd, faults=faults) as server:
        yield server


def test_what_the_service_sends_never_reaches_the_terminal_raw(run, rude, tmp_path):
    path = tmp_path / "t.db"
    ran = [run(rude.world.seed_url(), "--db", path, *CAPS, server=rude, HARVEST_MAX_USERS="6")]
    assert ran[0].returncode == 6, ran[0].stderr
    for arguments in (
        ("status",),
        ("status", "--json"),
        ("failures",),
        ("failures", "--json"),
        ("failures", "--csv"),
        ("verify",),
        ("retry", "--log-format", "json"),
    ):
        ran.append(run(*arguments, "--db", path, server=rude))
    for done in ran:
        for text in (done.stdout, done.stderr):
            assert OBEYED.findall(text) == [], (done.args, text[:2000])
            assert not any(line.startswith("ERROR all is lost") for line in text.splitlines())
    assert "owned" in ran[0].stdout + ran[1].stdout  # the title is shown, its escapes written out
    assert r"\x1b]0;owned" in ran[3].stdout  # the name of the person too
    assert read(path, "SELECT count(*) > 0 FROM users WHERE username LIKE char(27) || '%'") == [(1,)]  # data stay data


def test_a_live_display_shows_no_escape_of_the_service(rude, tmp_path):
    """On a terminal the display moves the cursor itself; what the service sent must not."""
    ours, theirs = pty.openpty()
    command = [rude.world.seed_url(), "--db", str(tmp_path / "t.db"), *CAPS]
    environ = environment(rude, TERM="xterm")
    process = copying.start(command, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environ)
    os.close(theirs)
    shown = b""
    try:
        while select.select([ours], [], [], PATIENCE)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        assert process.wait(timeout=PATIENCE) == 6
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    text = shown.decode("utf-8", "replace")
    assert "failed: SoundCloud has trouble" in text
    assert [sign for sign in OWNED if sign in text] == []


def test_nasty_names_are_kept_to_the_letter_and_stay_harmless(run, crowd, tmp_path):
    """Quotes, SQL, HTML, formulas, bidirectional text: data, character by character."""
    path = tmp_path / "t.db"
    with run_in_thread(crowd) as server:
        done = run(crowd.seed_url(), "--db", path, "--max-users", "0", "--delay", "0", server=server)
    assert done.returncode == 0, done.stderr
    names = {row[0] for row in read(path, "SELECT username FROM users")}
    assert set(NASTY) <= names
    assert names == {row["username"] for row in expect(crowd, max_users=0).users.values()}


@pytest.mark.slow
def test_a_spreadsheet_takes_no_name_for_a_formula(run, crowd, tmp_path):
    path = tmp_path / "t.db"
    with run_in_thread(crowd, faults="shape_list[/likes/tracks]") as server:
        assert run(crowd.seed_url(), "--db", path, "--max-users", "300", "--delay", "0", server=server).returncode == 6
    done = run("failures", "--csv", "--db", path)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    failed = read(path, "SELECT count(*) FROM failures WHERE resolved_at IS NULL")[0][0]
    assert len(rows) == failed > 200
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.lstrip()[:1] in set("=+-@＝＋－＠")]
    subjects = {row["subject"] for row in rows}
    assert {"'=SUM(A1:A9)", "'@import url", "'-2+3 cmd", "'+1 (555) 0100"} <= subjects
    assert "Earth, Wind, Comma, Band" in subjects
    as_json = [json.loads(line) for line in run("failures", "--json", "--db", path).stdout.splitlines()]
    assert "=SUM(A1:A9)" in {row["subject"] for row in as_json}  # JSON needs no apostrophe


@pytest.mark.slow
def test_an_output_that_cannot_write_a_name_writes_an_escape(run, crowd, tmp_path):
    path = tmp_path / "t.db"
    with run_in_thread(crowd, faults="shape_list[/likes/tracks]") as server:
        assert run(crowd.seed_url(), "--db", path, "--delay", "0", server=server).returncode == 6
    listed = subprocess.run(
        [sys.executable, "-m", "harvest", "failures", "--db", str(path)],
        capture_output=True,
        env=environment(PYTHONIOENCODING="latin-1"),
        check=False,
        timeout=PATIENCE,
    )
    assert (listed.returncode, listed.stderr.count(b"Traceback")) == (0, 0)
    assert "\\u05e9\\u05dc\\u05d5\\u05dd" in listed.stdout.decode("latin-1")  # shalom


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 🎧 עולם", "plain ünïcode 🎧 עולם"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("two\nlines\r", r"two\x0alines\x0d"),
        ("\u202eltr\u2066\u2069", r"\u202eltr\u2066\u2069"),
        ("\x9b\x07\x7f\x00", r"\x9b\x07\x7f\x00"),
        ("\u2028\u2029\ufeff", r"\u2028\u2029\ufeff"),
        ("\udc80", r"\udc80"),
        ("tab\there", r"tab\x09here"),
    ],
)
def test_what_moves_a_cursor_is_written_out(text, shown):
    assert printable(text) == shown
