"""What asks the service, awaited: beside other tasks, cancelled and interrupted from outside, with what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import harvest
from harvest.cli.main import _run as run_here
from harvest.environment import Environment
from harvest.errors import SeedError, SettingsError
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, World, run_in_thread
from tests.crawling import assert_exact, read, settings_for
from tests.repetitions import slow_but
from tests.waiting import PATIENCE

WORLD = World(11, users=60, tracks=300, likes_per_user=15, seed_likers=30, seed_reposters=10, null_entries=0.05)
TWINS = [name for name in harvest.__all__ if f"a{name}" in harvest.__all__]


@pytest.fixture
def service():
    with run_in_thread(WORLD, keep_log=True) as running:
        yield running


def told_off(path):
    """A file that was stopped in order: nobody holds it, and its harvest waits to go on."""
    assert read(path, "SELECT count(*) FROM lease") == [(0,)]
    assert [thread.name for thread in threading.enumerate() if thread.name == "harvest"] == []
    return read(path, "SELECT state FROM harvests") == [("paused",)]


async def test_an_awaited_crawl_leaves_the_loop_to_others_and_makes_the_same_file(tmp_path, service):
    path, turns, heard = tmp_path / "t.db", 0, []

    async def others():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(others())
    db = await harvest.acrawl(
        WORLD.seed_url(), path=path, settings=settings_for(service), delay=0,
        progress=lambda page: heard.append((page.pages, threading.current_thread())),
    )  # fmt: skip
    beside.cancel()
    assert_exact(path, WORLD)
    assert turns > len(heard) > 10
    assert {thread for _, thread in heard} == {threading.current_thread()}
    asked = service.total
    again = await harvest.acrawl(WORLD.seed_url(), path=path, settings=settings_for(service), delay=0)
    assert (repr(again), service.total) == (repr(db), asked)


@pytest.mark.parametrize("how", slow_but(["cancel"], ["cancel", "timeout", "leave", "cancel at once"]))
async def test_a_crawl_that_is_cancelled_leaves_the_file_whole_and_goes_on(tmp_path, service, how):
    path, settings = tmp_path / "t.db", settings_for(service)
    options = {"path": path, "settings": settings, "delay": 0.01, "page_size": 5}
    if how == "leave":
        async with contextlib.aclosing(harvest.apages(WORLD.seed_url(), **options)) as pages:
            async for page in pages:
                if page.pages == 6:
                    break
    elif how == "timeout":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.25):
                await harvest.acrawl(WORLD.seed_url(), **options)
    elif how == "cancel at once":
        task = asyncio.create_task(harvest.acrawl(WORLD.seed_url(), **options))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        sixth = asyncio.Event()
        heard = {"progress": lambda page: sixth.set() if page.pages == 6 else None}
        task = asyncio.create_task(harvest.acrawl(WORLD.seed_url(), **options, **heard))
        await sixth.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    if how in ("cancel", "leave"):
        assert told_off(path)
        assert read(path, "SELECT stop_reason FROM runs") == [("interrupted",)]
        await harvest.aresume(path, settings=settings, delay=0)
    else:
        assert not path.exists() or read(path, "SELECT count(*) FROM lease") == [(0,)]
        await harvest.acrawl(WORLD.seed_url(), **{**options, "delay": 0})
    assert_exact(path, WORLD, page_size=5)


async def test_a_crawl_that_is_cancelled_twice_ends_at_once(tmp_path):
    """Without the pages in flight, which the service keeps back."""
    path, fifth = tmp_path / "t.db", asyncio.Event()
    with run_in_thread(WORLD, faults="slow@8*100000") as service:
        settings = settings_for(service)
        heard = {"progress": lambda page: fifth.set() if page.pages == 5 else None}
        task = asyncio.create_task(harvest.acrawl(WORLD.seed_url(), path=path, settings=settings, delay=0, **heard))
        await fifth.wait()
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=0.3)
        assert not done
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert told_off(path)
        assert read(path, "SELECT count(*) < 8 FROM pages") == [(1,)]
        service.use("")
        await harvest.aresume(path, settings=settings, delay=0)
    assert_exact(path, WORLD)


INTERRUPTED = """
import os, signal, threading
import harvest
from harvest.settings import Settings
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, World, run_in_thread

world = World(11, users=60, tracks=300, likes_per_user=15, seed_likers=30, seed_reposters=10, null_entries=0.05)
with run_in_thread(world) as server:
    settings = Settings(
        api_url=server.url, auth_url=server.url, client_id=DEMO_CLIENT_ID, client_secret=DEMO_CLIENT_SECRET
    )
    press = threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT))
    try:
        harvest.crawl(
            world.seed_url(), path="t.db", settings=settings, delay=0.05, page_size=5,
            progress=lambda page: press.start() if page.pages == 3 else None,
        )
    except KeyboardInterrupt:
        print([seed.state for seed in harvest.open("t.db").seeds], len(harvest.open("t.db").sql("lease")))
"""


@pytest.mark.slow
def test_a_cell_that_is_interrupted_while_it_waits_for_a_page_stops_in_order(tmp_path, service):
    """By the signal itself, which comes between two pages."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE, check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout == "['paused'] 0\n"
    harvest.resume(tmp_path / "t.db", settings=settings_for(service), delay=0)
    assert_exact(tmp_path / "t.db", WORLD, page_size=5)


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_takes_what_its_original_takes_and_gives_the_same(name):
    one, other = (inspect.signature(getattr(harvest, f"{a}{name}")) for a in ("", "a"))
    assert one.parameters == other.parameters
    if name == "pages":
        assert other.return_annotation.startswith("AsyncGenerator[Progress")
    else:
        assert one.return_annotation == other.return_annotation
        assert inspect.iscoroutinefunction(getattr(harvest, f"a{name}"))


