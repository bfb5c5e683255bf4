"""`harvest serve`: a real server in a process of its own, asked over its port, and seen in a real browser."""

from __future__ import annotations

import contextlib
import html
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.parse

import pytest

from harvest.errors import how_to_install
from harvest.explore.named import named_queries
from harvest.serving.metadata import tilde
from harvest.serving.server import listen
from tests.acceptance.conftest import environment
from tests.acceptance.serving import get, serving
from tests.crawling import crawl_world, read
from tests.repetitions import slow_but
from tests.waiting import PATIENCE

datasette_utils = pytest.importorskip("datasette.utils")
HOSTILE = "<script>document.title = 'gone'</script>"


@pytest.fixture(scope="module")
def path(tmp_path_factory, small_world):
    """A small crawl, of which somebody has the worst of names."""
    path = tmp_path_factory.mktemp("serve") / "t.db"
    crawl_world(path, small_world)
    writer = sqlite3.connect(path)
    writer.execute("UPDATE users SET username = ? WHERE id = (SELECT min(id) FROM users)", (HOSTILE,))
    writer.commit()
    writer.close()
    return path


@pytest.fixture(scope="module")
def address(path):
    with serving(path) as (address, _):
        yield address


def test_the_home_page_says_what_is_in_the_file(address, path):
    status, page = get(address)
    ((title, likes),) = read(path, "SELECT title, likes FROM totals, tracks JOIN harvests ON seed_id = tracks.id")
    assert status == 200
    assert title in page
    assert f"{likes:,} likes" in page
    assert all(f'href="/t/{name}"' in page for name in named_queries())


def test_a_table_has_facets_descriptions_and_its_number_of_rows(address, path):
    status, page = get(address, "t/tracks")
    ((n,),) = read(path, "SELECT count(*) FROM tracks")
    assert status == 200
    assert f"{n:,} rows" in page
    assert "likes; what a list of likers is measured against" in page
    facets = json.loads(get(address, "t/tracks.json?_size=0")[1])["facet_results"]
    access = {row["value"]: row["count"] for row in facets["access"]["results"]}
    assert access == dict(read(path, "SELECT access, count(*) FROM tracks WHERE access IS NOT NULL GROUP BY access"))
    assert "genre" in facets


def test_likes_show_names_beside_numbers(address, path):
    rows = json.loads(get(address, "t/user_engagements.json?_size=20&_shape=objects")[1])["rows"]
    page = html.unescape(get(address, "t/user_engagements?_size=20")[1])
    assert len(rows) == 20
    assert {row["engagement_type"] for row in rows} <= {"like", "repost"}
    for row in rows:
        ((name,),) = read(path, "SELECT username FROM users WHERE id = ?", row["user_id"])
        assert (name or str(row["user_id"])) in page
    (stored,) = json.loads(get(address, "t/engagements.json?_size=1&_labels=on&_shape=objects")[1])["rows"]
    ((name,),) = read(path, "SELECT username FROM users WHERE id = ?", stored["user_id"]["value"])
    assert stored["user_id"]["label"] == (name or str(stored["user_id"]["value"]))


