"""The list of the plug-in of docs/plugins.md is a list like any other: read, resumed, verified, forgotten, replayed."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from harvest.simulator import DEMO_CLIENT_SECRET, World, run_in_thread
from tests.acceptance.conftest import environment
from tests.acceptance.test_plugins import COMMAND, FILES, MAIN, install
from tests.crawling import read
from tests.replaying import everything
from tests.waiting import PATIENCE

WORLD = World(4, users=150, tracks=12, likes_per_user=8, seed_likers=100, seed_reposters=3)
READS = ("--read", "+comments,+mood-words", "--depth", "2", "--max-tracks", "12", "--max-listed", "8")
OPTIONS = (*READS, "--max-users", "6", "--page-size", "2", "--delay", "0", "--concurrency", "2", "--keep-replies")
TABLE = "plugin_mood_words"
ROWS = f"SELECT track_id, rank, user_id, word FROM {TABLE} WHERE rank IS NOT NULL ORDER BY 1, 2"
LISTS = "harvest_mood/lists.py"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The plug-in, installed: what PYTHONPATH is to be."""
    return install(tmp_path_factory.mktemp("site"), FILES)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory, site):
    """A crawl that was killed at two commits in its middle, and went on."""
    path = tmp_path_factory.mktemp("lists") / "t.db"
    with run_in_thread(WORLD) as server:
        env = {**environment(server), "PYTHONPATH": site}
        for commit in (60, 100, 10_000):
            how = [sys.executable, "-m", "tests.killed", "any", str(commit), str(path)]
            arguments = [*how, server.world.seed_url(), "--db", str(path), *OPTIONS]
            done = subprocess.run(
                arguments, cwd=path.parent, env=env, capture_output=True, timeout=PATIENCE, check=False
            )
            assert done.returncode == (0 if commit == 10_000 else -signal.SIGKILL), done.stderr.decode()
    return path


@pytest.fixture
def harvest(run, crawled, site, tmp_path):
    """Run `harvest` on a copy of the file, with the plug-in, whose files may be given otherwise."""
    for name in ("t.db", "t.replies.db"):
        shutil.copy(crawled.with_name(name), tmp_path / name)

    def call(*arguments, change=None, **options):
        there = install(tmp_path / "site", {**FILES, **change}) if change else site
        return run(*arguments, **{"HARVEST_CACHE_PATH": "t.db", "PYTHONPATH": there, **options})

    return call


def words(path):
    """What the list is, by the comments that our own list of them brought."""
    rows = read(
        path,
        "SELECT track_id, track_list_rank, user_id, body FROM comments WHERE track_list_rank IS NOT NULL ORDER BY 1, 2",
    )
    return [(track, rank, user, max(body.split(), key=len)) for track, rank, user, body in rows]


def changed(file, old, new):
    assert FILES[file].count(old) == 1
    return {file: FILES[file].replace(old, new)}


def test_killed_and_continued_it_is_exact_and_in_the_ledger(harvest, tmp_path):
    path = tmp_path / "t.db"
    assert read(path, ROWS) == words(path)
    assert len(words(path)) > 10
    ledger = "SELECT subject_id, outcome, collected, pages_read FROM tasks WHERE kind = '{}' ORDER BY 1"
    assert read(path, ledger.format(TABLE)) == read(path, ledger.format("track_comments"))
    assert max(pages for *_, pages in read(path, ledger.format(TABLE))) > 1
    assert read(path, f"SELECT count(*) FROM {TABLE} AS w JOIN pages AS p ON p.id = w.first_page_id") == [
        (len(words(path)),)
    ]
    sound = json.loads(harvest("verify", "--json").stdout)
    assert sound["sound"]
    assert f"edges.{TABLE}" in {check["check"] for check in sound["checks"]}
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"DELETE FROM {TABLE} WHERE id = (SELECT max(id) FROM {TABLE})")
    assert f"edges.{TABLE}: it should be that the edges of every list of kind {TABLE}" in harvest("verify").stdout


