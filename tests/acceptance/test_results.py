"""What questions and acts give from Python: the same as the commands of their names tell, as objects that are shown."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import asdict
from html.parser import HTMLParser

import click
import pytest

import harvest
from harvest.cli.main import COMMANDS, cli
from harvest.cli.main import _run as run_here
from harvest.environment import Environment
from harvest.errors import HarvestError, SettingsError
from harvest.models import Limits
from harvest.python.options import (
    CountOptions,
    ExportOptions,
    Options,
    RefreshOptions,
    RetryOptions,
    RunOptions,
    SearchOptions,
    SeedOptions,
    TendOptions,
)
from harvest.simulator import World
from tests.crawling import crawl_world, read
from tests.exporting import rich_file

WORLD = World(3, users=60, tracks=120, likes_per_user=20, seed_likers=45, communities=3, community_share=0.9)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A sample by lot, analysed."""
    path = tmp_path_factory.mktemp("results") / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=35, order="random", sample_seed=3))
    return path


@pytest.fixture(scope="module")
def analysed(path):
    return harvest.open(path).analyze("colike_cosine", "taste_cosine", "leiden_tracks", "leiden_people")


@pytest.fixture(scope="module")
def db(path, analysed):
    return harvest.open(path)


@pytest.fixture(scope="module")
def track(path):
    """The track most liked but for the seed."""
    sql = "SELECT track_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 2"
    return read(path, sql)[1][0]


@pytest.fixture(scope="module")
def user(path):
    return read(path, "SELECT thing_id FROM visits WHERE thing = 'user' ORDER BY place LIMIT 1")[0][0]


ASKED = {
    "related": lambda db, track, user: db.related(track, limit=5),
    "related --method colike_lift": lambda db, track, user: db.related(track, method="colike_lift", limit=5),
    "related --method metadata": lambda db, track, user: db.related(track, method="metadata", limit=5),
    "related --method likes_reposts": lambda db, track, user: db.related(track, method="likes_reposts", limit=5),
    "similar": lambda db, track, user: db.similar(user, limit=5),
    "similar --method followings": lambda db, track, user: db.similar(user, method="followings", limit=5),
    "radio": lambda db, track, user: db.radio(track, size=5),
    "estimate": lambda db, track, user: db.estimate(),
    "estimate --by genre": lambda db, track, user: db.estimate(by="genre"),
    "why track": lambda db, track, user: db.why("track", track),
}


def told_by(command, path, track, user, capfd):
    words = command.split()
    which = [] if words[0] == "estimate" else [str(user if words[0] == "similar" else track)]
    head, options = (words[:2], words[2:]) if words[0] == "why" else (words[:1], words[1:])
    bound = {"radio": ["--size", "5"], "related": ["--limit", "5"], "similar": ["--limit", "5"]}.get(words[0], [])
    capfd.readouterr()
    assert run_here([*head, *which, *options, *bound, "--db", str(path), "--json"], Environment.here()) == 0
    return json.loads(capfd.readouterr().out)


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.texts.append(data)


