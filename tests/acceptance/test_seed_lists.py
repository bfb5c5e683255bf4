"""Many seeds at once: lists in files and on standard input, and what a harvested file is asked for."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys

import pytest

import harvest
from harvest.errors import QueryError, SeedError, SettingsError
from harvest.explore import seed_queries
from harvest.models import Limits
from harvest.simulator import World, run_in_thread
from tests.acceptance.conftest import ROOT, environment
from tests.copying import python
from tests.crawling import assert_exact, assert_union, crawl_world, read, settings_for
from tests.repetitions import slow_but
from tests.waiting import until

WORLD = World(7, users=160, tracks=200, playlists=60, likes_per_user=6, gone=0, forbidden=0, private=0.1)
PEOPLE = [WORLD.id("user", index) for index in range(160)]
TRACKS = [WORLD.id("track", index) for index in range(200) if not WORLD.facts.private(index)]
SHALLOW = ("--depth", "0", "--delay", "0", "-q")
GUIDE = (ROOT / "docs" / "crawling.md").read_text("utf-8")


def mixed(n: int) -> list[str]:
    """Name n things, every kind by its page, its URN, an address of the API or what people type."""
    things = [*(("track", one) for one in TRACKS[:150]), *(("user", one) for one in PEOPLE[:120])]
    things += [("playlist", WORLD.id("playlist", index)) for index in range(30)]
    ways = (
        lambda thing, one: getattr(WORLD, f"{thing}_url")(one),
        lambda thing, one: f"soundcloud:{thing}s:{one}",
        lambda thing, one: f"https://api.soundcloud.com/{thing}s/{one}",
        lambda thing, one: getattr(WORLD, f"{thing}_url")(one).replace("https://", "") + "?utm_source=x",
    )
    return [ways[place % len(ways)](*thing) for place, thing in enumerate(things[:n])]


@pytest.mark.slow
def test_a_list_of_120_addresses_is_one_harvest_and_equals_the_truth(run, tmp_path):
    seeds = mixed(120)
    lines = [*seeds[:60], "", "# by hand", *(f"  {seed}  # why not" for seed in seeds[60:]), seeds[0], seeds[7]]
    (tmp_path / "seeds.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    with run_in_thread(WORLD) as server:
        done = run("--from-file", "seeds.txt", "--db", "t.db", *SHALLOW[:-1], server=server)
        assert (done.returncode, "120 seeds to start from." in done.stderr) == (0, True), done.stderr
        piped = {"cwd": tmp_path, "env": environment(server), "input": "\n".join(reversed(seeds))}
        again = python(["-", "--db", "t.db", *SHALLOW], **piped)
        assert "Nothing to do" in again.stdout
    assert read(tmp_path / "t.db", "SELECT (SELECT count(*) FROM harvests), count(*) FROM seeds") == [(1, 120)]
    canonical = [seed.replace("?utm_source=x", "") for seed in seeds]
    canonical = [re.sub(r"https://api.soundcloud.com/(\w+)/", r"soundcloud:\1:", seed) for seed in canonical]
    canonical = [seed if "://" in seed or seed.startswith("soundcloud:") else f"https://{seed}" for seed in canonical]
    assert_exact(tmp_path / "t.db", WORLD, [canonical], Limits(depth=0))
    assert run("verify", "--db", "t.db").returncode == 0


def test_a_list_stands_beside_addresses_and_a_plan_takes_it_too(run, tmp_path):
    (tmp_path / "a.txt").write_text(f"soundcloud:users:{PEOPLE[0]}\n")
    (tmp_path / "b.txt").write_text(f"soundcloud:users:{PEOPLE[1]}\n")
    starts = (f"soundcloud:users:{PEOPLE[2]}", "--from-file", "a.txt", "--from-file", "b.txt", "--from-file=a.txt")
    with run_in_thread(WORLD) as server:
        planned = json.loads(run("plan", *starts, "--depth", "0", "--json", server=server).stdout)
        assert run(*starts, "--db", "t.db", *SHALLOW, server=server).returncode == 0
    found = read(tmp_path / "t.db", "SELECT thing_id FROM harvest_seeds JOIN seeds ON id = seed_id ORDER BY place")
    assert [seed["thing_id"] for seed in planned["seeds"]] == [row[0] for row in found] == [PEOPLE[2], *PEOPLE[:2]]


BAD = {
    "no file": (("--from-file", "nix.txt"), "nix.txt cannot be read: No such file or directory."),
    "a folder": (("--from-file", "."), ". is a folder: give a file"),
    "not text": (("--from-file", "utf16.txt"), "utf16.txt is not text in UTF-8"),
    "empty": (("--from-file", "empty.txt"), "empty.txt holds no seed"),
    "a bad line": (("--from-file", "bad.txt"), "bad.txt, line 3: 'ftp://x' is not a web address"),
    "more than one": (("--from-file", "bad.txt"), "(1 other line is bad too.)"),
    "nothing piped": (("-",), "Standard input holds no seed"),
    "twice": (("-", "--from-file", "-"), "Standard input can be read once"),
    "of without": (("artist/track", "--of", "tracks"), "--of goes with --from-sql"),
    "db without": (("artist/track", "--from-db", "k.db"), "--from-db goes with --from-sql"),
    "nothing": (("crawl",), "Missing argument 'URL...'"),
    "no query": (("--from-sql", "-- nothing", "--from-db", "k.db"), "There is no query in this"),
    "wrong query": (("--from-sql", "SELECT nix FROM users", "--from-db", "k.db"), "no such column: nix"),
    "a write": (("--from-sql", "DELETE FROM users", "--from-db", "k.db"), "This only reads"),
    "no row": (("--from-sql", "SELECT id FROM users WHERE 0", "--from-db", "k.db"), "The query gives no seed."),
    "NULL alone": (("--from-sql", "SELECT NULL", "--from-db", "k.db"), "The query gives no seed: NULL in all"),
    "ids": (("--from-sql", "SELECT id FROM users", "--from-db", "k.db"), "say of what, --of tracks, --of playlists"),
    "a word": (("--from-sql", "SELECT 'a b'", "--from-db", "k.db"), "Row 1 of the query: 'a b' has blanks in it"),
    "a fraction": (("--from-sql", "SELECT 1.5", "--from-db", "k.db"), "Row 1 of the query holds 1.5"),
    "a negative": (("--from-sql", "SELECT -1", "--from-db", "k.db", "--of", "users"), "is no URN"),
    "too many": (
        ("--from-sql", "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
         "--of", "users", "--from-db", "k.db"),
        "more than 1,000,000 rows",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A harvested file to ask."""
    path = tmp_path_factory.mktemp("known") / "k.db"
    crawl_world(path, WORLD, [f"soundcloud:tracks:{TRACKS[0]}"], Limits(max_users=5, max_user_likes=5))
    return path