def test_it_is_planned_and_capped(harvest, tmp_path):
    few = ("--max-users", "3", "--db", "new.db")
    with run_in_thread(WORLD) as server:
        plans = [
            json.loads(harvest("plan", WORLD.seed_url(), *few, *reads, "--json", server=server).stdout)
            for reads in (("--read", "+mood-words"), ())
        ]
        with_it, without = (plan["requests"]["likely"] for plan in plans)
        assert with_it == without + 1  # one page of the seed
        cap = ("--cap", "mood-words=1", "--db", "new.db")
        assert harvest(WORLD.seed_url(), *OPTIONS[:-1], *cap, server=server).returncode == 0
    assert read(tmp_path / "new.db", ROWS) == [row for row in words(tmp_path / "t.db") if row[1] == 0]
    assert ("capped",) in read(tmp_path / "new.db", f"SELECT outcome FROM tasks WHERE kind = '{TABLE}'")


def test_what_is_forgotten_leaves_its_rows_and_does_not_come_back(harvest, tmp_path):
    path = tmp_path / "t.db"
    ((person, _),) = read(path, f"SELECT user_id, count(*) FROM {TABLE} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1")
    left = [row for row in read(path, ROWS) if row[2] != person]
    assert harvest("forget", f"soundcloud:users:{person}").returncode == 0
    assert read(path, ROWS) == left
    assert harvest("verify", "--forgotten").returncode == 0
    assert harvest("replay", "t.replies.db", "--out", "again.db").returncode == 0
    assert read(tmp_path / "again.db", ROWS) == left
    with run_in_thread(WORLD) as server:
        done = harvest("refresh", "--full", server=server)
        assert done.returncode == 0, done.stderr
    assert [row[2:] for row in read(path, ROWS)] == [row[2:] for row in left]
    assert harvest("verify").returncode == 0
    ((track,),) = read(path, f"SELECT min(track_id) FROM {TABLE}")
    assert harvest("forget", f"soundcloud:tracks:{track}").returncode == 0
    assert [row for row in read(path, ROWS) if row[0] == track] == []
    assert harvest("verify", "--forgotten").returncode == 0


def test_read_again_after_a_while_it_follows_what_came_and_went(harvest, tmp_path):
    path = tmp_path / "t.db"
    before = set(read(path, ROWS))
    with run_in_thread(WORLD.at(90)) as server:
        for _ in range(2):
            done = harvest("refresh", "--full", server=server)
            assert done.returncode == 0, done.stderr
    assert read(path, ROWS) == words(path)
    assert {row[2:] for row in before} - {row[2:] for row in words(path)}
    what = dict(read(path, f"SELECT what, count(*) FROM changes WHERE \"table\" = '{TABLE}' GROUP BY 1"))
    assert what.keys() == {"came", "went"}
    assert harvest("verify").returncode == 0
    assert harvest("replay", "t.replies.db", "--out", "again.db").returncode == 0
    assert everything(path) == everything(tmp_path / "again.db")


def test_replayed_it_is_the_same_and_a_new_column_is_filled(harvest, tmp_path):
    assert harvest("replay", "t.replies.db", "--out", "again.db").returncode == 0
    assert everything(tmp_path / "t.db") == everything(tmp_path / "again.db")
    more = FILES[LISTS].replace('("word", "TEXT"))', '("word", "TEXT"), ("letters", "INTEGER"))')
    more = more.replace(
        '"word": max(words, key=len)}', '"word": max(words, key=len), "letters": len(max(words, key=len))}'
    )
    done = harvest("replay", "t.replies.db", "--out", "more.db", change={LISTS: more})
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "more.db", ROWS) == words(tmp_path / "t.db")
    assert read(tmp_path / "more.db", f"SELECT count(*) FROM {TABLE} WHERE letters IS NOT length(word)") == [(0,)]
    with run_in_thread(WORLD) as server:
        assert harvest("refresh", "--full", server=server, change={LISTS: more}).returncode == 0
    assert read(tmp_path / "t.db", f"SELECT count(*) FROM {TABLE} WHERE letters IS NOT length(word)") == [(0,)]


