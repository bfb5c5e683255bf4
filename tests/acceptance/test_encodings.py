"""What programs read is UTF-8, whatever encoding the terminal, the locale or a variable names."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import subprocess
import sys

import click
import pytest

from harvest.cli.main import COMMANDS, cli
from harvest.cli.main import main as run_here
from harvest.cli.options.crawl import json_option
from harvest.simulator import World
from tests.acceptance.conftest import environment
from tests.crawling import crawl_world, read
from tests.repetitions import one_in
from tests.waiting import PATIENCE

NAME = "é שלום 🎧 \u2028"
QUERY = "SELECT 'ü' AS \"näme\", username FROM users LIMIT 1"


def as_one(text):
    return json.loads(text)


def as_lines(text):
    return [json.loads(line) for line in text.split("\n")[:-1]]


def as_csv(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


SAYING = {
    "sql - -f json": as_one,
    "sql - -f ndjson": as_lines,
    "sql - -f csv": as_csv,
    "failures --json": as_lines,
    "failures --csv": as_csv,
    "status --json": as_one,
    "verify --json": as_one,
    "why user {user} --json": as_one,
    "related {track} --json": as_one,
    "similar {user} --json": as_one,
    "resume --json": as_one,
    "analyze --json": as_one,
}
UNLIKE_UTF8 = ("ascii", "latin-1", "cp1252", "utf-16", "shift_jis")


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A file in which everybody has a name that no older encoding can write; one list has failed."""
    path = tmp_path_factory.mktemp("named") / "t.db"
    crawl_world(
        path,
        World(3, users=12, tracks=20, likes_per_user=3),
        server_options={"faults": "bad_request_html[/reposters]"},
    )
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE users SET username = ?", (NAME,))
        connection.execute("UPDATE tracks SET title = ?", (NAME,))
    connection.close()
    return path


def said(monkeypatch, path, command, encoding):
    """Run a command in this process with a stdin and a stdout of some encoding; give the bytes it wrote."""
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(QUERY.encode()), encoding))
    ((user,),) = read(path, "SELECT min(subject_id) FROM tasks WHERE kind = 'user_likes' AND outcome = 'complete'")
    ((track,),) = read(path, "SELECT min(id) FROM tracks")
    words = command.format(user=user, track=track).split()
    with pytest.raises(SystemExit) as ended:
        run_here([*words, "--db", str(path)])
    out.flush()
    return ended.value.code, out.buffer.getvalue()


@pytest.mark.parametrize("command", one_in(3, SAYING))
def test_a_program_reads_the_same_whatever_a_terminal_reads(monkeypatch, named, tmp_path, command):
    found = set()
    for encoding in ("utf-8", *UNLIKE_UTF8):
        path = tmp_path / "t.db"
        shutil.copy(named, path)
        code, told = said(monkeypatch, path, command, encoding)
        found.add((code, told if command.split()[0] not in ("resume", "analyze", "verify") else b""))
        assert SAYING[command](told.decode("utf-8"))
    assert len(found) == 1
    if command.startswith(("sql", "failures", "why")):
        ((_, told),) = found
        assert NAME.strip() in json.dumps(SAYING[command](told.decode("utf-8")), ensure_ascii=False)


def options_of(command, *name):
    if isinstance(command, click.Group):
        for below in command.list_commands(click.Context(command)):
            yield from options_of(command.get_command(click.Context(command), below), *name, below)
    else:
        yield from ((name, option) for option in command.params)


def test_every_command_says_json_by_the_same_option():
    usual = json_option()(click.command()(lambda: None)).params[0].callback
    asked = [(name, option) for name, option in options_of(cli) if "--json" in option.opts]
    assert len(asked) > 10
    assert {name for name, option in asked if option.callback is not usual} == set()
    assert {name[0] for name, _ in asked} >= set(COMMANDS) & {"crawl", "plan", "search", "demo", "doctor", "auth"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "start",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_the_same_of_an_interpreter_that_starts_so(named, start):
    command = [sys.executable, "-m", "harvest", "sql", "-", "-f", "ndjson", "--db", str(named)]
    done = subprocess.run(
        command, input=QUERY.encode(), capture_output=True, env=environment(**start), timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert as_lines(done.stdout.decode("utf-8")) == [{"näme": "ü", "username": NAME}]