@pytest.mark.parametrize("case", slow_but(BAD.keys() - {"too many"}, BAD))
def test_what_is_wrong_is_said_in_one_line_before_anything_is_made(run, tmp_path, known, case):
    arguments, line = BAD[case]
    (tmp_path / "utf16.txt").write_text("artist/track\n", encoding="utf-16")
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    (tmp_path / "bad.txt").write_text("artist/track\n\nftp://x\nsoundcloud:users:x\n")
    (tmp_path / "k.db").write_bytes(known.read_bytes())
    with run_in_thread(WORLD) as server:
        done = run(*arguments, "--db", "t.db", server=server)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert line in done.stderr
        assert len([told for told in done.stderr.splitlines() if told and not told.startswith(("Usage:", "Try"))]) == 1
        assert server.total == 0
    assert not (tmp_path / "t.db").exists()


def test_a_terminal_and_a_closed_stdin_are_no_list(tmp_path):
    main, terminal = pty.openpty()
    on_one = [sys.executable, "-m", "harvest", "-", "--db", "t.db"]
    done = subprocess.run(
        on_one, stdin=terminal, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    os.close(main)
    os.close(terminal)
    assert (done.returncode, done.stderr) == (
        2,
        "harvest: - reads seeds from a pipe or a file: harvest - < seeds.txt\n",
    )
    closed = ["sh", "-c", f"{shlex.join(on_one)} <&-"]
    done = subprocess.run(closed, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "harvest: There is no standard input to read seeds from.\n")


@pytest.mark.first_case
@pytest.mark.parametrize(
    ("query", "of", "thing"),
    [
        ("SELECT id FROM tracks ORDER BY id LIMIT 60", "tracks", "track"),
        ("SELECT NULL UNION ALL SELECT CAST(id AS TEXT) FROM users", "users", "user"),
        pytest.param("SELECT id, title FROM playlists", "playlists", "playlist", marks=pytest.mark.slow),
        pytest.param("SELECT urn FROM users", None, "user", marks=pytest.mark.slow),
        ("SELECT permalink_url FROM tracks LIMIT 9", None, "track"),
    ],
)
def test_what_a_query_gives_is_one_harvest_and_equals_the_truth(run, tmp_path, query, of, thing):
    first = WORLD.user_url(PEOPLE[0])
    opening = Limits(depth=0, seed_read=("uploads", "likes", "playlists", "liked-playlists"))
    crawl_world(tmp_path / "t.db", WORLD, [first], opening)
    firsts = [row[0] for row in read(tmp_path / "t.db", query) if row[0] is not None]
    wanted = [f"soundcloud:{of}:{one}" if of else one for one in firsts]
    with run_in_thread(WORLD) as server:
        done = run("--from-sql", query, *(("--of", of) if of else ()), "--db", "t.db", *SHALLOW[:-1], server=server)
        assert done.returncode == 0, done.stderr
        assert f"{len(wanted)} seeds to start from." in done.stderr
        assert ("1 row of the query without a seed (NULL), passed over." in done.stderr) == ("NULL" in query)
    limits = Limits(depth=0)
    assert_union(tmp_path / "t.db", WORLD, [(first, opening)], [(wanted, limits)])
    assert {row[0] for row in read(tmp_path / "t.db", "SELECT thing FROM visits WHERE harvest_id = 2")} == {thing}
    assert run("verify", "--db", "t.db").returncode == 0


def test_the_same_query_on_the_grown_file_is_another_harvest(run, tmp_path, known):
    (tmp_path / "t.db").write_bytes(known.read_bytes())
    asked = ("--from-sql", "SELECT urn FROM tracks", "--db", "t.db", "--read", "comments", *SHALLOW)
    harvests = "SELECT count(*) FROM harvests"
    with run_in_thread(WORLD) as server:
        assert run(*asked, server=server).returncode == 0
        assert read(tmp_path / "t.db", harvests) == [(2,)]
        assert run(*asked, server=server).returncode == 0
        assert read(tmp_path / "t.db", harvests) == [(2,)]
        tracks = read(tmp_path / "t.db", "SELECT count(*) FROM tracks")
        assert run(WORLD.user_url(PEOPLE[40]), "--db", "t.db", *SHALLOW, server=server).returncode == 0
        assert tracks < read(tmp_path / "t.db", "SELECT count(*) FROM tracks")
        assert run(*asked, server=server).returncode == 0
    assert read(tmp_path / "t.db", harvests) == [(4,)]


def test_python_takes_lists_and_queries_as_well(tmp_path, known):
    (tmp_path / "seeds.txt").write_text(f"soundcloud:users:{PEOPLE[1]}\n")
    with run_in_thread(WORLD) as server:
        usual = {"path": tmp_path / "t.db", "settings": settings_for(server), "delay": 0, "depth": 0}
        db = harvest.crawl(f"soundcloud:users:{PEOPLE[0]}", from_file=tmp_path / "seeds.txt", **usual)
        assert read(db.path, "SELECT thing_id FROM seeds ORDER BY id") == [(PEOPLE[0],), (PEOPLE[1],)]
        harvest.crawl(from_sql="SELECT id FROM users LIMIT 3", of="users", from_db=known, **usual)
        people = read(known, "SELECT id FROM users LIMIT 3")
        found = read(tmp_path / "t.db", "SELECT thing_id FROM harvest_seeds JOIN seeds ON id = seed_id ORDER BY 1")
        assert set(people) <= set(found)
        for options, error in (
            ({"from_file": "nix"}, SeedError),
            ({"of": "users"}, SettingsError),
            ({"from_sql": "SELECT 1"}, SeedError),
            ({"from_sql": "SELECT nix"}, QueryError),
        ):
            with pytest.raises(error):
                harvest.crawl(**options, **usual)


def test_a_query_gives_so_many_seeds_and_no_more(monkeypatch, known):
    monkeypatch.setattr(seed_queries, "MOST", 3)
    count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) SELECT i FROM n"
    assert len(seed_queries.seeds_from(known, count.format(3), "users").seeds) == 3
    with pytest.raises(QueryError, match="more than 3 rows"):
        seed_queries.seeds_from(known, count.format(4), "users")