def test_with_no_profiles_it_keeps_ids_alone(harvest, tmp_path):
    path = tmp_path / "t.db"
    expected = [(track, rank, user, None) for track, rank, user, _ in words(path)]
    with run_in_thread(WORLD) as server:
        how = ("--profiles", "none", "--no-keep-replies")
        assert harvest("resume", *how, server=server).returncode == 0
        assert read(path, ROWS) == expected
        assert harvest(WORLD.seed_url(), *OPTIONS[:-1], *how, "--db", "new.db", server=server).returncode == 0
    assert read(tmp_path / "new.db", ROWS) == expected


NOTE = (
    "Note: the plug-in mood is not loaded. Its lists (mood-words) count as the file has them; what they hold is not"
    " checked.\n"
)


def test_without_the_plug_in_the_file_is_read_and_one_line_says_what_is_missing(harvest, tmp_path):
    path = tmp_path / "t.db"
    before = read(path, ROWS)
    (track,) = read(path, f"SELECT min(track_id) FROM {TABLE}")[0]
    for command in (
        *(["status"], ["report"], ["export", "out"], ["export", "all", "--lists"], ["cite"]),
        *(["why", "track", str(track)], ["sql", "lists"], ["sql", f"SELECT count(*) FROM {TABLE}"], ["failures"]),
    ):
        done = harvest(*command, HARVEST_PLUGINS="0")
        assert (done.returncode, done.stderr.count(NOTE), done.stdout != "") == (0, 1, True), (command, done.stderr)
    assert harvest("failures", "--quiet", HARVEST_PLUGINS="0").stderr == ""
    assert NOTE not in harvest("status").stderr
    told, expected = (json.loads(harvest("status", "--json", HARVEST_PLUGINS=on).stdout) for on in ("0", "1"))
    assert told["lists"] == expected["lists"]
    assert TABLE in {one["kind"] for one in told["lists"]}
    assert read(path, ROWS) == before


def test_without_the_plug_in_what_is_left_to_do_is_told_as_with_it(harvest, tmp_path):
    few = ("--db", "new.db", "--max-requests", "8", "--cap", "mood-words=4")
    with run_in_thread(WORLD) as server:
        done = harvest(WORLD.seed_url(), *OPTIONS[:-1], *few, server=server)
        assert done.returncode == 7, done.stderr
    told, expected = (
        json.loads(harvest("status", "--db", "new.db", "--json", HARVEST_PLUGINS=on).stdout) for on in "01"
    )
    assert told == expected
    assert TABLE in {one["kind"] for one in told["lists"]}
    assert told["lists_open"] > 0
    checked, without = (harvest("verify", "--db", "new.db", "-q", HARVEST_PLUGINS=on) for on in "10")
    assert (checked.returncode, without.returncode) == (0, 0)
    assert "Not checked" not in checked.stdout
    ((n,),) = read(tmp_path / "new.db", f"SELECT count(*) FROM tasks WHERE kind = '{TABLE}'")
    assert without.stdout.splitlines()[1:] == [
        f"Not checked: the content of lists mood-words ({n}), only their ledger: the plug-in mood is not loaded."
        " Install it, or leave out HARVEST_PLUGINS=0, then verify again."
    ]
    assert harvest("verify", "--db", "new.db", HARVEST_PLUGINS="0").stderr == ""  # and no note beside it


def test_verify_without_the_plug_in_checks_the_ledger_of_its_lists(harvest, tmp_path):
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE recipes SET cap = cap + 1 WHERE kind <> '{TABLE}'")
        db.execute(f"UPDATE tasks SET collected = collected + 1 WHERE kind = '{TABLE}'")
    with_it = json.loads(harvest("verify", "--json").stdout)
    without = json.loads(harvest("verify", "--json", HARVEST_PLUGINS="0").stdout)
    ((n,),) = read(path, f"SELECT count(*) FROM tasks WHERE kind = '{TABLE}'")
    assert with_it["not_checked"] == []
    assert without["not_checked"] == [{"plugin": "mood", "kind": "mood-words", "lists": n}]
    wrong = [{one["check"] for one in told["checks"] if one["contradictions"]} for told in (with_it, without)]
    assert wrong[1] == {name for name in wrong[0] if TABLE not in name} > {"harvests.recipe"}


