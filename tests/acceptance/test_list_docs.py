"""docs/lists.md: every seed and every list it shows is tried as it stands there, in a simulated world."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harvest.cli.main import _run as run_here
from harvest.environment import Environment
from harvest.lists import BY_NAME, KINDS
from harvest.rules import RULES
from harvest.simulator import World, run_in_thread
from harvest.simulator.world.examples import examples
from harvest.things import SHOWN
from tests.acceptance.conftest import environment
from tests.crawling import read
from tests.repetitions import slow_but

PAGE = (Path(__file__).parents[2] / "docs" / "lists.md").read_text("utf-8")
WORLD = World(8, users=90, tracks=300, playlists=90, likes_per_user=12, artists=1, gone=0, forbidden=0)
FILE = Path("data/cache/tracks.db")


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the table below a heading."""
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in part.splitlines() if line[:3] == "| `"
            or (line[:2] == "| " and not line.startswith(("| seed", "| list")))]  # fmt: skip


def command(cell: str) -> str:
    found = re.fullmatch(r"`(harvest [^`]+)`", cell)
    assert found, cell
    return found[1]


SEEDS = {what: (command(example), re.findall(r"`([a-z-]+)`", read_of)) for what, example, read_of in rows("Seeds")}
LISTS = {name.strip("`"): rest for name, *rest in rows("Lists")}
BLOCK = re.search(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1].splitlines()


def addresses() -> dict[str, str]:
    """Give what stands in the world for the invented addresses of the page, longer ones first."""
    shown = examples(WORLD)
    of_tracks = ("track_comments", "track_reposters", "track_likers", "track_related")
    track = next(
        one for one in map(WORLD.id, ["track"] * 300, range(300)) if all(WORLD.listing(k, one) for k in of_tracks)
    )
    playlist = max(range(90), key=lambda one: _entries("playlist_reposters", one) and _entries("playlist_tracks", one))
    return {
        "https://soundcloud.com/artist/track/s-AbCdE": shown["a private link"],
        "https://soundcloud.com/artist/track": WORLD.track_url(track),
        "https://soundcloud.com/artist/sets/album": WORLD.playlist_url(WORLD.id("playlist", playlist)),
        "https://soundcloud.com/discover/sets/track-stations:5": shown["its station"],
        "https://on.soundcloud.com/AbCdE": shown["its short link"],
        "https://api.soundcloud.com/playlists/6": f"https://api.soundcloud.com/playlists/{WORLD.id('playlist', 6)}",
        "soundcloud:users:5": f"soundcloud:users:{WORLD.id('user', 3)}",
        "https://soundcloud.com/artist": shown["a person"],
    }


def _entries(kind: str, playlist: int) -> int:
    return len(WORLD.listing(kind, WORLD.id("playlist", playlist)))


@pytest.fixture
def harvest(tmp_path, monkeypatch):
    """Run a line of the page in an empty folder, as somebody who is signed in; invented addresses are real there."""
    monkeypatch.chdir(tmp_path)
    with run_in_thread(WORLD) as server:
        token = server.service.tokens.access_token(user=True)
        for name, value in environment(server, SOUNDCLOUD_ACCESS_TOKEN=token, HARVEST_DELAY="0").items():
            monkeypatch.setenv(name, value)

        def run(line: str) -> int:
            for invented, real in addresses().items():
                line = re.sub(rf"{re.escape(invented)}(?![\w-])", real, line)
            return run_here(shlex.split(line)[1:], Environment.here())

        yield run


def lists_read() -> set[str]:
    kinds = read(FILE, "SELECT DISTINCT kind FROM tasks WHERE kind NOT IN ('resolve', 'lookup')")
    return {KINDS[kind].option for (kind,) in kinds}


@pytest.mark.parametrize("what", slow_but([*SEEDS][::3], SEEDS))
def test_a_seed_is_read_as_the_page_says(harvest, capfd, what):
    line, lists = SEEDS[what]
    assert harvest(line) == 0, capfd.readouterr().err
    assert lists_read() == set(lists)


def test_every_list_is_where_the_page_says_and_can_be_looked_at(harvest, capfd):
    searches = [line for line, _ in SEEDS.values() if line.startswith("harvest search")]
    for line in (*BLOCK, "harvest https://soundcloud.com/discover/sets/track-stations:5", "harvest me", *searches):
        assert harvest(line) == 0, capfd.readouterr().err
    assert lists_read() == set(LISTS)
    for name, (_, _, column, look) in LISTS.items():
        table, _, rank = column.strip("`").partition(".")
        assert read(FILE, f"SELECT count(*) FROM {table} WHERE {rank} = 0") > [(0,)], name
        capfd.readouterr()
        assert harvest(command(look)) == 0, name
        assert len(capfd.readouterr().out.splitlines()) > (2 if " sql " in look else 0), name


def test_the_page_has_every_list_as_it_is_declared():
    assert [(name, *rest[:3]) for name, rest in LISTS.items()] == [
        (name, kind.title, f"{kind.cap:,}", f"`{kind.edge.table}.{kind.edge.rank}`") for name, kind in BY_NAME.items()
    ]


def test_the_page_has_a_seed_of_every_kind():
    lists = {name for _, names in SEEDS.values() for name in names}
    assert lists >= {name for rule in RULES.values() for name in rule.seed_read}
    assert {BY_NAME[name].subject for name in lists} == set(RULES)
    assert all(thing.title in SEEDS for thing in SHOWN)
    assert BLOCK
