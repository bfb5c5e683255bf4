"""A crawl as it is watched: on terminals of several kinds, piped, in a log file, and by `status` from outside."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

import pytest

from tests.acceptance.conftest import environment
from tests.crawling import read

CRAWL = ("--db", "t.db", "--delay", "0.06", "--max-users", "16")


def on_a_terminal(arguments, cwd, environ, *, columns=80, lines=24, resize=None, keys=()):
    """Run on a pseudo-terminal; `resize` is (text to wait for, columns). Give what was shown, and the code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.execve(sys.executable, [sys.executable, "-m", "harvest", *map(str, arguments)], environ)
    shown, waiting, deadline = "", list(keys), time.monotonic() + 40
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break
        if resize and resize[0] in shown:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, resize[1], 0, 0))
            resize = None
        if waiting and waiting[0][0] in shown:
            os.write(terminal, waiting.pop(0)[1].encode())
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return shown, os.waitstatus_to_exitcode(status)


def terminal_environment(server, **more):
    environ = environment(server, **{"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **more})
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        environ.pop(name, None)
    return {**environ, **more}


class Screen:
    """As much of a terminal as the display needs: text, line ends, up, erase line. Keeps every picture it showed."""

    def __init__(self, shown):
        self.rows, self.row, self.column, self.pictures = [""], 0, 0, []
        for piece in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", shown):
            self.put(piece)
        self.pictures.append(list(self.rows))

    def put(self, piece):
        if piece == "\r":
            self.column = 0
        elif piece == "\n":
            self.row += 1
            self.rows += [""] * (self.row + 1 - len(self.rows))
        elif piece.endswith("A") and piece.startswith("\x1b["):
            self.row = max(self.row - int(piece[2:-1] or 1), 0)
        elif piece == "\x1b[2K":
            if self.rows[self.row]:
                self.pictures.append(list(self.rows))
            self.rows[self.row] = ""
        elif piece and not piece.startswith("\x1b"):
            line = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = line[: self.column] + piece + line[self.column + len(piece) :]
            self.column += len(piece)


def frames(shown):
    """Give the pictures in which the whole display stood, each as its lines."""
    found = [[row for row in picture if row] for picture in Screen(shown).pictures]
    return [picture for picture in found if any("to go" in row for row in picture) and "waiting" in picture[-1]]


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_a_terminal_of_any_width_sees_all_that_goes_on_and_no_line_wraps(server, tmp_path, columns):
    environ = terminal_environment(server)
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, environ, columns=columns)
    assert code == 0
    seen = frames(shown)
    assert max(len(line) for frame in seen for line in frame) <= columns
    for fact in ("Reading what they like", "in flight", "users", "tracks", "edges", "allowed", "complete", "waiting"):
        assert any(fact in line for frame in seen for line in frame), fact
    assert re.search(r"about \d+ s left", shown)
    assert "crawl.started" not in shown
    assert "Harvest complete" in shown.split("\x1b[?25h")[-1]


def test_the_display_goes_and_leaves_nothing_behind(server, tmp_path):
    shown, _ = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, terminal_environment(server))
    assert frames(shown)
    assert next(row for row in Screen(shown).rows if row).startswith("Harvest complete")
    assert not any("to go" in row or "━" in row for row in Screen(shown).rows)


def test_a_terminal_that_becomes_narrower_gets_shorter_lines(server, tmp_path):
    environ = terminal_environment(server)
    shown, code = on_a_terminal(
        [server.world.seed_url(), *CRAWL], tmp_path, environ, columns=100, resize=("Reading what", 44)
    )
    assert code == 0
    assert max(len(line) for line in frames(shown)[-1]) <= 44
    ups = [len(up) // len("\x1b[1A\x1b[2K") for up in re.findall(r"(?:\x1b\[1A\x1b\[2K)+", shown)]
    assert max(ups) >= 8  # once, over lines that the terminal has wrapped


def test_without_colour_there_are_no_colours(server, tmp_path):
    environ = terminal_environment(server, NO_COLOR="1")
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, environ)
    assert code == 0
    assert "to go" in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)


def test_a_dumb_terminal_gets_events_without_escapes(server, tmp_path):
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, terminal_environment(server, TERM="dumb"))
    assert code == 0
    assert "crawl.started" in shown
    assert "\x1b" not in shown


def test_an_ascii_terminal_gets_ascii(server, tmp_path):
    environ = terminal_environment(server, PYTHONIOENCODING="ascii")
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, environ)
    assert code == 0
    assert "####" in shown
    assert "\\u" not in shown.split("\x1b[?25h")[0]


def test_a_wait_is_shown_with_its_reason_and_the_time_that_is_left(server, tmp_path):
    server.use("throttled_gateway=0.1")
    environ = terminal_environment(server, HARVEST_HOLD_SECONDS="2")
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL, "--max-users", "5"], tmp_path, environ)
    assert code in (0, 5)
    assert re.search(r"waiting \d+ s: SoundCloud asks us to slow down", shown)


