"""Communities in real files: what is in one, what is not, and that they come back the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from csv import DictReader
from datetime import UTC, datetime, timedelta
from itertools import product
from math import prod
from pathlib import Path
from xml.etree import ElementTree

import pytest

import harvest
from harvest.analysis.methods import COMMUNITIES, Choices
from harvest.analysis.quality import quality
from harvest.analysis.run import analyse
from harvest.errors import SettingsError
from harvest.models import Limits
from harvest.simulator import World
from harvest.store.database import open_to_read
from harvest.system.clock import SystemClock
from tests import foreign
from tests.analysing import LikesFile
from tests.crawling import crawl_world, read
from tests.exporting import leave

pytest.importorskip("scipy")
pytest.importorskip("graspologic_native")

from harvest.analysis.communities import read_near
from harvest.analysis.projections import edges

CHOICES = Choices(min_common=2)
PLACED = "SELECT track_id, community FROM track_communities", "SELECT user_id, community FROM user_communities"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[LikesFile]:
    """Two groups of taste, tracks 1 to 3 and 4 to 7, all chosen for liking 9; nobody shares track 8."""
    with LikesFile(tmp_path / "likes.db") as made:
        lists = {11: [1, 2, 3], 12: [1, 2, 3], 13: [1, 2, 3, 8], 21: [4, 5, 6, 7], 22: [4, 5, 6, 7], 23: [7, 6, 5, 4]}
        for user, tracks in lists.items():
            made.likes(user, [9, *tracks])
        made.counted(9, 100)
        for track in range(1, 8):
            made.counted(track, 10)
        made.frame(9)
        yield made


def placed(file: LikesFile):
    return [dict(file.read(sql)) for sql in PLACED]


def asked(file: LikesFile, method: str):
    with open_to_read(file.path) as connection:
        return quality(connection, method)


def test_tracks_and_people_fall_into_their_groups_and_the_frame_into_none(file):
    file.analysed(*COMMUNITIES, choices=CHOICES)
    tracks, people = placed(file)
    assert tracks == {4: 0, 5: 0, 6: 0, 7: 0, 1: 1, 2: 1, 3: 1}  # the larger group first
    assert people == {11: 0, 12: 0, 13: 0, 21: 1, 22: 1, 23: 1}  # of equals the one with the lower id
    found = asked(file, "leiden_tracks")
    assert (found.things, found.edges, found.communities, found.seeds, found.rand) == (7, 9, 2, 10, 1.0)
    assert found.modularity == pytest.approx(1 - (6 / 9) ** 2 - (3 / 9) ** 2)  # every cosine is 1, nothing lies between
    assert file.read("PRAGMA foreign_key_check") == []


def test_each_thing_brings_its_nearest_few_and_of_equals_the_lower_ids(file, monkeypatch):
    monkeypatch.setattr("harvest.analysis.communities.NEAREST", 1)
    file.analysed("colike_cosine", "taste_cosine", choices=CHOICES)
    edges = []
    with open_to_read(file.path) as connection:
        for near in (read_near(connection, method) for method in COMMUNITIES):
            there = near.graph.tocoo()
            edges.append(
                {(int(near.ids[a]), int(near.ids[b])) for a, b in zip(there.row, there.col, strict=True) if a < b}
            )
    assert edges == [{(1, 2), (1, 3), (4, 5), (4, 6), (4, 7)}, {(11, 12), (11, 13), (21, 22), (21, 23)}]


def test_asked_for_alone_they_bring_the_pairs_they_need(file):
    made = file.analysed("leiden_tracks", choices=CHOICES)
    assert [(done.method, done.computed) for done in made.methods] == [("colike_cosine", 8), ("leiden_tracks", 7)]


def test_nothing_is_divided_twice_and_afresh_gives_the_same(file):
    file.analysed(*COMMUNITIES, choices=CHOICES)
    before = placed(file)
    again = file.analysed(*COMMUNITIES, choices=CHOICES)
    assert {done.computed for done in again.methods} == {0}
    file.analysed(*COMMUNITIES, choices=CHOICES, fresh=True)
    assert placed(file) == before
    assert file.read("SELECT count(*) FROM partitions") == [(2,)]


def test_a_file_that_has_grown_says_so_until_it_is_divided_again(file):
    file.analysed(*COMMUNITIES, choices=CHOICES)
    assert asked(file, "leiden_tracks").current
    for user in (31, 32, 33):
        file.likes(user, [9, 31, 32, 33, 34, 35])
    assert not asked(file, "leiden_tracks").current
    file.analysed(choices=CHOICES)
    found = asked(file, "leiden_tracks")
    assert (found.current, found.communities, placed(file)[0][33]) == (True, 3, 0)


class Leaping(SystemClock):
    """A clock on which a minute and a second pass between two looks."""

    def __init__(self) -> None:
        self._looks = 0

    def monotonic(self) -> float:
        self._looks += 1
        return 61.0 * self._looks

    def now(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=61 * self._looks)


def test_between_two_seeds_it_says_how_far_it_is_and_that_it_is_still_at_work(file):
    heard = []

    def told(method: str, share: float) -> None:
        if method == "leiden_tracks":
            heard.append((share, file.read("SELECT heartbeat_at FROM lease")))

    analyse(file.path, ["leiden_tracks"], CHOICES, clock=Leaping(), memory_mb=512, told=told)
    assert [share for share, _ in heard] == [seeds / 10 for seeds in range(11)]
    beats = [beat for _, beat in heard]
    assert beats == sorted(beats)
    assert len({str(beat) for beat in beats}) == 11


def test_another_resolution_is_another_division(file):
    file.analysed(*COMMUNITIES, choices=CHOICES, resolution=0.01)
    made = file.analysed(*COMMUNITIES, choices=CHOICES, resolution=1.0)
    assert [done.computed for done in made.methods] == [0, 0, 7, 6]


def test_the_backbone_leaves_out_the_edges_that_chance_would_give(file):
    """Four tracks with equal edges: at each end (1 - 1/3)^2 = 4/9; three with two each: 1 - 1/2."""
    file.analysed("leiden_tracks", choices=CHOICES)
    found = {(a, b): (score, round(alpha, 9)) for a, b, score, *_, alpha in harvest.open(file.path).backbone(level=0.6)}
    four = dict.fromkeys([(4, 5), (4, 6), (4, 7), (5, 6), (5, 7), (6, 7)], (1.0, round(4 / 9, 9)))
    assert found == {**four, **dict.fromkeys([(1, 2), (1, 3), (2, 3)], (1.0, 0.5))}
    assert {(a, b) for a, b, *_ in harvest.open(file.path).backbone(level=0.45)} == set(four)
    with pytest.raises(SettingsError, match="not of 'artists'"):
        harvest.open(file.path).backbone("artists")


def test_edges_say_what_is_shared_and_how_likely_that_is(file):
    """All chances of a like found anew person by person and track by track, and all 64 ways to share gone through."""
    file.analysed(*COMMUNITIES, choices=CHOICES)
    lists = {11: (1, 2, 3), 12: (1, 2, 3), 13: (1, 2, 3, 8)} | dict.fromkeys((21, 22, 23), (4, 5, 6, 7))
    liked = Counter(track for tracks in lists.values() for track in tracks)
    x, y = dict.fromkeys(lists, 1.0), dict.fromkeys(liked, 1.0)
    for _ in range(4000):
        x = {p: len(lists[p]) / sum(y[t] / (1 + x[p] * y[t]) for t in y) for p in x}
        y = {t: liked[t] / sum(x[p] / (1 + x[p] * y[t]) for p in x) for t in y}

    def at_least(common, chances):
        ways = product((0, 1), repeat=len(chances))
        return sum(
            prod(p if on else 1 - p for on, p in zip(way, chances, strict=True)) for way in ways if sum(way) >= common
        )

    def like(person, track):
        return x[person] * y[track] / (1 + x[person] * y[track])

    with open_to_read(file.path) as connection:
        tracks = list(edges(connection, "tracks", method="sdsm", level=None))
        people = list(edges(connection, "people", method="sdsm", level=None))
        for method, level in (("disparity", 0.6), ("sdsm", None)):
            wanted = list(map(tuple, edges(connection, "tracks", method=method, level=level)))
            assert wanted == list(map(tuple, harvest.open(file.path).backbone(method=method, level=level))) != []
        assert [edge for edge in tracks if edge.alpha < 0.2] == list(
            edges(connection, "tracks", method="sdsm", level=0.2)
        )
        for wrong in (("artists", "sdsm"), ("tracks", "best")):
            with pytest.raises(SettingsError, match=r"not .*'(artists|best)'"):
                list(edges(connection, wrong[0], method=wrong[1]))
    assert len(tracks) == len(wanted) == 9
    for one, other, _, common, shared, alpha in tracks:
        both = [p for p in lists if {one, other} <= {*lists[p]}]
        assert (common, shared) == (len(both), pytest.approx(sum(1 / (len(lists[p]) - 1) for p in both)))
        assert alpha == pytest.approx(at_least(common, [like(p, one) * like(p, other) for p in lists]), rel=1e-4)
    for one, other, _, common, shared, alpha in people:
        both = {*lists[one]} & {*lists[other]}
        assert (common, shared) == (len(both), pytest.approx(sum(1 / (liked[t] - 1) for t in both)))
        assert alpha == pytest.approx(at_least(common, [like(one, t) * like(other, t) for t in liked]), rel=1e-4)


def run(*arguments):
    words = [sys.executable, "-m", "harvest", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_no_communities_are_told_with_the_reason(file, tmp_path):
    done = run("sql", "communities", "--db", file.path, "-f", "csv")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "no communities of tracks were looked for yet; `harvest analyze` finds them" in done.stderr
    file.analysed(*COMMUNITIES, choices=Choices(min_common=9))
    done = run("sql", "communities", "of=people", "--db", file.path)
    assert "no two people are near each other" in done.stderr
    file.analysed(*COMMUNITIES, choices=CHOICES)
    assert run("sql", "communities", "--db", file.path).stderr == ""


def test_the_backbone_is_told_on_the_command_line(file):
    file.analysed(*COMMUNITIES, choices=CHOICES)
    for of, one in (("tracks", "title"), ("people", "username")):
        told = run("backbone", "--db", file.path, "--of", of, "--method", "sdsm", "--level", "1", "-f", "csv").stdout
        rows = list(DictReader(told.splitlines()))
        with open_to_read(file.path) as connection:
            expected = list(edges(connection, of, method="sdsm", level=None))
        assert {(int(row["one"]), int(row["other"]), int(row["common"])) for row in rows} == {
            (edge.one, edge.other, edge.common) for edge in expected
        }
        alphas = [float(row["alpha"]) for row in rows]
        assert alphas == pytest.approx(sorted(edge.alpha for edge in expected), rel=1e-3)
        names = dict(file.read(f"SELECT id, {one} FROM {'tracks' if of == 'tracks' else 'users'}"))
        assert all((names[int(row["one"])] or "") == row["one_name"] for row in rows)
    done = run("backbone", "--db", file.path, "--level", "0.1")
    assert (done.returncode, "a higher --level keeps more" in done.stderr) == (0, True)
    done = run("backbone", "--db", file.path, "--level", "0.6", "-n", "4")
    assert "9 edges in all; --limit 0 shows them." in done.stderr


SPACE = "{http://graphml.graphdrawing.org/xmlns}"


@pytest.mark.parametrize(("of", "letter"), [("tracks", "t"), ("people", "u")])
def test_the_graph_of_what_is_near_leaves_with_communities_and_chances(file, tmp_path, of, letter):
    file.analysed(*COMMUNITIES, choices=CHOICES)
    community = placed(file)[of == "people"]
    how = {"format": "graphml", "graph": of, "backbone": "sdsm"}
    for level, out in ((None, "all"), (0.2, "strong")):
        leave(file.path, tmp_path / out, level=level, **how)
        root = ElementTree.parse(tmp_path / out / "graph.graphml").getroot()
        assert root.find(f"{SPACE}graph").get("edgedefault") == "undirected"
        told = {one.get("id"): {d.get("key"): d.text for d in one} for one in root.iter(f"{SPACE}node")}
        found = [
            (e.get("source"), e.get("target"), *(d[f"e_{name}"] for name in ("weight", "common", "shared", "alpha")))
            for e in root.iter(f"{SPACE}edge")
            for d in [{one.get("key"): one.text for one in e}]
        ]
        with open_to_read(file.path) as connection:
            expected = list(edges(connection, of, method="sdsm", level=level))
        assert found == [(f"{letter}{one}", f"{letter}{other}", *map(str, rest)) for one, other, *rest in expected]
        assert {node: d["n_community"] for node, d in told.items()} == {
            f"{letter}{one}": str(community[one]) for edge in expected for one in edge[:2]
        }
    around = leave(
        file.path, tmp_path / "ego", ego="soundcloud:tracks:5" if of == "tracks" else "soundcloud:users:22", **how
    )
    assert around["options"]["radius"] == 1
    group = {4, 5, 6, 7} if of == "tracks" else {21, 22, 23}
    root = ElementTree.parse(tmp_path / "ego" / "graph.graphml").getroot()
    assert {node.get("id") for node in root.iter(f"{SPACE}node")} == {f"{letter}{n}" for n in group}
    for wishes, said in (
        ({"ego": "soundcloud:tracks:8" if of == "tracks" else "soundcloud:tracks:5"}, f"is near none of the {of}"),
        ({"level": 0.0}, "a higher --level keeps more"),
        ({"min_items": 9}, "Nothing is left|No two"),
    ):
        with pytest.raises(SettingsError, match=said):
            leave(file.path, tmp_path / "not", **(how | wishes))


@pytest.mark.slow
def test_networkx_and_igraph_find_the_same_communities_as_good(tmp_path):
    """The modularity that stands in the file, and what lies around somebody, worked out by others."""
    path = tmp_path / "t.db"
    world = World(11, users=60, tracks=300, likes_per_user=30, seed_likers=30, follows_per_user=4)
    limits = Limits(max_users=40, read=("likers", "likes", "followings"))
    crawl_world(path, world, limits=limits)
    analyse(path, COMMUNITIES, Choices(min_common=2, include_incomplete=True), clock=SystemClock(), memory_mb=256)
    how = {"include_incomplete": True}
    for of in ("tracks", "people"):
        for form in ("graphml", "gexf"):
            leave(path, tmp_path / f"{of}-{form}", format=form, graph=of, **how)
    leave(path, tmp_path / "all", format="graphml", **how)
    (middle,) = read(path, "SELECT min(user_id) FROM user_engagements")[0]
    for radius in (1, 2, 3):
        leave(path, tmp_path / f"ego-{radius}", format="graphml", ego=str(middle), radius=radius, **how)
    done = foreign.run("readers", foreign.ROOT / "tests" / "readers" / "with_communities.py", tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for of, method in zip(("tracks", "people"), COMMUNITIES, strict=True):
        with open_to_read(path) as connection:
            here = quality(connection, method)
        for reader in ("graphml", "gexf", "igraph"):
            ((directed, things, joined, many, modularity),) = found[f"{of}/{reader}"]
            assert (directed, things, joined, many) == (False, here.things, here.edges, here.communities), reader
            assert modularity == pytest.approx(here.modularity)
    sizes = [found[f"ego/{radius}"][0] for radius in (1, 2, 3)]
    assert all(same == [True, True] for *same, _ in sizes)
    assert sizes[0][2] < sizes[1][2] < sizes[2][2]


def test_a_file_without_pairs_has_no_communities(tmp_path):
    with LikesFile(tmp_path / "likes.db") as file:
        file.likes(1, [1, 2])
        file.analysed(*COMMUNITIES)
        found = asked(file, "leiden_people")
        assert (found.communities, found.modularity, found.rand, placed(file)) == (0, None, None, [{}, {}])
