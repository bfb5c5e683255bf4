"""A crawl as it is watched: on terminals of several kinds, piped, in a log file, and by `status` from outside."""

from __future__ import annotations

import html
import json
import locale
import re
import runpy
from pathlib import Path

import pytest

from tests.acceptance.conftest import environment
from tests.crawling import read
from tests.terminals import on_a_terminal
from tests.waiting import read_until, until

ROOT = Path(__file__).parents[2]
CRAWL = ("--db", "t.db", "--delay", "0.02", "--max-users", "16")
IN_THE_MIDDLE = 14  # requests, some of them for what people like


def terminal_environment(server, **more):
    spoken = {} if locale.getencoding().lower() == "utf-8" else {"PYTHONIOENCODING": "utf-8"}  # else no copy would do
    environ = environment(server, **{"TERM": "xterm-256color", **spoken, **more})
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


@pytest.mark.parametrize("columns", [40, *(pytest.param(wide, marks=pytest.mark.slow) for wide in (80, 160))])
def test_a_terminal_of_any_width_sees_all_that_goes_on_and_no_line_wraps(server, tmp_path, columns):
    environ = terminal_environment(server)
    server.hold_after(IN_THE_MIDDLE)
    steps = [(" s left", lambda: server.hold_after(None))]
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, environ, columns=columns, steps=steps)
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


@pytest.mark.slow
def test_a_terminal_that_becomes_narrower_gets_shorter_lines(server, tmp_path):
    environ = terminal_environment(server)
    server.hold_after(IN_THE_MIDDLE)
    again = [("Reading what", lambda: None)] * 2
    steps = [("Reading what", 44), *again, ("Reading what", lambda: server.hold_after(None))]
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, environ, columns=100, steps=steps)
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
    server.use("throttled_gateway@6*1000")
    environ = terminal_environment(server, HARVEST_HOLD_SECONDS="600")
    steps = [("SoundCloud asks us to slow down", "\x03")]
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, environ, steps=steps)
    assert code == 130
    assert re.search(r"waiting [67]\d\d s: SoundCloud asks us to slow down", shown)


def test_ctrl_c_says_what_happens_above_the_display(server, tmp_path):
    server.hold_after(IN_THE_MIDDLE)
    steps = [("Reading what", "\x03"), ("Ctrl-C again", lambda: server.hold_after(None))]
    shown, code = on_a_terminal([server.world.seed_url(), *CRAWL], tmp_path, terminal_environment(server), steps=steps)
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
        read(path, "SELECT outcome, count(*) FROM tasks WHERE kind NOT IN ('resolve', 'lookup') GROUP BY outcome")
    )
    assert ended["requests"] == read(path, "SELECT sum(n) FROM run_requests")[0][0] == server.total
    assert (ended["remaining"], ended["lists_open"], ended["phase"]) == (0, 0, "done")


def test_status_looks_at_a_running_crawl_from_outside(run, start, server, tmp_path):
    server.hold_after(IN_THE_MIDDLE)
    process = start(server.world.seed_url(), *CRAWL, "--concurrency", "2", server=server)
    until(lambda: server.total > IN_THE_MIDDLE)
    told = until(lambda: looks(run)[0] if looks(run)[0].get("progress") else None)
    assert told["crawled_by"]["pid"] == process.pid
    assert told["harvests"][0]["state"] == "running"
    assert told["pages"] > 3
    assert told["requests_left"] > 0
    plain = run("status", "--db", "t.db").stdout
    assert "harvest status --watch" in plain
    assert f"process {process.pid}" in plain
    process.terminate()
    read_until(process.stderr, "Ctrl-C again")
    server.hold_after(None)
    process.communicate()
    (stopped,) = looks(run)
    assert stopped["crawled_by"] is None
    assert "harvest resume" in stopped["next"]
    assert (
        stopped["likes"] == read(tmp_path / "t.db", "SELECT count(*) FROM user_engagements")[0][0] - stopped["reposts"]
    )


def looks(run):
    return [json.loads(line) for line in run("status", "--db", "t.db", "--json").stdout.splitlines()]


def test_status_watches_until_the_crawl_ends(start, server):
    server.hold_after(IN_THE_MIDDLE)
    process = start(server.world.seed_url(), *CRAWL, server=server)
    until(lambda: server.total > IN_THE_MIDDLE)
    watching = start("status", "--db", "t.db", "--watch", "--json")
    first = watching.stdout.readline()
    server.hold_after(None)
    seen = [json.loads(line) for line in (first + watching.communicate()[0]).splitlines()]
    process.communicate()
    assert seen[0]["crawled_by"]["pid"] == process.pid
    assert seen[-1]["crawled_by"] is None
    assert seen[-1]["phase"] == "done"
    assert [look["pages"] for look in seen] == sorted(look["pages"] for look in seen)


def test_the_picture_in_the_readme_can_be_drawn(tmp_path):
    draw = runpy.run_path(str(ROOT / "scripts" / "picture.py"))["draw"]
    draw(tmp_path / "crawl.svg", people=15, pace=0.01, hold=0.5)
    drawn = html.unescape((tmp_path / "crawl.svg").read_text("utf-8")).replace("\xa0", " ")
    assert "$ harvest https://soundcloud.com/artist/track --max-users 15<" in drawn
    assert [len(re.findall(rf">{row} ", drawn)) for row in ("pages", "found", "pace", "lists")] == [3, 3, 3, 3]