def test_every_call_that_asks_the_service_has_a_twin():
    assert sorted(TWINS) == sorted(set(harvest.__all__) - {f"a{name}" for name in TWINS} - {
        "File", "Progress", "__version__", "open", "replay",
    })  # fmt: skip


def test_seeds_are_addresses_files_and_several_of_these(tmp_path, service):
    one, two, three = WORLD.seed_urls(3)
    (tmp_path / "seeds.txt").write_text(f"# mine\n{two}\n")
    options = {"settings": settings_for(service), "delay": 0, "max_users": 2}
    harvest.crawl(one, tmp_path / "seeds.txt", [three, one], path=tmp_path / "t.db", **options)
    assert [row[0] for row in read(tmp_path / "t.db", "SELECT address FROM seeds ORDER BY id")] == [one, two, three]
    with pytest.raises(SeedError, match=r"none\.txt"):
        harvest.crawl(tmp_path / "none.txt", path=tmp_path / "u.db", **options)


def test_a_search_keeps_what_it_finds_in_order(tmp_path, service):
    path, settings = tmp_path / "t.db", settings_for(service)
    word = (
        harvest.crawl(WORLD.seed_url(), path=tmp_path / "u.db", settings=settings, delay=0).tracks[0].title.split()[0]
    )
    db = harvest.search(word, path=path, settings=settings, delay=0, limit=7)
    found = [row[0] for row in read(path, "SELECT thing_id FROM search_results ORDER BY rank")]
    assert list(db.sql("found").pick("id")) == [(one,) for one in found]
    assert 0 < len(found) <= 7
    asked = service.total
    harvest.search(word, path=path, settings=settings, delay=0, limit=7)
    assert service.total == asked
    with pytest.raises(SettingsError, match="of is one of tracks, users, playlists"):
        harvest.search(word, path=path, of="albums")


def test_lists_that_failed_are_put_back(tmp_path):
    path = tmp_path / "t.db"
    with run_in_thread(WORLD, faults="error_500_html@12*100000") as broken:
        settings = settings_for(broken)
        with contextlib.suppress(harvest.errors.Blocked):
            harvest.crawl(WORLD.seed_url(), path=path, settings=settings, delay=0, max_failures=2)
        broken.use("")
        for wrong in ({"failure_class": "gone", "outcomes": "short"}, {"failure_class": "no"}, {"outcomes": ["no"]}):
            with pytest.raises(SettingsError):
                harvest.retry(path, settings=settings, **wrong)
        harvest.retry(path, settings=settings, delay=0)
        harvest.resume(path, settings=settings, delay=0)
    assert_exact(path, WORLD)


def test_a_file_is_kept_true(tmp_path):
    """A month later: what tend finds is what the file then says has changed, and comply empties who is gone."""
    path, world = tmp_path / "t.db", World(12, users=40, tracks=80, likes_per_user=8, seed_likers=20)
    with run_in_thread(world) as server:
        settings = settings_for(server)
        harvest.crawl(world.seed_url(), path=path, settings=settings, delay=0)
        server.move(60)
        found = asyncio.run(harvest.atend(path, settings=settings, delay=0))
        assert found.lists > 0
        assert sum(found.changes.values()) == len(harvest.open(path).changes()) > 0
        assert list(found.table) == list(found.changes.items())
        looked_up = harvest.counts(path, settings=settings, delay=0, older_than=1)
        assert [row[:2] for row in looked_up.table] == [(kind, one.looked_up) for kind, one in looked_up.items()] != []
        emptied = harvest.comply(path, settings=settings, delay=0)
    gone = {
        table: n
        for table in ("users", "tracks")
        if (n := len(read(path, f"SELECT 1 FROM {table} WHERE status = 'gone'")))
    }
    assert {table: n for table, n in emptied.things.items() if n} == gone
    assert emptied.erased
    assert all("<table>" in one._repr_html_() for one in (found, looked_up, emptied))


def test_a_plan_is_that_of_the_command_line(tmp_path, service, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    for name, value in {"API_URL": service.url, "AUTH_URL": service.url, "CLIENT_ID": DEMO_CLIENT_ID}.items():
        monkeypatch.setenv(f"SOUNDCLOUD_{name}", value)
    monkeypatch.setenv("SOUNDCLOUD_CLIENT_SECRET", DEMO_CLIENT_SECRET)
    command = ["plan", WORLD.seed_url(), "--max-users", "20", "--delay", "0", "--json"]
    assert run_here(command, Environment.here()) == 0
    told = json.loads(capfd.readouterr().out)
    planned = harvest.plan(WORLD.seed_url(), max_users=20, delay=0, settings=settings_for(service), save="plan.json")
    assert {**planned.as_json(), "seconds": 0} == {**told, "seconds": 0}  # which the service has its part in
    assert [row[0] for row in planned.table] == ["requests", "seconds", *planned.plan.rows, "bytes"]
    assert "<td>requests</td>" in planned._repr_html_()
    assert planned.plan.requests.low <= planned.plan.requests.likely <= planned.plan.requests.high
    db = harvest.crawl(
        WORLD.seed_url(), max_users=20, plan="plan.json", path="t.db", delay=0, settings=settings_for(service)
    )
    (hashed,) = db.sql("SELECT options ->> '$.plan' FROM runs").first()
    assert hashed == hashlib.sha256((tmp_path / "plan.json").read_bytes()).hexdigest()
    with pytest.raises(SettingsError, match=r"max.users"):
        harvest.crawl(WORLD.seed_url(), max_users=21, plan="plan.json", path="u.db", settings=settings_for(service))
    assert not (tmp_path / "data").exists()
