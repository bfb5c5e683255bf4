"""`--ephemeral`: a crawl that is in memory alone writes nothing but what is asked for, and answers as any other."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path

import pytest

import harvest
from harvest.errors import SettingsError
from harvest.simulator import World, run_in_thread
from harvest.store import in_memory
from tests.crawling import graph_of, read, settings_for
from tests.exporting import leave
from tests.waiting import until

WORLD = World(6, users=50, tracks=120, playlists=60, likes_per_user=12, seed_likers=15)
USUAL = (WORLD.seed_url(), "--max-users", "5", "--delay", "0", "-q")
# What any command keeps of its own in the state folder: sign-ins, and the pace that all processes share.
OF_OURS = re.compile(r"state/harvest/(credentials/.*|pace\.db.*)")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Folders of one's own for everything that a process may write to: working, temporary, home, state."""
    for name in ("tmp", "home", "state"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return {"TMPDIR": tmp_path / "tmp", "HOME": tmp_path / "home", "XDG_STATE_HOME": tmp_path / "state"}


def written(folder):
    """Give all files but those of the state folder that hold nothing of a crawl, with what is in them."""
    files = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    return {name: content for name, content in files.items() if not OF_OURS.fullmatch(name)}, files


def names_of(folder, run, server):
    """Give the names and titles of a crawl into a file, which is then deleted."""
    path = folder / "kept.db"
    assert run(*USUAL, "--db", path, server=server).returncode == 0
    found = {row[0] for row in read(path, "SELECT username FROM users UNION SELECT title FROM tracks")}
    found |= {row[0] for row in read(path, "SELECT permalink_url FROM users UNION SELECT permalink_url FROM tracks")}
    graph = graph_of(path)
    path.unlink()
    return {name for name in found - {None} if len(name) > 8}, graph


def test_nothing_is_written_but_the_summary(run, tmp_path, here):
    with run_in_thread(WORLD) as server:
        names, _ = names_of(tmp_path, run, server)
        before, _ = written(tmp_path)
        done = run(*USUAL, "--ephemeral", server=server, **{name: str(path) for name, path in here.items()})
    assert done.returncode == 0, done.stderr
    assert "Harvest complete" in done.stdout
    assert "It was in memory alone" in done.stdout
    after, everything = written(tmp_path)
    assert after == before
    for name, content in everything.items():
        assert [text for text in names if text.encode() in content] == [], name


def test_what_is_exported_is_what_an_export_of_a_file_holds(run, tmp_path, here):
    with run_in_thread(WORLD) as server:
        assert run(*USUAL, "--db", "t.db", server=server).returncode == 0
        assert run("export", "kept", "--db", "t.db", "--format", "jsonl", "--lists").returncode == 0
        before, _ = written(tmp_path)
        given = ("--ephemeral", "--export", "out", "--format", "jsonl", "--lists")
        done = run(*USUAL, *given, server=server, **{name: str(path) for name, path in here.items()})
        assert done.returncode == 0, done.stderr
        again = run(*USUAL, *given, server=server)
    after, _ = written(tmp_path)
    made = {name.removeprefix("out/") for name in after.keys() - before.keys()}
    assert made == {one.name for one in (tmp_path / "kept").iterdir()}
    for name in made - {"manifest.json"}:
        here_and_there = [(tmp_path / folder / name).read_text("utf-8") for folder in ("out", "kept")]
        if name in ("croissant.json", "ro-crate-metadata.json"):  # they say when, and by how many requests
            here_and_there = [re.sub(r"\d+-\d\d-\d\dT[\d:]+Z|\d+ requests", "", text) for text in here_and_there]
        assert here_and_there[0] == here_and_there[1], name
    assert again.returncode == 4
    assert "holds an earlier export" in again.stderr


def test_the_numbers_are_those_of_a_crawl_into_a_file(run, tmp_path):
    with run_in_thread(WORLD) as server:
        plain = json.loads(run(*USUAL, "--db", "t.db", "--json", server=server).stdout)
        told = json.loads(run(*USUAL, "--ephemeral", "--json", server=server).stdout)
    assert told["path"] is None
    of_the_moment = {"path", "next", "progress", "last_activity", "harvests", "seconds"}
    of_the_moment |= {"tracks_per_second", "api_calls", "requests"}  # the sign-in is kept
    assert told.keys() == plain.keys()
    for name in told.keys() - of_the_moment:
        assert told[name] == plain[name], name


def test_what_an_export_chooses_from_stands_in_no_file_of_its_own(tmp_path):
    there = set()
    with run_in_thread(WORLD) as server:
        file = harvest.crawl(WORLD.seed_url(), ephemeral=True, settings=settings_for(server), delay=0, max_users=5)

    def look(*_):
        there.update(one.name for one in tmp_path.rglob("*") if one.is_file())

    leave(file.path, tmp_path / "out", format="csv", tell=look)
    assert set() < there < {one.name for one in (tmp_path / "out").iterdir()}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_while_it_runs_no_file_is_open_and_killed_it_leaves_nothing(start, tmp_path, here):
    paths = {name: str(path) for name, path in here.items()}
    with run_in_thread(WORLD) as server:
        before, _ = written(tmp_path)
        given = (WORLD.seed_url(), "--max-users", "15", "--delay", "0.2", "-q", "--ephemeral", "--export", "out")
        process = start(*given, server=server, **paths)
        until(lambda: server.total > 6)
        opened = [str(one.readlink()) for one in Path(f"/proc/{process.pid}/fd").iterdir()]
        assert [one for one in opened if one.startswith(str(tmp_path)) and "/state/" not in one] == []
        assert [one for one in opened if "etilqs" in one or "harvest-" in one] == []
        assert written(tmp_path)[0] == before
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert written(tmp_path)[0] == before


def test_stopped_it_still_exports_what_there_is(run, tmp_path):
    with run_in_thread(WORLD) as server:
        done = run(*USUAL, "--ephemeral", "--export", "out", "--format", "csv", "--max-requests", "6", server=server)
    assert done.returncode == 7, done.stderr
    assert "the file" not in done.stdout
    assert (tmp_path / "out" / "interactions.csv").exists()


def test_refused_by_the_service_it_still_exports_what_there_is(run, tmp_path):
    with run_in_thread(WORLD, faults="unauthorized@8*1000000") as server:
        done = run(*USUAL, "--ephemeral", "--export", "out", "--format", "csv", server=server)
    assert done.returncode != 0
    assert (tmp_path / "out" / "interactions.csv").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--ephemeral", "--db", "t.db"), "leave out --cache-path"),
        (("--ephemeral", "--keep-replies"), "leave out --keep-replies"),
        (("--export", "out"), "--export belongs to --ephemeral"),
        (("--ephemeral", "--format", "csv"), "--format belongs to --export"),
        (("--ephemeral", "--export", "out", "--ids", "pseudonym"), "needs --key FILE"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(run, tmp_path, words, said):
    with run_in_thread(WORLD) as server:
        done = run(WORLD.seed_url(), *words, server=server)
        assert server.total == 0
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_python_crawls_in_memory_as_well(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with run_in_thread(WORLD) as server:
        usual = {"settings": settings_for(server), "delay": 0, "max_users": 5}
        file = harvest.crawl(WORLD.seed_url(), ephemeral=True, **usual)
        kept = harvest.crawl(WORLD.seed_url(), path=tmp_path / "t.db", **usual)
        assert [like.title for like in file.likes] == [like.title for like in kept.likes]
        with pytest.raises(SettingsError, match="leave out path"):
            harvest.crawl(WORLD.seed_url(), ephemeral=True, path=tmp_path / "t.db", **usual)
        with pytest.raises(SettingsError, match="leave out keep_replies"):
            harvest.crawl(WORLD.seed_url(), ephemeral=True, keep_replies=True, **usual)
    assert [one.name for one in tmp_path.iterdir()] == ["t.db"]


def test_a_database_in_memory_is_gone_with_its_with():
    with in_memory.only_here() as path:
        assert in_memory.holds(path)
        assert not path.exists()
    assert not in_memory.holds(path)