def page_of(result):
    page = _Page()
    page.feed(result._repr_html_())
    assert page.tags <= {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td"}
    return page


@pytest.mark.parametrize("command", ASKED)
def test_an_answer_is_what_the_command_tells_and_is_shown(db, path, track, user, capfd, command):
    found = ASKED[command](db, track, user)
    told = told_by(command, path, track, user, capfd)
    assert json.loads(json.dumps(found.as_json())) == told
    listed = getattr(found, found._listed)
    assert len(found.table) == len(listed)
    if listed and "followings" not in command:
        page = page_of(found)
        assert type(found).__name__ in page.texts
        assert all(name in page.texts for name in found.table.columns)
        assert found.table.to_arrow().num_rows == len(listed)


def test_what_cannot_be_asked_is_said(db, track):
    for wrong in (
        lambda: db.related(track, method="no"), lambda: db.similar(1, method="colike_cosine"),
        lambda: db.related("nobody/nothing"), lambda: db.communities("playlists"), lambda: db.why("album", 1),
        lambda: db.analyze("no"), lambda: db.estimate(nothing=1), lambda: db.purge(), lambda: db.purge("soon"),
        lambda: db.export("x", format="xls"), lambda: db.tables(nothing=1), lambda: db.tables(ids="pseudonym"),
        lambda: db.forget(), lambda: db.forget(10**12),
    ):  # fmt: skip
        with pytest.raises(HarvestError):
            wrong()
    assert not db.path.with_name("x").exists()


def test_an_analysis_says_what_it_made(db, path, analysed):
    """And the sequences read it: pairs, communities, their backbone as a graph."""
    made = {one.method: one.pairs for one in analysed.methods}
    rows = dict(read(path, "SELECT method, count(*) FROM related_tracks GROUP BY 1"))
    assert made["colike_cosine"] == rows["colike_cosine"] == len(db.related_tracks)
    tracks = db.communities("tracks")
    assert sorted(tracks.members) == sorted(read(path, "SELECT track_id, community FROM track_communities"))
    assert tracks.quality.communities == len({community for _, community in tracks.members}) >= 2
    assert page_of(tracks).tags >= {"table"}
    assert db.communities("people").reason is None
    assert len(db.communities("people").members) == len(read(path, "SELECT 1 FROM user_communities"))
    edges = db.backbone(level=0.4)
    assert 0 < len(edges) == edges.to_scipy(weight="score").matrix.nnz
    assert all(edge.source_id < edge.target_id and edge.alpha < 0.4 for edge in edges)


def test_lists_of_results_are_tables_too(db, path, capfd):
    assert run_here(["bias", "--db", str(path), "--json"], Environment.here()) == 0
    assert json.loads(json.dumps([one.as_json() for one in db.bias()])) == json.loads(capfd.readouterr().out)
    assert len(db.bias().table) == len(db.coverage().table) == 1
    assert page_of(db.coverage()).tags
    assert db.verify().sound
    assert len(db.verify().table) == len(db.verify().findings) > 20
    assert page_of(db.status()).texts[-1].isdecimal()
    failed = read(path, "SELECT class, message FROM failures WHERE resolved_at IS NULL")
    assert sorted(db.failures().pick("class", "message")) == sorted(failed) != []
    assert run_here(["refresh", "--dry-run", "--full", "--db", str(path), "--json"], Environment.here()) == 0
    assert asdict(db.would_refresh(full=True)) == json.loads(capfd.readouterr().out)
    assert page_of(db.would_refresh()).tags
    assert str(db.cite()).startswith(db.cite()["text"])
    assert page_of(db.cite()).tags


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """With a change to tell, whose table is called `table`."""
    path = rich_file(tmp_path_factory.mktemp("rich") / "t.db")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE tracks SET title = 'another' WHERE id = (SELECT max(id) FROM tracks)")
    connection.close()
    return path


@pytest.mark.parametrize("choices", [{"lists": True, "texts": True}, {"kind": "like,repost", "split": "hash:0.3"}])
def test_tables_are_those_of_an_export_with_the_weights_in_them(rich, tmp_path, choices):
    """Row by row those of the JSON Lines of that export."""
    db = harvest.open(rich)
    made = db.export(tmp_path / "out", format="jsonl", **choices)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [*(file["path"] for file in made.files), "manifest.json"]
    )
    with db.tables(**choices) as tables:
        assert {"chance", "listed_rank", "design", "censored"} <= set(tables["users"].columns)
        assert {"chance", "list_outcome", "censored"} <= set(tables["interactions"].columns)
        names = {"train": 0, "test": 1} if "split" in choices else {}
        files = {path.stem: path for path in (tmp_path / "out").glob("*.jsonl")}
        assert set(tables) == ({*files} - names.keys()) | ({"interactions"} if names else set())
        for name, file in files.items():
            rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
            table = tables["interactions" if name in names else name]
            found = table.to_arrow().to_pylist()
            if name in names:
                found = [row for row in found if row.pop("test") == names[name]]
            for row in found:
                row.update({"tags": json.loads(row["tags"])} if "tags" in row else {})
            assert found == rows, name
        assert len(tables["users"][:3]) == 3
        steps = [{name: n for name, n in step.items() if n is not None} for step in tables.steps.to_arrow().to_pylist()]
        assert steps == made.manifest["counts"]["after each filter"]
        matrix = tables["interactions"].to_scipy(weight="weight").matrix
        pairs = set(tables["interactions"].pick("user_id", "item_id"))
        assert (matrix.nnz, matrix.shape[0]) == (len(pairs), len({user for user, _ in pairs}))
        assert page_of(tables["items"]).tags
    assert page_of(made).texts[0] == str(tmp_path / "out")