def test_without_the_plug_in_nothing_is_crawled_on(harvest, tmp_path):
    before = (tmp_path / "t.db").read_bytes()
    for command in (
        *(["resume"], ["refresh"], ["tend"], ["retry", "--outcome", "complete"], ["counts"]),
        *([WORLD.seed_url()], ["plan", WORLD.seed_url()], ["comply"]),
        ["replay", "t.replies.db", "--out", "t.db", "--force"],
    ):
        with run_in_thread(WORLD) as server:
            done = harvest(*command, server=server, HARVEST_PLUGINS="0")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), (command, done.stderr)
        assert done.stderr.startswith(
            "harvest: The file has lists of the plug-in mood (mood-words), which is not loaded"
        )
    assert harvest("replay", "t.replies.db", "--out", "a.db", HARVEST_PLUGINS="0").returncode == 2
    for command in (["forget", "soundcloud:users:1"], ["purge", "--all"]):
        assert harvest(*command, HARVEST_PLUGINS="0").returncode == 2
    assert (tmp_path / "t.db").read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["t.db", "t.replies.db"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE list_kinds SET kind = 'plugin_x_y; DROP TABLE tracks' WHERE kind LIKE 'plugin%'",
        "UPDATE list_kinds SET subject = 'seed' WHERE kind LIKE 'plugin%'",
        f"DROP TABLE {TABLE}",
        f"ALTER TABLE {TABLE} RENAME COLUMN rank TO place",
    ],
)
def test_a_strangers_file_cannot_make_up_a_list(harvest, tmp_path, change):
    with closing(sqlite3.connect(tmp_path / "t.db")) as db, db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(change)
    done = harvest("status", HARVEST_PLUGINS="0")
    assert (done.returncode, done.stderr.count("\n"), "unexpected" in done.stderr) == (2, 1, False), done.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max(words, key=len)}", "1 / 0}", "its list 'words': ZeroDivisionError: division by zero"),
        ('"word": max', '"wort": max', "its list 'words' reads a wrong wort"),
        ("user[1], ", "'x', ", "its list 'words' reads a wrong user_id"),
    ],
)
def test_an_entry_it_cannot_read_ends_the_crawl_and_what_is_stored_stays(harvest, tmp_path, old, new, said):
    with run_in_thread(WORLD) as server:
        done = harvest(WORLD.seed_url(), *OPTIONS, "--db", "new.db", server=server, change=changed(LISTS, old, new))
        assert done.returncode == 2
        assert f"harvest: The plug-in mood does not work: {said}. HARVEST_PLUGINS=0" in done.stderr
        assert harvest("resume", "--db", "new.db", server=server).returncode == 0
    assert read(tmp_path / "new.db", ROWS) == words(tmp_path / "new.db") == words(tmp_path / "t.db")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"words"', '"Words"', "its name must be of small letters, digits and underscores"),
        ('subject="track"', 'subject="song"', "its subject is one of"),
        ("/tracks/{urn}", "tracks", "its path begins with / and contains {urn}"),
        ('("word", "TEXT")', '("rank", "TEXT")', "columns are small letters, other than"),
        ('names="user_id"', 'names="word"', "names is a column called as a kind of thing"),
        ("LISTS = [", "LISTS = [1, ", "it is no OwnList"),
        ("LISTS = [", "LIST = [", "has no attribute 'LISTS'"),
        (
            "from harvest.things",
            "import harvest.export.tables\nfrom harvest.things",
            "at its top, before the lists are",
        ),
    ],
)
def test_a_wrong_declaration_is_named_in_one_line(harvest, old, new, said):
    done = harvest("status", change=changed(LISTS, old, new))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert harvest("--help", change=changed(LISTS, old, new)).returncode == 0


def near(path):
    """Which tracks have words in common, and how many, worked out here."""
    said = {}
    for track, _, _, word in words(path):
        said.setdefault(track, set()).add(word)
    pairs = [(one, other, len(said[one] & said[other])) for one in said for other in said if one != other]
    return sorted(pair for pair in pairs if pair[2])