def test_of_many_that_lead_nowhere_a_few_are_named(run, tmp_path):
    gone = [str(number) for number in range(1, 12)]
    (tmp_path / "seeds.txt").write_text("\n".join(f"soundcloud:users:{one}" for one in [PEOPLE[0], *gone]))
    with run_in_thread(WORLD) as server:
        done = run("--from-file", "seeds.txt", "--db", "t.db", *SHALLOW, server=server)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert (line.count("could not be resolved"), line.endswith("; and 6 more.")) == (5, True)
    assert "Not resolved: soundcloud:users:5\nNot resolved: 6 more" in done.stdout
    assert read(tmp_path / "t.db", "SELECT count(*) FROM visits") == [(1,)]


def test_the_lines_of_the_readme_run(run, tmp_path):
    lines = [
        shlex.split(line, comments=True)[1:] for line in GUIDE.splitlines() if re.match(r"harvest .*--from-", line)
    ]
    assert len(lines) == 2
    (tmp_path / "seeds.txt").write_text(f"soundcloud:users:{PEOPLE[1]}\n")
    with run_in_thread(WORLD) as server:
        assert run(WORLD.user_url(PEOPLE[0]), "--db", "data/cache/tracks.db", *SHALLOW, server=server).returncode == 0
        for words in lines:
            assert run(*words, "--delay", "0", "-q", server=server).returncode == 0
    assert read(tmp_path / "data/cache/tracks.db", "SELECT count(*) FROM harvests") == [(3,)]