COMMANDS_OF_A_TERMINAL = {"auth", "completion", "demo", "doctor", "serve", "simulate"}
OPTIONS = {
    "crawl": SeedOptions, "resume": Options, "counts": CountOptions, "refresh": RefreshOptions, "tend": TendOptions,
    "search": SearchOptions, "retry": RetryOptions, "export": ExportOptions, "comply": RunOptions,
    "hydrate": RunOptions,
}  # fmt: skip
SAID_OTHERWISE = {  # a path, `progress`, what comes back and who looks: arguments of the call, or nothing at all
    "as_json", "dry_run", "log_file", "log_format", "log_level", "path", "quiet", "verbose", "key_file", "force",
    "framing", "format_name", "genres", "tags", "what", "folder",
}  # fmt: skip


def test_every_command_has_a_call_with_its_options():
    there = {name for name in COMMANDS if name in harvest.__all__ or callable(getattr(harvest.File, name, None))}
    assert set(COMMANDS) - there == COMMANDS_OF_A_TERMINAL
    context = click.Context(cli)
    for name, taken in OPTIONS.items():
        command = cli.get_command(context, name)
        options = {option.name for option in command.params if isinstance(option, click.Option)} - SAID_OTHERWISE
        of_exports = {"k", "lists", "ids"} if name == "crawl" else set()  # of --ephemeral --export
        assert options - of_exports <= set(taken.__annotations__), name


def test_what_is_written_of_a_file_is_noted_in_it(db, path, tmp_path):
    shown = db.explore(tmp_path / "e.html", tracks=200)
    assert "<html" in shown.path.read_text("utf-8")
    with pytest.raises(SettingsError, match="tracks is a number"):
        db.explore(tmp_path / "f.html", tracks=1)
    page = db.report(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    assert page.path == tmp_path / "r.html"
    copy = db.snapshot(tmp_path / "copy.db")
    assert copy.size == (tmp_path / "copy.db").stat().st_size
    assert sorted(harvest.open(tmp_path / "copy.db").likes) == sorted(db.likes)
    shared = db.dehydrate(tmp_path / "shared", ids="raw")
    assert shared.manifest["things"]["users"] == len(db.users)
    assert [name for (name,) in db.sql("SELECT what FROM handouts ORDER BY rowid")][-3:] == [
        "report",
        "snapshot",
        "export",
    ]
    with pytest.raises(SettingsError, match="pseudonym or raw"):
        db.dehydrate(tmp_path / "again", ids="plain")


def test_what_is_taken_out_is_gone(path, tmp_path, user):
    shutil.copy(path, tmp_path / "t.db")
    db = harvest.open(tmp_path / "t.db")
    likes = len([like for like in db.likes if like.user_id == user])
    assert db.would_forget(f"soundcloud:users:{user}")["user_engagements"] == likes > 0
    assert len(db.likes.pick("user_id")) == len(db.likes)  # nothing went yet
    gone = db.forget(f"soundcloud:users:{user}")
    assert (gone.things, gone.erased, gone.clean) == (1, True, True)
    assert user not in {one.id for one in db.users if one.status != "forgotten"}
    assert [like for like in db.likes if like.user_id == user] == []
    assert db.verify(forgotten=True).sound
    assert harvest.open(tmp_path / "t.db").communities().reason is None
    out = db.purge(everything=True)
    assert (out.lists > 0, len(db.likes)) == (True, 0)
    judged = harvest.open(path).judge(harvest.open(path).tracks[0].id, "liked")
    assert (judged.tracks, judged.verdict) == (1, "liked")
