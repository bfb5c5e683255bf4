"""The plug-in of docs/plugins.md, installed: a query, a format, a command, a table, and what is forgotten there."""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import shutil
import sqlite3
import sys
import tomllib
from pathlib import Path

import click
import pytest

from harvest.analysis import ours as ours_offered
from harvest.analysis.methods import METHODS
from harvest.analysis.plugged import analyses
from harvest.cli.main import HarvestGroup, cli
from harvest.errors import PluginError
from harvest.explore.named import named_queries
from harvest.export.choices import FORMATS, formats
from harvest.lists import KINDS, OUR_KINDS
from harvest.own_lists import offered
from harvest.plugins import registry, tables
from harvest.plugins.hooks import Table
from tests.crawling import crawl_world, read

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`([\w/.-]+\.(?:toml|py|sql))`:\n\n```\w+\n(.*?)```\n", PAGE, re.DOTALL))


def install(folder, files):
    """Put a package where Python finds it, as pip would: its files, and what its project says of it."""
    said = tomllib.loads(files["pyproject.toml"])["project"]
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    info = folder / f"{said['name'].replace('-', '_')}-{said['version']}.dist-info"
    info.mkdir(exist_ok=True)
    about = f"Name: {said['name']}\nVersion: {said['version']}\nSummary: {said['description']}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{about}")
    groups = {
        group: "".join(f"{name} = {at}\n" for name, at in of.items()) for group, of in said["entry-points"].items()
    }
    (info / "entry_points.txt").write_text("".join(f"[{group}]\n{points}\n" for group, points in groups.items()))
    return f"{ROOT}:{folder}"


@pytest.fixture(scope="module")
def crawled(tmp_path_factory, small_world):
    path = tmp_path_factory.mktemp("plugins") / "t.db"
    crawl_world(path, small_world)
    return path


@pytest.fixture
def harvest(run, crawled, tmp_path):
    """Run `harvest` on a copy of the file, with the plug-in of the page, whose files may be given otherwise."""
    shutil.copy(crawled, tmp_path / "t.db")

    def call(*arguments, change=None, **environ):
        path = install(tmp_path / "site", {**FILES, **(change or {})})
        return run(*arguments, HARVEST_CACHE_PATH="t.db", PYTHONPATH=path, **environ)

    return call