def test_ctrl_c_says_what_happens_above_the_display(server, tmp_path):
    shown, code = on_a_terminal(
        [server.world.seed_url(), *CRAWL, "--delay", "0.2"],
        tmp_path,
        terminal_environment(server),
        keys=[("Reading what", "\x03")],
    )
    assert code == 130
    assert re.search(r"Stopping( after the .* in flight)?; Ctrl-C again to stop at once\.", shown)
    assert not any("to go" in row or "━" in row for row in Screen(shown).rows)


def test_quiet_shows_nothing_on_a_terminal_either(server, tmp_path):
    shown, _ = on_a_terminal([server.world.seed_url(), *CRAWL, "-q"], tmp_path, terminal_environment(server))
    assert "to go" not in shown


def test_verbose_tells_of_every_page_above_the_display(server, tmp_path):
    shown, _ = on_a_terminal([server.world.seed_url(), *CRAWL, "-v"], tmp_path, terminal_environment(server))
    assert shown.count("page.committed") == read(tmp_path / "t.db", "SELECT count(*) FROM pages")[0][0]
    assert "to go" in shown


def test_the_log_file_has_it_all_beside_the_display(server, tmp_path):
    arguments = [server.world.seed_url(), *CRAWL, "--log-file", "crawl.log"]
    shown, _ = on_a_terminal(arguments, tmp_path, terminal_environment(server))
    events = [json.loads(line) for line in (tmp_path / "crawl.log").read_text().splitlines()]
    pages = [event for event in events if event["event"] == "page.committed"]
    assert len(pages) == read(tmp_path / "t.db", "SELECT count(*) FROM pages")[0][0]
    assert (events[0]["event"], events[-1]["event"]) == ("crawl.started", "crawl.ended")
    assert "page.committed" not in shown
    assert "to go" in shown


def test_a_log_file_that_cannot_be_written_is_refused_in_one_line(run, server):
    done = run(server.world.seed_url(), *CRAWL, "--log-file", "no/such/folder/x.log", server=server)
    assert done.returncode == 2
    assert "--log-file" in done.stderr


def test_piped_numbers_are_those_of_the_file(run, server, tmp_path):
    done = run(server.world.seed_url(), *CRAWL, "--log-format", "json", server=server)
    ended = next(e for e in map(json.loads, done.stderr.splitlines()) if e["event"] == "crawl.ended")
    path = tmp_path / "t.db"
    counted = {
        name: read(path, f"SELECT count(*) FROM {table}")[0][0]
        for name, table in {
            "pages": "pages",
            "users": "users",
            "tracks": "tracks",
            "edges": "user_engagements",
        }.items()
    }
    assert {name: ended[name] for name in counted} == counted
    assert ended["lists"] == dict(
        read(path, "SELECT outcome, count(*) FROM tasks WHERE kind <> 'resolve' GROUP BY outcome")
    )
    assert ended["requests"] == read(path, "SELECT sum(n) FROM run_requests")[0][0] == server.total
    assert (ended["remaining"], ended["lists_open"], ended["phase"]) == (0, 0, "done")


def test_status_looks_at_a_running_crawl_from_outside(run, start, server, tmp_path):
    process = start(server.world.seed_url(), "--db", "t.db", "--delay", "0.3", server=server)
    deadline = time.monotonic() + 20
    told = {}
    while time.monotonic() < deadline and not (told.get("progress") and told["pages"] > 3):
        time.sleep(0.3)
        done = run("status", "--db", "t.db", "--json")
        told = json.loads(done.stdout) if done.returncode == 0 else {}
    assert told["crawled_by"]["pid"] == process.pid
    assert told["harvests"][0]["state"] == "running"
    assert told["requests_left"] > 0
    plain = run("status", "--db", "t.db").stdout
    assert "harvest status --watch" in plain
    assert f"process {process.pid}" in plain
    process.terminate()
    process.communicate()
    stopped = json.loads(run("status", "--db", "t.db", "--json").stdout)
    assert stopped["crawled_by"] is None
    assert "harvest resume" in stopped["next"]
    assert (
        stopped["likes"] == read(tmp_path / "t.db", "SELECT count(*) FROM user_engagements")[0][0] - stopped["reposts"]
    )


def test_status_watches_until_the_crawl_ends(run, start, server, tmp_path):
    process = start(server.world.seed_url(), "--db", "t.db", "--delay", "0.1", "--max-users", "20", server=server)
    while not (tmp_path / "t.db").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    looks = [json.loads(line) for line in run("status", "--db", "t.db", "--watch", "--json").stdout.splitlines()]
    process.communicate()
    assert len(looks) >= 2
    assert looks[-1]["crawled_by"] is None
    assert looks[-1]["phase"] == "done"
    assert [look["pages"] for look in looks] == sorted(look["pages"] for look in looks)
