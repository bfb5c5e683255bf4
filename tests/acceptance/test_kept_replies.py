"""Replies kept beside a file fit it whatever happens to the two, and a line says where they do not."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from harvest.crawler.session import put_back
from harvest.errors import NothingThere, StorageFailed
from harvest.models import Limits
from harvest.simulator import World, run_in_thread, serve
from harvest.store import database
from harvest.store.act_kinds import KeptPage
from harvest.store.journal import Journal
from harvest.store.refreshes import Refresh
from harvest.system.clock import SystemClock
from tests.acceptance.conftest import ROOT, environment
from tests.crawling import Onlooker, assert_exact, crawl_into, crawl_together, read
from tests.disk import BROKEN, FULL, LIBRARY, WAYS, Mark, Platter, Trouble, lay_down, watching
from tests.faulty import assert_no_contradiction
from tests.refreshing import a_world
from tests.replaying import acts_of, assert_replays, everything
from tests.waiting import PATIENCE, until

WORLD = World(4, users=12, tracks=40, likes_per_user=6, seed_likers=6, seed_reposters=3)
PAGE = 5
OPTIONS = ("--page-size", str(PAGE), "--delay", "0", "--concurrency", "2")


def crawled(path: Path, world: World = WORLD, **options: object) -> str:
    async def crawling() -> str:
        async with serve(world, gzip=False) as server:
            how = {"page_size": PAGE, "keep_replies": True, **options}
            return await crawl_into(path, server, **how)

    return asyncio.run(crawling())


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A crawl that kept its replies."""
    path = tmp_path_factory.mktemp("kept") / "t.db"
    assert crawled(path) == "drained"
    return path


@pytest.fixture
def path(kept, tmp_path):
    """A copy of the two files."""
    for name in ("t.db", "t.replies.db"):
        shutil.copy(kept.with_name(name), tmp_path / name)
    return tmp_path / "t.db"