def test_its_analysis_stands_beside_ours(harvest, tmp_path):
    path = tmp_path / "t.db"
    assert "mood-near (comments in the same words)" in " ".join(harvest("analyze", "--help").stdout.split())
    assert "mood-near" not in harvest("analyze", "--help", HARVEST_PLUGINS="0").stdout
    assert harvest("related", near(path)[0][0], "--method", "mood-near").stdout.endswith(
        "Nothing is near it. `harvest analyze --method mood-near` computes what is.\n"
    )
    made = json.loads(harvest("analyze", "--method", "mood-near", "--json").stdout)["methods"]
    assert [(one["method"], one["table"], one["pairs"], one["computed"]) for one in made] == [
        ("mood-near", "plugin_mood_near", len(near(path)), None)
    ]
    assert sorted(read(path, "SELECT * FROM plugin_mood_near")) == near(path)
    made = json.loads(harvest("analyze", "--json").stdout)["methods"]
    assert {one["method"]: one["computed"] for one in made}["mood-near"] == 0  # nothing new
    assert {one["method"] for one in made} > {"colike_cosine", "mood-near"}
    assert read(path, "SELECT state, parameters FROM derivations WHERE method = 'mood-near'") == [
        ("whole", '{"plugin": "mood", "version": "1.2"}')
    ]
    track = near(path)[0][0]
    nearest = sorted((-score, other) for one, other, score in near(path) if one == track)
    told = json.loads(harvest("related", track, "--method", "mood-near", "--json").stdout)
    assert [(-one["score"], one["id"]) for one in told["near"]] == nearest[:10]
    assert f"score {-nearest[0][0]}" in harvest("related", track, "--method", "mood-near").stdout
    assert harvest("verify").returncode == 0
    pairs = [pair for pair in near(path) if track not in pair[:2]]
    assert harvest("forget", f"soundcloud:tracks:{track}").returncode == 0
    assert sorted(read(path, "SELECT * FROM plugin_mood_near")) == pairs
    assert harvest("analyze", "--json").returncode == 0  # what was forgotten makes it stale
    assert sorted(read(path, "SELECT * FROM plugin_mood_near")) == near(path) == pairs


def test_an_analysis_that_fails_or_writes_elsewhere_changes_nothing(harvest, tmp_path):
    for new, said in (("1 / 0", "ZeroDivisionError"), ("connection.execute('DELETE FROM tracks')", "not authorized")):
        change = {MAIN: FILES[MAIN].replace("    connection.execute(\n", f"    {new}\n    connection.execute(\n")}
        done = harvest("analyze", "--method", "mood-near", change=change)
        assert (done.returncode, said in done.stderr) == (2, True)
        assert "harvest: The plug-in mood does not work: its analysis 'mood-near'" in done.stderr
    assert read(tmp_path / "t.db", "SELECT count(*) FROM derivations WHERE method = 'mood-near'") == [(0,)]


def test_each_run_records_which_plug_ins_took_part(harvest, tmp_path):
    runs = "SELECT options ->> '$.plugins.mood' FROM runs ORDER BY id"
    assert set(read(tmp_path / "t.db", runs)) == {("1.2",)}
    with run_in_thread(WORLD) as server:
        assert harvest(WORLD.seed_url(), "--max-users", "2", "--db", "new.db", server=server).returncode == 0
        off = {"HARVEST_PLUGINS": "0", "server": server}
        assert harvest(WORLD.seed_url(), "--max-users", "3", "--db", "new.db", **off).returncode == 0
    assert read(tmp_path / "new.db", runs) == [("1.2",), (None,)]


NOSY = '''
import gc, sys, types
from pathlib import Path

PASS_BY = (types.ModuleType, types.FunctionType, types.FrameType, type)


def look(*given):
    """Write down every text that can be reached from what was given."""
    seen, todo = {}, list(given)
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, PASS_BY):
            continue
        seen[id(one)] = one
        todo += gc.get_referents(one)
    with Path("seen.txt").open("a") as file:
        file.writelines(f"{one}\\n" for one in seen.values() if isinstance(one, str | bytes))
'''