@pytest.mark.slow
def test_one_of_each_kind_works_and_forget_deletes_there_too(harvest, tmp_path):
    path = tmp_path / "t.db"
    assert sorted(FILES) == [
        *("harvest_mood/__init__.py", "harvest_mood/command.py", "harvest_mood/lists.py", "harvest_mood/pairs.py"),
        *("harvest_mood/queries/mood-tracks.sql", "pyproject.toml"),
    ]
    (one,), (two,) = read(path, "SELECT id FROM tracks WHERE title <> '' ORDER BY id LIMIT 2")
    for track in (one, two):
        assert harvest("mood", track, "calm").stdout == f"Track {track} is calm.\n"
    asked = harvest("sql", "mood-tracks", "calm", "--format", "json")
    assert [row["track_id"] for row in json.loads(asked.stdout)] == [one, two]
    assert "mood-tracks" in harvest("sql").stdout

    assert harvest("export", "out", "--format", "mood-pairs").returncode == 0
    pairs = [tuple(json.loads(line)) for line in (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()]
    assert sorted(pairs) == sorted(read(path, "SELECT user_id, track_id FROM likes"))
    (told,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["files"][:1]
    assert (told["path"], told["rows"]) == ("pairs.jsonl", len(pairs))

    assert harvest("verify").returncode == 0
    assert harvest("verify", HARVEST_PLUGINS="0").returncode == 0
    before = path.read_bytes()
    refused = harvest("forget", f"soundcloud:tracks:{one}", HARVEST_PLUGINS="0")
    assert refused.returncode == 2
    assert refused.stderr.startswith("harvest: The file has tables of plug-ins that are not loaded (plugin_mood_moods)")
    assert path.read_bytes() == before
    told = json.loads(harvest("why", "track", one, "--everything", "--json").stdout)
    assert told["rows"]["plugin_mood_moods"] == [{"track_id": one, "mood": "calm"}]
    gone = harvest("forget", f"soundcloud:tracks:{one}")
    assert (gone.returncode, gone.stderr) == (0, "")
    assert read(path, "SELECT * FROM plugin_mood_moods") == [(two, "calm")]
    assert harvest("dehydrate", "ids").returncode == 0
    assert [one for one in (tmp_path / "ids").iterdir() if "plugin" in one.name] == []


@pytest.mark.slow
def test_doctor_lists_it_and_a_variable_turns_it_off(harvest, server):
    said = {check["found"] for check in checks(harvest("doctor", "--json", server=server))}
    assert "mood: harvest-mood 1.2, analyses, commands, exporters, lists, queries, tables" in said
    (off,) = [c for c in checks(harvest("doctor", "--json", server=server, HARVEST_PLUGINS="0")) if "plug" in c["name"]]
    assert off["found"] == "switched off by HARVEST_PLUGINS=0"
    for arguments in (("mood", "1", "calm"), ("sql", "mood-tracks", "x"), ("export", "o", "--format", "mood-pairs")):
        done = harvest(*arguments, HARVEST_PLUGINS="0")
        assert (done.returncode, "mood" in done.stderr) == (2, True)


def checks(done):
    return [one for one in json.loads(done.stdout)["checks"] if one["name"].startswith("plug")]


MAIN, COMMAND, PROJECT = "harvest_mood/__init__.py", "harvest_mood/command.py", "pyproject.toml"
AT = '"harvest_mood.command:mood"'


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Install the plug-in for this process, with a file given otherwise, and ask for what it offers."""

    def call(name, old, new, ask):
        changed = FILES[name].replace(old, new, 1)
        assert (changed != FILES[name]) == bool(old)
        install(tmp_path, {**FILES, name: changed})
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()
        registry._loaded.cache_clear()
        return ask()

    yield call
    registry._loaded.cache_clear()
    for module in [module for module in sys.modules if module.startswith("harvest_mood")]:
        del sys.modules[module]


def command():
    return HarvestGroup("harvest").get_command(click.Context(cli), "mood")


def test_our_own_parts_come_first_and_keep_their_names(loaded):
    def ask():
        return [*named_queries()], formats(), [*tables.declared()], command().name

    ours = [*named_queries()]
    assert loaded(MAIN, "", "", ask) == (
        sorted([*ours, "mood-tracks"]),
        (*FORMATS, "mood-pairs"),
        ["plugin_mood_moods", "plugin_mood_near"],
        "mood",
    )


def test_our_own_lists_and_analyses_are_offered_as_those_of_a_plug_in(loaded, monkeypatch):
    """What is taken out of our offer, or put into it, is gone or there wherever these are asked for."""
    ours = ours_offered.analyses()
    assert list(analyses()) == [*METHODS] == [*ours]
    assert list(loaded(MAIN, "", "", analyses)) == [*METHODS, "mood-near"]
    monkeypatch.setattr(ours_offered, "analyses", lambda: {"label": ours["label"], "more": ours["label"]})
    registry._loaded.cache_clear()
    assert list(analyses()) == ["label", "more", "mood-near"]
    assert [(one.is_ours, one.plugin) for one in analyses().values()] == [(True, ""), (True, ""), (False, "mood")]
    found = list(offered(["one", "two"]))
    assert [(plugin, getattr(one, "name", one)) for plugin, one in found] == [
        ("", "one"),
        ("", "two"),
        ("mood", "words"),
    ]
    assert list(KINDS)[: len(OUR_KINDS)] == [*OUR_KINDS]


@pytest.mark.parametrize(
    ("name", "old", "new", "ask", "said"),
    [
        (
            PROJECT,
            "mood = " + AT,
            "moods = " + AT,
            command,
            "it offers 'moods'; what it offers is called mood or mood-",
        ),
        (MAIN, '"mood-pairs"', '"csv"', formats, "it offers 'csv', which there is already"),
        (MAIN, "def queries():", "def queries():\n    1 / 0", named_queries, "its queries(): ZeroDivisionError"),
        (MAIN, "def queries()", "def query()", named_queries, "a hook that there is not"),
        (MAIN, "from pathlib", "from pathlibb", named_queries, "No module named 'pathlibb'"),
        (MAIN, '"plugin_mood_moods",', '"likes",', tables.declared, "its table 'likes' must be called plugin_mood_"),
        (MAIN, '"track"}', '"song"}', tables.declared, "plugin_mood_moods names song, and there is no such thing"),
        (COMMAND, "import click", "import clik", command, "its command mood: ModuleNotFoundError"),
        (
            MAIN,
            'with_name("queries")',
            'with_name("none")',
            named_queries,
            "queries() returns something other than a folder",
        ),
        (MAIN, '{"mood-pairs": write_pairs}', "None", formats, "exporters() returns something other than functions"),
        (MAIN, "share_words, ", "3, ", analyses, "analyses() returns something other than Analysis by name"),
        (MAIN, "near=NEAR", "near=3", analyses, "analyses() returns something other than Analysis by name"),
        (MAIN, "return [\n", "return [3,\n", tables.declared, "tables() returns something other than a list of Table"),
        (MAIN, "from pathlib", "raise SystemExit\nfrom pathlib", named_queries, "does not work: SystemExit"),
        ("harvest_mood/queries/mood-tracks.sql", "               maximum rows", "", named_queries, "is no parameter"),
    ],
)
def test_a_plug_in_that_does_not_work_is_named_in_one_line(loaded, name, old, new, ask, said):
    with pytest.raises(PluginError) as caught:
        loaded(name, old, new, ask)
    told = str(caught.value)
    assert told.startswith("The plug-in mood does not work: ")
    assert said in told
    assert told.endswith(". HARVEST_PLUGINS=0 does without plug-ins.")


MOOD = ("mood", "1", "calm")
PAIRS = ("export", "out", "--format", "mood-pairs")


@pytest.mark.parametrize(
    ("name", "old", "new", "command", "said"),
    [
        (COMMAND, "    with writing", "    1 / 0\n    with writing", MOOD, "its command mood: ZeroDivisionError"),
        (COMMAND, "INSERT OR REPLACE INTO plugin_mood_moods", "DELETE FROM tracks --", MOOD, "its command mood: "),
        (
            MAIN,
            "CREATE TABLE plugin_mood_moods",
            "CREATE TABL x",
            MOOD,
            "its table plugin_mood_moods: OperationalError",
        ),
        (MAIN, 'names={"track_id": "track"}', 'names={"id": "track"}', MOOD, "plugin_mood_moods has no column id"),
        ("harvest_mood/pairs.py", "return [", "return 1 / 0, [", PAIRS, "its format mood-pairs: ZeroDivisionError"),
        ("harvest_mood/pairs.py", '[OutFile("', '[OutFile("no', PAIRS, "its format mood-pairs: FileNotFoundError"),
        ("harvest_mood/lists.py", "names=", "columns_=", ("status",), "its lists: TypeError"),
        ("harvest_mood/lists.py", "read=word", "read=None", ("status",), "its list 'words': name, subject, path"),
        ("harvest_mood/lists.py", "by_offset=True", "cap='x'", ("status",), "its list 'words': name, subject, path"),
    ],
)
def test_what_goes_wrong_in_a_plug_in_is_one_line_that_names_it(harvest, tmp_path, name, old, new, command, said):
    assert FILES[name].count(old) == 1
    done = harvest(*command, change={name: FILES[name].replace(old, new)})
    assert (done.returncode, done.stderr.count("harvest: ")) == (2, 1), done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("harvest: The plug-in mood does not work: ")
    assert said in line
    assert line.endswith(". HARVEST_PLUGINS=0 does without plug-ins.")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM tracks",
        "UPDATE tracks SET title = 'mine'",
        "DROP TABLE tracks",
        "ALTER TABLE tracks ADD COLUMN mood TEXT",
        "CREATE TABLE moods (a)",
        "CREATE TRIGGER plugin_mood_t AFTER INSERT ON tracks BEGIN DELETE FROM tracks; END",
        "CREATE INDEX plugin_mood_i ON tracks (title)",
        "ATTACH ':memory:' AS other",
        "PRAGMA writable_schema = ON",
        "COMMIT",
    ],
)
def test_a_plug_in_writes_its_own_tables_alone(crawled, tmp_path, monkeypatch, sql):
    path = tmp_path / "t.db"
    shutil.copy(crawled, path)
    wanted = Table("plugin_mood_moods", "CREATE TABLE plugin_mood_moods (id INTEGER)")
    monkeypatch.setattr(registry, "offers", lambda hook: [registry.Offer("mood", [wanted])] * (hook == "tables"))
    before = read(path, "SELECT name, sql FROM sqlite_schema ORDER BY 1"), read(path, "SELECT * FROM tracks")

    def write():
        with tables.writing(path, "mood") as connection:
            connection.execute("INSERT INTO plugin_mood_moods VALUES (1)")
            connection.execute(sql)

    with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited"):
        write()
    assert (read(path, "SELECT name, sql FROM sqlite_schema ORDER BY 1"), read(path, "SELECT * FROM tracks")) == before
    with tables.writing(path, "mood") as connection:
        connection.execute("CREATE INDEX plugin_mood_i ON plugin_mood_moods (id)")
        connection.execute("ALTER TABLE plugin_mood_moods ADD COLUMN mood TEXT")
        connection.execute("INSERT INTO plugin_mood_moods VALUES (2, 'calm')")
    assert read(path, "SELECT * FROM plugin_mood_moods") == [(2, "calm")]


STEPS = """

@hookimpl
def migrations():
    return [
        "ALTER TABLE plugin_mood_moods ADD COLUMN since TEXT",
        "UPDATE plugin_mood_moods SET since = '2026'",
    ]
"""


@pytest.mark.slow
def test_tables_of_an_older_plug_in_are_copied_and_brought_to_its_version(harvest, tmp_path):
    path = tmp_path / "t.db"
    assert harvest("mood", "1", "calm").returncode == 0
    newer = {
        MAIN: FILES[MAIN].replace("mood TEXT NOT NULL)", "mood TEXT NOT NULL, since TEXT)") + STEPS,
        COMMAND: FILES[COMMAND].replace("VALUES (?, ?)", "VALUES (?, ?, '2027')"),
    }
    assert harvest("mood", "2", "wild", change=newer).returncode == 0
    assert read(path, "SELECT * FROM plugin_mood_moods") == [(1, "calm", "2026"), (2, "wild", "2027")]
    assert read(tmp_path / "t.db.mood-0", "SELECT * FROM plugin_mood_moods") == [(1, "calm")]
    assert harvest("mood", "3", "sad", change=newer).returncode == 0
    assert read(path, "SELECT since FROM plugin_mood_moods") == [("2026",), ("2027",), ("2027",)]
    assert harvest("verify", change=newer).returncode == 0

    fresh = tmp_path / "fresh.db"
    shutil.copy(tmp_path / "t.db.mood-0", fresh)
    with contextlib.closing(sqlite3.connect(fresh)) as db, db:
        db.execute("DROP TABLE plugin_mood_moods")
        db.execute("DROP TABLE plugin_mood_near")
    assert harvest("mood", "4", "new", "--db", "fresh.db", change=newer).returncode == 0  # as declared, without steps
    assert read(fresh, "SELECT * FROM plugin_mood_moods") == [(4, "new", "2027")]

    broken = {**newer, MAIN: newer[MAIN].replace("SET since = '2026'\",", "SET since = '2026'\", 'DROP TABLE tracks',")}
    done = harvest("mood", "5", "no", change=broken)
    assert done.returncode != 0
    assert "not authorized" in done.stderr
    assert read(path, "SELECT count(*) FROM plugin_mood_moods") == [(3,)]


@pytest.mark.slow
def test_help_lists_commands_without_importing_a_plug_in(harvest):
    broken = {MAIN: "1 / 0", COMMAND: "1 / 0"}
    said, of_package = "Say what mood a track has.", "Moods of tracks, as you hear them."
    for change, line in (
        ({MAIN: "1 / 0", COMMAND: f"1 / 0\n{FILES[COMMAND]}"}, said),  # the source is read, and does not run
        (broken, of_package),
        ({COMMAND: "def ("}, of_package),
        ({COMMAND: "\0"}, of_package),
        ({COMMAND: FILES[COMMAND].replace(said, "\x1b[31mRed.")}, "[31mRed."),
        ({COMMAND: FILES[COMMAND].replace(said, "Long. " * 40)}, ("Long. " * 40)[:56]),
    ):
        told = harvest("--help", change=change)
        assert (told.returncode, told.stderr) == (0, "")
        assert f"  plug-ins  mood        {line}\n" in told.stdout
    assert "plug-ins" not in harvest("--help", HARVEST_PLUGINS="0").stdout
    assert harvest("mood", "1", "calm", change=broken).returncode == 2