def killed_at(where: str, commit: int, path: Path, server, *arguments: str) -> bool:
    """Crawl, and kill the process at a commit, as tests/killed.py counts them; say whether it came so far."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.killed", where, str(commit), str(path), *arguments],
        cwd=path.parent,
        env={**environment(server), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def kill_and_go_on(path: Path, run, commits: list[int], where: str = "any") -> int:
    """Kill a crawl at one commit after the other, then let it end; give how often an act was ahead of the file."""
    ahead = 0
    with run_in_thread(WORLD) as server:
        arguments = [server.world.seed_url(), "--db", str(path), "--keep-replies", *OPTIONS]
        for commit in commits:
            if not killed_at(where, commit, path, server, *arguments):
                break
            with suppress(sqlite3.OperationalError, TypeError):  # before the file has its tables, or its first act
                kept, held = acts_of(path)
                assert kept in (held, held + 1)
                ahead += kept > held
        done = run(*arguments, server=server)
        assert done.returncode == 0, done.stderr
    kept, held = acts_of(path)
    assert kept == held
    assert_exact(path, WORLD, page_size=PAGE)
    assert_replays(path)
    return ahead


def test_killed_between_the_two_commits_the_act_that_is_ahead_is_dropped(run, tmp_path):
    assert kill_and_go_on(tmp_path / "t.db", run, [1, 5], "between") == 1


def test_an_act_whose_transaction_fails_is_dropped_before_the_same_process_keeps_another(tmp_path, monkeypatch):
    """The run still ends in both files, without the page that only the replies had."""
    note, pages = Journal.note, []

    def noted(self, connection, act, *reply, **known):
        note(self, connection, act, *reply, **known)
        pages.extend([act] if isinstance(act, KeptPage) else [])
        if len(pages) == 6 and act is pages[-1]:
            raise StorageFailed("The disk is full.")

    path = tmp_path / "t.db"
    monkeypatch.setattr(Journal, "note", noted)
    with pytest.raises(StorageFailed):
        crawled(path)
    kept, held = acts_of(path)
    assert kept == held > 6
    assert crawled(path) == "drained"
    assert_exact(path, WORLD, page_size=PAGE)
    done = assert_replays(path)
    assert (done.runs, done.left_out) == (2, 0)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_at_every_commit_the_two_files_fit_each_other(run, tmp_path):
    commits = read_commits(tmp_path, run)
    ahead = 0
    for commit in range(1, commits + 1):
        folder = tmp_path / str(commit)
        folder.mkdir()
        ahead += kill_and_go_on(folder / "t.db", run, [commit])
    assert ahead > commits / 3


def read_commits(tmp_path: Path, run) -> int:
    """Give about how many commits a whole crawl has."""
    kill_and_go_on(tmp_path / "whole.db", run, [])
    return 2 * acts_of(tmp_path / "whole.db")[0]


def test_what_was_taken_up_again_after_kills_and_refreshes_is_made_again(tmp_path):
    """A stop in the middle of a refresh, a retry, and a look at everybody, in a world that moves."""
    path, world = tmp_path / "t.db", a_world(5)

    async def history() -> None:
        async with serve(world, gzip=False) as server:
            how = {"page_size": 20, "keep_replies": True}
            session = [(world.seed_url(), Limits(max_users=6))]
            await crawl_together(path, server, session, **how)
            server.move(9)
            await crawl_together(path, server, [], refresh=Refresh(full=True), onlooker=Onlooker(4), **how)
            await crawl_together(path, server, session, **how)
            put_back(path, SystemClock().now(), failure_class=None, outcomes=["complete"], keep_replies=True)
            await crawl_together(path, server, session, **how)

    asyncio.run(history())
    assert read(path, "SELECT count(*) > 5 FROM changes") == [(1,)]
    assert_replays(path)


def test_a_revisit_and_an_empty_list_store_no_body(tmp_path):
    path = tmp_path / "t.db"
    world = World(4, users=12, tracks=40, likes_per_user=6, seed_likers=6, seed_reposters=0)

    async def twice() -> None:
        async with serve(world, gzip=False) as server:
            how = {"page_size": PAGE, "keep_replies": True}
            await crawl_together(path, server, [(world.seed_url(), Limits())], **how)
            await crawl_together(path, server, [], refresh=Refresh(full=True), **how)

    asyncio.run(twice())
    with closing(sqlite3.connect(path.with_name("t.replies.db"))) as db:
        pages, bodies = db.execute(
            "SELECT (SELECT count(*) FROM acts WHERE what = 'page'), (SELECT count(*) FROM bodies)"
        ).fetchone()
    revisits = read(
        path,
        "SELECT count(*) FROM pages AS p JOIN pages AS b"
        " ON b.task_id = p.task_id AND b.number = p.number AND b.body_hash = p.body_hash AND b.reading < p.reading",
    )[0][0]
    assert revisits > 5
    assert bodies <= pages - revisits
    assert_replays(path)


# --- the pair -------------------------------------------------------------------------------------------------------


def refused(path: Path, run, *arguments: str) -> str:
    """Crawl on in a file whose replies do not fit: nothing is written; give the line that says so."""
    before = everything(path)
    with run_in_thread(WORLD) as server:
        done = run(server.world.user_url(server.world.id("user", 1)), "--db", path, *OPTIONS, *arguments, server=server)
    assert done.returncode == 4
    assert everything(path) == before
    (line,) = [line for line in done.stderr.splitlines() if "replies.db" in line]
    return line


def test_replies_that_are_missing_are_missed(run, path):
    path.with_name("t.replies.db").unlink()
    assert "is not there: Put back" in refused(path, run)
    assert not path.with_name("t.replies.db").exists()


def test_replies_stand_beside_the_file_also_where_a_link_leads_to_it(run, path, tmp_path):
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    with run_in_thread(WORLD) as server:
        somebody = server.world.user_url(server.world.id("user", 1))
        assert run(somebody, "--db", link, *OPTIONS, server=server).returncode == 0
    assert [file.name for file in link.parent.iterdir()] == ["link.db"]
    assert run("snapshot", tmp_path / "copy.db", "--db", link).returncode == 0
    assert assert_replays(tmp_path / "copy.db").runs == assert_replays(path).runs == 2


def test_an_older_copy_of_the_replies_is_told_from_those_of_the_file(run, path):
    with closing(sqlite3.connect(path.with_name("t.replies.db"))) as db:
        db.execute("DELETE FROM acts WHERE number > 5")
        db.commit()
    line = refused(path, run)
    assert "ends at act 5" in line
    assert "--no-keep-replies" in line


def test_the_replies_of_another_file_are_refused(run, path, tmp_path):
    other = tmp_path / "other" / "t.db"
    crawled(other)
    shutil.copy(other.with_name("t.replies.db"), path.with_name("t.replies.db"))
    assert "of another file" in refused(path, run)


def test_replies_that_lie_there_already_are_not_written_to(run, path, tmp_path):
    path.unlink()
    before = path.with_name("t.replies.db").read_bytes()
    with run_in_thread(WORLD) as server:
        done = run(server.world.seed_url(), "--db", path, "--keep-replies", *OPTIONS, server=server)
    assert done.returncode == 4
    assert "move it away" in done.stderr
    assert path.with_name("t.replies.db").read_bytes() == before


def test_the_file_remembers_it_for_whatever_is_crawled_into_it(run, path):
    with run_in_thread(WORLD) as server:
        somebody = server.world.user_url(server.world.id("user", 1))
        assert run(somebody, "--db", path, *OPTIONS, server=server).returncode == 0
        assert run("refresh", "--full", "--db", path, "--delay", "0", server=server).returncode == 0
        assert run("retry", "--outcome", "complete", "--db", path, "--delay", "0", server=server).returncode == 0
    assert acts_of(path)[0] == acts_of(path)[1] > 40
    assert assert_replays(path).runs == 4


def test_kept_no_more_they_stay_as_they_are_until_somebody_moves_them_away(run, path):
    replies = path.with_name("t.replies.db")
    before, pages = replies.read_bytes(), everything(path)["pages"]
    with run_in_thread(WORLD) as server:
        somebody = server.world.user_url(server.world.id("user", 1))
        ended = run(somebody, "--db", path, "--no-keep-replies", *OPTIONS, server=server)
        assert ended.returncode == 0
        assert "replies.end" in ended.stderr
        assert run("refresh", "--full", "--db", path, "--delay", "0", server=server).returncode == 0
        assert replies.read_bytes() == before
        again = run("refresh", "--db", path, "--keep-replies", server=server)
        assert (again.returncode, "move it away" in again.stderr) == (4, True)
        assert run("replay", replies, "-o", "old.db").returncode == 0
        assert everything(path.with_name("old.db"))["pages"] == pages
        replies.rename(path.with_name("old.replies.db"))
        begun = run("refresh", "--db", path, "--keep-replies", "--delay", "0", server=server)
        assert begun.returncode == 0
        assert "replies.partial" in begun.stderr
    made = run("replay", replies, "-o", "new.db")
    assert made.returncode == 4
    assert "begins in the middle" in made.stderr
    assert not path.with_name("new.db").exists()


def test_replies_that_are_taken_away_while_they_are_written_end_the_crawl(tmp_path):
    class Thief(Onlooker):
        def page_committed(self, *what) -> None:
            (tmp_path / "t.replies.db").unlink(missing_ok=True)

    with pytest.raises(StorageFailed, match=r"t\.replies\.db was deleted, moved or replaced"):
        crawled(tmp_path / "t.db", onlooker=Thief())


def test_a_second_crawl_leaves_the_replies_of_the_first_alone(run, start, tmp_path):
    path = tmp_path / "t.db"
    with run_in_thread(WORLD) as server:
        server.hold_after(10)
        process = start(server.world.seed_url(), "--db", path, "--keep-replies", *OPTIONS, server=server)
        until(lambda: server.total > 10)
        second = run(server.world.seed_url(), "--db", path, "--keep-replies", *OPTIONS, server=server)
        assert (second.returncode, "is being crawled by" in second.stderr) == (4, True)
        server.hold_after(None)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert_exact(path, WORLD, page_size=PAGE)
    assert assert_replays(path).runs == 1


def test_the_main_file_is_made_again_in_its_place_and_goes_on(run, path):
    there = everything(path)
    path.unlink()
    link = path.parent / "link"
    link.symlink_to(path.parent, target_is_directory=True)  # however the place is named
    assert run("replay", link / "t.replies.db", "-o", path).returncode == 0
    assert everything(path) == there
    with run_in_thread(WORLD) as server:
        assert run("refresh", "--full", "--db", path, "--delay", "0", server=server).returncode == 0
    assert_replays(path)


def test_the_secret_of_a_private_link_is_in_no_reply(tmp_path):
    path = tmp_path / "t.db"
    world = World(4, users=12, tracks=40, likes_per_user=6, seed_likers=6, seed_reposters=3, private=0.5)
    index = next(i for i in range(40) if "/s-" in world.track_url(world.id("track", i)))
    address = world.track_url(world.id("track", index))
    secret = address.rpartition("/s-")[2]

    async def crawling() -> None:
        async with serve(world, gzip=False) as server:
            await crawl_into(path, server, [address], page_size=PAGE, keep_replies=True)

    asyncio.run(crawling())
    assert read(path, "SELECT resolved_at IS NOT NULL FROM seeds") == [(1,)]
    with closing(sqlite3.connect(path.with_name("t.replies.db"))) as db:
        assert not [row for row in db.execute("SELECT detail FROM acts") if secret in row[0]]
    assert read(path, "SELECT count(*) FROM seeds WHERE address LIKE ?", f"%{secret}%") == [(1,)]


# --- the disk -------------------------------------------------------------------------------------------------------


def fails(path: Path, number: int, trouble: Trouble) -> None:
    """Crawl while the disk of the replies fails from its n-th change on, which is said; then go on."""
    with watching(path.with_name(f"{path.stem}.replies.db")) as disk:
        disk.refuse(number, trouble)
        with pytest.raises(StorageFailed, match=rf"{path.stem}\.replies\.db"):
            crawled(path)
    assert disk.failed
    with suppress(NothingThere):
        assert_no_contradiction(path)
    assert crawled(path) == "drained"
    assert_exact(path, WORLD, page_size=PAGE)
    assert_replays(path)


@pytest.mark.first_case
@pytest.mark.skipif(LIBRARY is None, reason="this Python hides its SQLite")
@pytest.mark.parametrize("trouble", [FULL, BROKEN], ids=["full", "broken"])
def test_a_crawl_goes_on_after_the_disk_of_its_replies_failed(tmp_path, trouble):
    fails(tmp_path / "early.db", 9, trouble)
    fails(tmp_path / "late.db", 60, trouble)


@pytest.mark.skipif(LIBRARY is None, reason="this Python hides its SQLite")
def test_after_a_power_cut_the_replies_are_not_behind_the_file(tmp_path, monkeypatch):
    """Both files stand on one disk, of which what was not synced may be lost, in any order."""
    monkeypatch.setattr(database, "_CHECKPOINT_PAGES", 60)
    lost = cut_and_go_on(tmp_path, 4, random.Random(1))
    assert lost > 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.skipif(LIBRARY is None, reason="this Python hides its SQLite")
def test_after_many_power_cuts_the_replies_are_not_behind_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "_CHECKPOINT_PAGES", 60)
    cut_and_go_on(tmp_path, 60, random.Random(2))


def cut_and_go_on(folder: Path, number: int, chance: random.Random) -> int:
    """Cut the power at some moments of a crawl, and go on; give how many acts the file had lost in all."""
    with watching(folder / "t") as disk:
        assert crawled(folder / "t.db") == "drained"
    moments = chance.sample([at for at, event in enumerate(disk.trace) if not isinstance(event, Mark)], number)
    platter, lost = Platter(), 0
    for moment, event in enumerate(disk.trace):
        if moment in moments:
            cut = folder / str(moment)
            cut.mkdir()
            lay_down(platter.power_cut(chance.choice(list(WAYS)), chance), cut / "t")
            with suppress(sqlite3.OperationalError, TypeError):
                kept, held = acts_of(cut / "t.db")
                assert kept >= held
                lost += kept - held
            assert crawled(cut / "t.db") == "drained"
            assert_exact(cut / "t.db", WORLD, page_size=PAGE)
            assert_replays(cut / "t.db")
        platter.add(event)
    return lost


# --- copies ---------------------------------------------------------------------------------------------------------


def test_a_snapshot_of_a_running_crawl_has_its_replies_as_far_as_it_goes(run, start, tmp_path):
    with run_in_thread(WORLD) as server:
        server.hold_after(12)
        process = start(server.world.seed_url(), "--db", "t.db", "--keep-replies", *OPTIONS, server=server)
        until(lambda: server.total > 12)
        done = run("snapshot", "copy.db", "--db", "t.db")
        assert done.returncode == 0, done.stderr
        server.hold_after(None)
        process.communicate(timeout=PATIENCE)
        kept, held = acts_of(tmp_path / "copy.db")
        assert kept == held > 3
        assert_replays(tmp_path / "copy.db")
        assert run("resume", "--db", "copy.db", "--delay", "0", server=server).returncode == 0
    assert_exact(tmp_path / "copy.db", WORLD, page_size=PAGE)
    assert_replays(tmp_path / "copy.db")
    assert_replays(tmp_path / "t.db")


def test_a_snapshot_without_the_replies_keeps_none_and_says_so(run, path):
    path.with_name("t.replies.db").unlink()
    done = run("snapshot", "copy.db", "--db", path)
    assert done.returncode == 0
    assert "the copy keeps none" in done.stderr
    assert read(path.with_name("copy.db"), "SELECT count(*) FROM replies") == [(0,)]
    assert not path.with_name("copy.replies.db").exists()


def test_a_snapshot_is_both_files_or_none(run, path):
    path.with_name("copy.replies.db").write_bytes(b"mine")
    done = run("snapshot", "copy.db", "--db", path)
    assert done.returncode == 4
    assert not path.with_name("copy.db").exists()
    assert path.with_name("copy.replies.db").read_bytes() == b"mine"
    assert run("snapshot", "t.sqlite", "--db", path, "--force").returncode == 4
    assert acts_of(path)[0] > 3


# --- the page on it -------------------------------------------------------------------------------------------------


def test_the_commands_of_the_page_do_what_it_says(run, tmp_path):
    page = (ROOT / "docs" / "replies.md").read_text("utf-8")
    commands = [line for block in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S) for line in block.splitlines()]
    inline = [text for text in re.findall(r"`harvest (.*?)`", page.replace("\n", " ")) if ".db" in text]
    commands = [command for command in commands if "simulate" not in command]  # which goes on until it is stopped
    assert len(commands) == 3
    assert len(inline) == 1
    with run_in_thread(WORLD) as server:
        for command in commands:
            words = command.removeprefix("harvest ").replace("artist/track", server.world.seed_url()).split()
            done = run(*words, server=server, HARVEST_DELAY="0", HARVEST_PAGE_SIZE=str(PAGE))
            assert done.returncode == 0, done.stderr
    there = everything(tmp_path / "tracks.db")
    assert everything(tmp_path / "again.db") == there
    (tmp_path / "tracks.db").unlink()
    assert run(*inline[0].split()).returncode == 0
    assert everything(tmp_path / "tracks.db") == there