def test_what_a_plug_in_is_given_never_leads_to_the_token(harvest, tmp_path):
    look = "from harvest_mood.nosy import look"
    change = {
        "harvest_mood/nosy.py": NOSY,
        LISTS: FILES[LISTS].replace("    user = of_urn(", f"    {look}\n    look(entry)\n    user = of_urn("),
        COMMAND: FILES[COMMAND]
        .replace("    with writing", f"    {look}\n    look(click.get_current_context())\n    with writing")
        .replace("connection.execute(", "look(connection)\n        connection.execute("),
    }
    (tmp_path / ".env").write_text("SOUNDCLOUD_REFRESH_TOKEN=of-the-file\n")
    with run_in_thread(WORLD, keep_log=True) as server:
        done = harvest(WORLD.seed_url(), *OPTIONS, "--db", "new.db", server=server, change=change)
        assert done.returncode == 0, done.stderr
        ((track,),) = read(tmp_path / "new.db", "SELECT min(id) FROM tracks")
        done = harvest("mood", track, "calm", "--db", "new.db", server=server, change=change)
        assert done.returncode == 0, done.stderr
    kept = [*(tmp_path / "state").rglob("*.json")]
    tokens = {one for file in kept for one in re.findall(r'"([^"]{16,})"', file.read_text())}
    assert tokens
    seen = (tmp_path / "seen.txt").read_text()
    assert "underrated" in seen  # the entries of the list
    assert "HARVEST_CACHE_PATH" in seen  # what the command was started with
    assert [one for one in (DEMO_CLIENT_SECRET, "of-the-file", *tokens) if one in seen] == []


def test_shared_without_content_and_filled_again_it_waits_to_be_read(harvest, tmp_path):
    path = tmp_path / "again.db"
    assert harvest("dehydrate", "ids", "--ids", "raw").returncode == 0
    assert [one.name for one in (tmp_path / "ids").iterdir() if "plugin" in one.name] == []
    with run_in_thread(WORLD) as server:
        assert harvest("hydrate", "ids", "--cache-path", "again.db", server=server).returncode == 0
        ended = f"SELECT DISTINCT outcome, collected FROM tasks WHERE kind = '{TABLE}'"
        assert read(path, ended) == [("purged", 0)]
        assert harvest("verify", "--db", "again.db").returncode == 0
        done = harvest("retry", "--outcome", "purged", "--db", "again.db", server=server)
        assert done.returncode == 0, done.stderr
    assert read(path, ROWS) == words(tmp_path / "t.db")
    assert harvest("verify", "--db", "again.db").returncode == 0


def test_purged_it_is_empty_until_it_is_read_again(harvest, tmp_path):
    path = tmp_path / "t.db"
    before = read(path, ROWS)
    time.sleep(1.1)  # a purge counts in whole seconds
    assert harvest("purge", "--older-than", "1s").returncode == 0
    assert read(path, f"SELECT count(*) FROM {TABLE}") == [(0,)]
    assert harvest("verify").returncode == 0
    with run_in_thread(WORLD) as server:
        assert harvest("retry", "--outcome", "purged", server=server).returncode == 0
    assert read(path, ROWS) == before


_TWO = """
import harvest
def told(path):
    file = harvest.open(path)
    return repr((file.status().look, file.verify(), list(file.lists)))
alone = told("plain.db")
print(told("t.db").count("mood-words") > 0, told("plain.db") == alone)
"""


def test_a_file_that_needs_a_plug_in_leaves_no_trace_in_one_that_needs_none(harvest, tmp_path):
    with run_in_thread(WORLD) as server:
        few = ("--db", "plain.db", "--max-users", "3", "--delay", "0")
        assert harvest(WORLD.seed_url(), *few, server=server, HARVEST_PLUGINS="0").returncode == 0
    done = subprocess.run(
        [sys.executable, "-c", _TWO],
        cwd=tmp_path,
        env={**environment(), "HARVEST_PLUGINS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stderr
