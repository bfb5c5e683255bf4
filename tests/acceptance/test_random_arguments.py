"""Whatever is typed, a command ends with a documented code and says why in words: no trace, no "unexpected"."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import subprocess

import click
import pytest

from harvest.cli.main import COMMANDS, cli
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, World
from tests.crawling import crawl_world

DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 130}
CHECKS = {"verify", "doctor"}  # whose 1 is that something is not well
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# What no process can be given, a NUL or a half of a pair, is not among them.
LONG = ("a" * 300, "b/" * 3000, "ü" * 200)
TEXTS = (
    "", " ", "-", "--", "---", "-1", "0", "1", "5", "9" * 30, "1e308", "nan", "inf", "-0", "0x10", "1h", "2m", "-5s",
    "25:00", "02:30", "\u202eevil", "ünïcode", "\U0001f3a7", "e\u0301", "\udcff", "\x1b[2J", "a\nb", "a\r", "\ufeff",
    "%s%n", "{0}", "$HOME", "`id`", "' OR 1=1 --", '"', "\\", "*", "#", "=", "a=b", "~", "~nobody/x",
    *LONG,
)  # fmt: skip
SEEDS = (
    "http://[::1", "https://[", "http://", "//", "https://soundcloud.com", "https://soundcloud.com/%", "me", "a/b",
    "https://soundcloud.com/a/b?secret_token=%00", "soundcloud:tracks:", "soundcloud:tracks:-1",
    f"soundcloud:tracks:{'9' * 40}", "soundcloud:tracks:1", "https://soundcloud.com:99999/a/b",
    "https://soundcloud.com/\u202e/x", "http://a:b@soundcloud.com/c/d", "https://exämple.com/a/b", "file:///x/y",
)  # fmt: skip
QUERIES = (
    "SELECT 1",
    "SELECT :a",
    "tables",
    "co-likes",
    "SELECT",
    ";",
    "-- x",
    "search",
    "SELECT '\udcff'",
    "PRAGMA x=1",
)
PLACES = ("t.db", "t.db/x", "new/a.db", "folder", "pipe", "empty.db", "text.db", ":memory:", "a?b#c%20.db", "loop")


def leaves(command, *name):
    """Every command that does something, with its name."""
    if isinstance(command, click.Group):
        for below in command.list_commands(click.Context(command)):
            yield from leaves(command.get_command(click.Context(command), below), *name, below)
    else:
        yield name, command


ALL = list(leaves(cli))


def value_for(param, draw):
    """Something for a parameter: mostly what may be meant, in the wrong place too."""
    if isinstance(param.type, click.Choice) and draw.random() < 0.6:
        return draw.choice(list(param.type.choices))
    if isinstance(param.type, click.Path):
        awaited = "pipe" if param.type.exists else ""  # whoever has a file read that is a pipe waits for who writes it
        return draw.choice([*[place for place in PLACES if place != awaited] * 2, *TEXTS])
    if isinstance(param.type, click.IntRange | click.FloatRange) and draw.random() < 0.6:
        return draw.choice(["0", "1", "3", "-1", "1.5"])
    return draw.choice([*TEXTS, *SEEDS, *QUERIES, *PLACES])


def typed(draw):
    """A command line; what would serve until somebody stops it is given a port that there is not."""
    name, command = draw.choice(ALL)
    words = []
    for param in command.params:
        if isinstance(param, click.Argument):
            wanted = draw.choice([0, 1, 1, 1, 2])
            words += [[value_for(param, draw)] for _ in range(wanted)]
        elif draw.random() < 0.15 or (draw.random() < 0.7 and param.name == "path"):
            option = draw.choice(param.opts)
            words.append([option] if param.is_flag else [option, value_for(param, draw)])
    if draw.random() < 0.1:
        words.append([draw.choice(["--no-such", "-Z", "--help", "--version", *TEXTS])])
    draw.shuffle(words)
    if any("--port" in param.opts for param in command.params):
        words.append(["--port", "70000"])
    if name[0] == "demo":  # it crawls, at a pace that a test cannot wait for
        words.append(["--delay", "0"])
    return [*name, *(word for group in words for word in group)]


def test_every_command_is_among_those_that_are_tried():
    assert {name[0] for name, _ in ALL} == set(COMMANDS)


@pytest.fixture(scope="module")
def harvested(tmp_path_factory):
    path = tmp_path_factory.mktemp("tried") / "t.db"
    crawl_world(path, World(3, users=12, tracks=20, likes_per_user=3))
    return path


def furnish(folder, harvested):
    """A folder with everything in it that may stand where a file should be."""
    shutil.copy(harvested, folder / "t.db")
    (folder / "folder").mkdir()
    (folder / "empty.db").touch()
    (folder / "text.db").write_text("no database")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")


def complaint(arguments, done):
    """What is wrong with how a command line ended; None where nothing is."""
    said = done.stderr.splitlines()
    if "Traceback" in done.stderr or "harvest: unexpected" in done.stderr or "please report" in done.stderr:
        return "blames itself"
    if done.returncode not in DOCUMENTED or (done.returncode == 1 and arguments[0] not in CHECKS):
        return f"ends with {done.returncode}"
    if OBEYED.search(done.stderr) or OBEYED.search(done.stdout):
        return "moves the cursor"
    reasons = [line for line in said if line.startswith(("harvest: ", "Error: "))]
    if done.returncode in (2, 3, 4) and len(reasons) != 1:
        return f"gives {len(reasons)} reasons"
    return None


def wrong_of(seed, lines, run, tmp_path, harvested):
    """Type as many random lines, and give those that end badly."""
    draw, wrong = random.Random(seed), []
    home = {"HOME": str(tmp_path / "home"), "SSH_CONNECTION": "a 1 b 2", "SOUNDCLOUD_CLIENT_ID": DEMO_CLIENT_ID}
    home |= {"SOUNDCLOUD_CLIENT_SECRET": DEMO_CLIENT_SECRET, "SOUNDCLOUD_API_URL": "http://127.0.0.1:9"}
    home |= {"SOUNDCLOUD_AUTH_URL": "http://127.0.0.1:9", "HARVEST_HOLD_SECONDS": "0.01"}
    for number in range(lines):
        if number % 20 == 0:
            for left in list(tmp_path.iterdir()):
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
            furnish(tmp_path, harvested)
        arguments = typed(draw)
        try:
            done = run(*arguments, timeout=60, **home)
        except subprocess.TimeoutExpired:
            wrong.append(f"harvest {shlex.join(arguments)}\n  does not end")
            continue
        if problem := complaint(arguments, done):
            wrong.append(f"harvest {shlex.join(arguments)}\n  {problem}: {done.stderr[-400:]!r}")
    return wrong


def test_what_is_typed_at_random_ends_in_words(run, tmp_path, harvested):
    assert wrong_of(1, 15, run, tmp_path, harvested) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_much_that_is_typed_at_random_ends_in_words(run, tmp_path, harvested, seed):
    assert wrong_of(seed, 250, run, tmp_path, harvested) == []


@pytest.mark.soak
@pytest.mark.fresh
def test_what_nobody_has_typed_yet_ends_in_words(run, tmp_path, harvested, fresh_seed):
    assert wrong_of(fresh_seed, 150, run, tmp_path, harvested) == []