def test_every_table_and_view_has_a_page(address, path):
    names = read(path, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view')")
    wrong = {name: get(address, f"t/{name}")[0] for (name,) in names if not name.startswith("sqlite")}
    assert {name: status for name, status in wrong.items() if status != 200} == {}


def test_tracks_are_searched(address, path):
    ((number, title),) = read(path, "SELECT t.id, title FROM tracks AS t JOIN harvests ON seed_id = t.id")
    words = urllib.parse.quote(title.split()[0])
    found = json.loads(get(address, f"t/tracks.json?_search={words}&_size=max")[1])
    assert number in [row[0] for row in found["rows"]]
    expected = read(path, "SELECT count(*) FROM track_search WHERE track_search MATCH ?", f'"{title.split()[0]}"')
    assert [(found["filtered_table_rows_count"],)] == expected
    assert get(address, "t/tracks?_search=%22%20AND%20(")[0] == 200


# What they tell of is read on request alone.
NOT_IN_A_PLAIN_CRAWL = (
    "playlists-around", "playlists-with", "follows-of", "commented", "uploads-of", "links", "found", "remixes-of",
    "duplicates", "communities",  # until somebody asks for an analysis
)  # fmt: skip


@pytest.mark.parametrize("name", named_queries())
def test_every_named_query_answers(address, name):
    parameters = "?words=ve*" if name == "search" else ""
    status, page = get(address, f"t/{name}{parameters}")
    assert status == 200
    assert named_queries()[name].question.replace("'", "&#39;") in page
    rows = json.loads(get(address, f"t/{name}.json{parameters}")[1])["rows"]
    assert rows or name in NOT_IN_A_PLAIN_CRAWL


def test_nothing_can_be_written(address, path):
    before = path.read_bytes()
    assert get(address, "t?sql=delete+from+tracks")[0] == 400
    assert get(address, "t?sql=with+x+as+(select+1)+delete+from+tracks")[0] == 400
    assert path.read_bytes() == before


def test_pages_of_other_sites_are_not_answered(address):
    assert get(address, Host="evil.example") == (421, "This is served to this computer alone.\n")


def test_names_from_the_service_are_no_markup(address, path):
    ((number,),) = read(path, "SELECT min(id) FROM users")
    for where in (f"t/users/{number}", f"t/likes?user_id={number}", f"t/likes-of?user={number}"):
        assert HOSTILE not in get(address, where)[1]
    assert "&lt;script&gt;" in get(address, f"t/users/{number}")[1]


def test_only_this_computer_can_reach_it():
    with contextlib.closing(listen(0)) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_ctrl_c_ends_it_well_and_a_port_in_use_is_one_line(path, run):
    with serving(path) as (address, process):
        assert get(address)[0] == 200
        taken = run("serve", "--db", str(path), "--port", str(urllib.parse.urlsplit(address).port))
        assert taken.returncode == 2
        assert re.fullmatch(r"harvest: Port \d+ cannot be used \(.*\): choose another with --port\.\n", taken.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (0, "")
        assert err == f"{path} is served there; Ctrl-C ends it.\n"


def test_what_is_written_meanwhile_is_seen(path, tmp_path):
    copy = tmp_path / "t.db"
    copy.write_bytes(path.read_bytes())
    with serving(copy) as (address, _):
        count = "t.json?sql=select+count(*)+from+tags"
        ((before,),) = json.loads(get(address, count)[1])["rows"]
        writer = sqlite3.connect(copy, isolation_level=None)
        writer.execute("INSERT INTO tags (name, folded) VALUES ('brand new', 'brandnew')")
        assert json.loads(get(address, count)[1])["rows"] == [[before + 1]]
        assert get(address, "t/tags")[0] == get(address)[0] == 200
        writer.close()
        assert json.loads(get(address, count)[1])["rows"] == [[before + 1]]


def test_a_missing_file_and_a_missing_library_are_one_line(run, path, tmp_path):
    done = run("serve", "--db", str(tmp_path / "none.db"))
    assert (done.returncode, "There is no file" in done.stderr) == (4, True)
    code = """
import pathlib, sys
sys.modules["datasette"] = None
from harvest.serving.server import application
try: application(pathlib.Path(sys.argv[1]))
except Exception as error: print(error.exit_code, error)
"""
    hidden = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, env=environment(), check=True
    )
    assert hidden.stdout == f"2 harvest serve needs datasette: {how_to_install('serve')}\n"


NAMES = (
    "t",
    "my.data",
    "a~b",
    "a#b",
    "a?b",
    "per%20cent",
    "two words",
    "ünï 漢",
    "harvest",
    "-",
    "_memory",
    "a'b\"c",
    "&amp;",
)


@pytest.mark.parametrize("name", slow_but(("a'b\"c",), NAMES))
def test_a_file_of_any_name_is_served_itself_and_every_link_works(path, tmp_path, name):
    """Files that another reading of the name leads to lie beside it, and none is made."""
    served = tmp_path / "a#folder" / f"{name}.db"
    served.parent.mkdir()
    shutil.copy(path, served)
    for decoy in (tmp_path / "a", served.with_name("a")):
        decoy.write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    with serving(served) as (address, _):
        status, home = get(address)
        assert status == 200
        links = {html.unescape(link) for link in re.findall(r'(?:href|action)="(/[^"]*)"', home)}
        assert {link: get(address, link)[0] for link in links} == dict.fromkeys(links, 200)
        (database,) = [one["path"] for one in json.loads(get(address, "-/databases.json")[1]) if one["path"]]
        assert database == str(served)
        where = next(link for link in links if link.endswith("/tracks"))
        ((n,),) = read(path, "SELECT count(*) FROM tracks")
        assert json.loads(get(address, f"{where}.json?_size=0")[1])["filtered_table_rows_count"] == n
    assert sorted(tmp_path.rglob("*")) == before
    assert served.read_bytes() == path.read_bytes()


def test_names_are_written_as_datasette_reads_them():
    for name in NAMES:
        assert tilde(name) == datasette_utils.tilde_encode(name)
        assert datasette_utils.tilde_decode(tilde(name)) == name


def test_a_file_behind_a_link_is_served_with_what_stands_in_its_log(path, tmp_path):
    there, link = tmp_path / "there" / "t.db", tmp_path / "link.db"
    there.parent.mkdir()
    shutil.copy(path, there)
    link.symlink_to(there)
    writer = sqlite3.connect(there)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE tracks SET title = 'in the log'")
    writer.commit()
    with serving(link) as (address, _):
        told = json.loads(get(address, "t/tracks.json?_size=1&_shape=objects")[1])["rows"]
    writer.close()
    assert told[0]["title"] == "in the log"


@pytest.mark.first_case
@pytest.mark.parametrize(
    "query",
    [
        "select zeroblob(1e9)",
        pytest.param("select hex(randomblob(500000000))", marks=pytest.mark.slow),
        pytest.param("select replace(hex(zeroblob(900000)), '0', hex(zeroblob(900000)))", marks=pytest.mark.slow),
        pytest.param("select 'a' like '" + "%a" * 1000 + "'", marks=pytest.mark.slow),
        "select group_concat(a.id || zeroblob(9000)) from tracks a, tracks b",
        pytest.param("select load_extension('x')", marks=pytest.mark.slow),
        "attach 'x.db' as x",
        pytest.param("pragma writable_schema = 1", marks=pytest.mark.slow),
        pytest.param("select nothing from nowhere", marks=pytest.mark.slow),
    ],
)
def test_a_query_that_is_bad_or_greedy_is_refused_on_its_page_and_nowhere_else(path, query):
    with serving(path) as (address, process):
        get(address)
        for _ in range(3):
            assert get(address, f"t?sql={urllib.parse.quote(query)}")[0] in (400, 403)
        assert get(address, "t/tracks")[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE)[1].splitlines()[1:] == []