@pytest.mark.parametrize("kill_at", slow_but([30], [2, 4, 30, 90]))
def test_a_long_list_killed_anywhere_goes_on_and_equals_the_truth(run, start, tmp_path, kill_at):
    seeds = [f"soundcloud:users:{one}" for one in PEOPLE]
    (tmp_path / "seeds.txt").write_text("\n".join(seeds))
    listed = ("--from-file", "seeds.txt", "--read", "links", "--seed-read", "links", "--db", "t.db", *SHALLOW)
    with run_in_thread(WORLD) as server:
        server.hold_after(kill_at)
        process = start(*listed, "--concurrency", "1", server=server)
        until(lambda: server.total >= kill_at)
        process.kill()
        process.communicate()
        server.hold_after(None)
        before = server.total
        assert run(*listed, server=server).returncode == 0
        asked = 1 + -(-len(seeds) // 50) + len(seeds)  # a token, batches, a list of each
        assert server.total - before <= asked - kill_at + 2  # what was in flight, and a token
        assert "Nothing to do" in run(*listed, server=server).stdout
    limits = Limits(depth=0, read=("links",), seed_read=("links",), via=())
    assert_exact(tmp_path / "t.db", WORLD, [seeds], limits)
    assert run("verify", "--db", "t.db").returncode == 0
