"""The parts of a file from Python: each row with all of its columns, by place and in parts, as frames and as graphs."""

from __future__ import annotations

import importlib.util
import json
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

import harvest
from harvest.errors import HarvestError, OutOfTime, QueryError, SeedError
from harvest.python import frames, sequences
from tests.crawling import read
from tests.exporting import rich_file
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
TORCH = ROOT / ".venv-recbole" / "bin" / "python"  # it comes with RecBole

TABLES = {
    "seeds": "harvests",
    "users": "users",
    "tracks": "tracks",
    "likes": "likes",
    "reposts": "reposts",
    "follows": "user_follows",
    "playlists": "playlists",
    "playlist_tracks": "playlist_tracks",
    "comments": "comments",
    "lists": "lists",
    "sample": "sample",
    "interactions": "interactions",
    "related_tracks": "related_tracks",
    "verdicts": "verdicts",
}
FRAMES = {"pandas": "to_pandas", "polars": "to_polars", "pyarrow": "to_arrow"}
GRAPHS = {"scipy.sparse": "to_scipy", "networkx": "to_networkx", "igraph": "to_igraph", "torch": "to_torch"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file with something of everything, and names that break what reads them."""
    return rich_file(tmp_path_factory.mktemp("rich") / "t.db")


@pytest.fixture(scope="module")
def db(path):
    return harvest.open(path)


@pytest.mark.parametrize("part", TABLES)
def test_a_part_has_every_column_and_row_of_its_table(db, path, part):
    rows = getattr(db, part)
    columns = [row[1] for row in read(path, f"SELECT * FROM pragma_table_xinfo('{TABLES[part]}')")]
    assert rows.columns == columns == list(type(rows.first())._fields) if rows else rows.columns == columns
    assert sorted(map(repr, map(tuple, rows))) == sorted(map(repr, read(path, f"SELECT * FROM {TABLES[part]}")))
    assert len(rows) == len(list(rows))
    assert bool(rows) == bool(list(rows))


@pytest.mark.first_case
@pytest.mark.parametrize("part", ["tracks", "likes"])
def test_an_index_and_a_slice_are_those_of_a_list(db, part):
    rows, chance = getattr(db, part), random.Random(5)
    whole = list(rows)
    n = len(whole)
    ends = [None, 0, 1, n - 1, n, n + 3, -1, -n, -n - 2, *(chance.randint(-n, n) for _ in range(4))]
    for first in ends:
        for last in chance.sample(ends, 2):
            assert list(rows[first:last]) == whole[first:last], (first, last)
    assert [rows[place] for place in (0, 3, n - 1, -1, -n)] == [whole[place] for place in (0, 3, n - 1, -1, -n)]
    assert list(rows[10:40][5:-3][2:4]) == whole[10:40][5:-3][2:4]
    assert rows[10:40][-1] == whole[39]
    assert list(reversed(rows[:4])) == whole[3::-1]
    assert (whole[7] in rows, rows.index(whole[7]), rows.count(whole[7])) == (True, 7, 1)
    for place in (n, -n - 1, 10**9):
        with pytest.raises(IndexError):
            rows[place]
    with pytest.raises(QueryError, match="list\\(rows\\)"):
        rows[::2]
    with pytest.raises(TypeError, match="a column by pick"):
        rows["title"]


def test_a_part_is_read_only_as_far_as_it_is_looked_at(db, monkeypatch):
    """Of a query that goes on for ever the beginning can be had."""
    endless = db.query("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")
    assert endless[10_000] == (10_001,)
    assert list(endless[5:8]) == [(6,), (7,), (8,)]
    assert endless.first() == (1,)
    assert [list(page) for page, _ in zip(endless.batches(2), range(2), strict=False)] == [[(1,), (2,)], [(3,), (4,)]]


def test_a_part_that_is_in_memory_is_cut_as_one_in_the_file(db):
    """A batch, and what is no part of another query."""
    batch = next(db.tracks.batches(9))
    whole = list(db.tracks[:9])
    assert (list(batch[2:5]), batch[-1], list(batch[-3:]), len(batch)) == (whole[2:5], whole[8], whole[6:], 9)
    assert list(batch.pick("title", "id")[1:2]) == [(whole[1].title, whole[1].id)]
    names = list(db.query("PRAGMA table_xinfo(tags)"))
    asked = db.query("PRAGMA table_xinfo(tags)")
    assert (asked[1], list(asked[1:]), list(asked.pick("name"))) == (names[1], names[1:], [(row[1],) for row in names])


def test_what_cannot_be_asked_is_said_when_it_is_asked(db, tmp_path):
    for wrong in ("SELECT nothing FROM tracks", "SELEC 1", "DELETE FROM users", "SELECT 1; SELECT 2", "", "tracs"):
        with pytest.raises(HarvestError):
            db.sql(wrong)
    for wrong in ("SELECT nothing FROM tracks", "SELECT ?", "ATTACH 'x' AS y", f"SELECT {2**64} WHERE ?"):
        with pytest.raises(QueryError):
            db.query(wrong)
    with pytest.raises(QueryError, match="64 bits"):
        db.query("SELECT ?", 2**63)
    with pytest.raises(QueryError, match="There is no column nam"):
        db.tracks.pick("id", "nam")
    with pytest.raises(QueryError, match="Syntax error at tracks \\(column 14\\)"):
        db.query("SELECT 1 FRM tracks")
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(OutOfTime):
        list(db.sql(endless, timeout=0.1))


def test_a_named_query_a_table_and_any_sql(db, path):
    ((track, _), *_) = read(path, "SELECT track_id, count(*) FROM user_engagements GROUP BY 1 ORDER BY 2 DESC")
    asked = db.sql("co-likes", track=track, limit=5)
    assert list(asked) == list(db.sql("co_likes", f"track={track}", "limit=5"))
    assert 0 < len(asked) <= 5
    assert asked.columns[0] == "track_id"
    assert sorted(db.sql("tags")) == sorted(read(path, "SELECT * FROM tags"))
    assert list(db.sql("SELECT :n + 1", n=41)) == list(db.sql("SELECT ? + 1", 41)) == [(42,)]
    assert list(db.sql("near-several", tracks=[track])) == list(db.sql("near-several", tracks=str(track)))
    with pytest.raises(QueryError, match="did you mean co-likes"):
        db.sql("co-like")
    with pytest.raises(SeedError):
        db.sql("co-likes", track="nobody/nothing")


def test_columns_that_are_picked_are_the_only_ones(db):
    assert list(db.likes.pick("track_id", "user_id")) == [(row.track_id, row.user_id) for row in db.likes]
    assert db.tracks[2:4].pick("title").columns == ["title"]


@pytest.mark.parametrize(("package", "method"), FRAMES.items())
def test_a_data_frame_of_many_pages_is_that_of_one(db, monkeypatch, package, method):
    pytest.importorskip(package)
    asked = [db.tracks, db.likes, db.lists[3:90], db.comments]
    whole = [getattr(rows, method)() for rows in asked]
    monkeypatch.setattr(sequences, "ROWS_AT_ONCE", 7)
    for rows, frame in zip(asked, whole, strict=True):
        paged = getattr(rows, method)()
        assert paged.equals(frame)
        assert values(paged) == values(frame) == [list(row) for row in rows]
        assert types(paged) == types(frame)


@pytest.mark.parametrize(("package", "method"), FRAMES.items())
def test_a_data_frame_has_the_type_of_a_column_whatever_its_first_pages_hold(db, monkeypatch, package, method):
    pytest.importorskip(package)
    monkeypatch.setattr(sequences, "ROWS_AT_ONCE", 2)
    sql = (
        "SELECT iif(i > 4, i, NULL) AS a, iif(i < 4, i, i / 2.0) AS b, iif(i % 2, 'ü' || i, NULL) AS c, NULL AS d FROM"
    )
    numbers = "(WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7) SELECT i FROM n)"
    frame = getattr(db.query(f"{sql} {numbers}"), method)()
    assert values(frame) == [
        [None, 1.0, "ü1", None],
        [None, 2.0, None, None],
        [None, 3.0, "ü3", None],
        [None, 2.0, None, None],
        [5, 2.5, "ü5", None],
        [6, 3.0, None, None],
        [7, 3.5, "ü7", None],
    ]
    expected = {"pandas": ["Int64", "Float64", "string"], "polars": ["Int64", "Float64", "String"]}
    assert types(frame)[:3] == expected.get(package, ["int64", "double", "string"])
    mixed = db.query("SELECT 1 AS a UNION ALL SELECT 'x'")
    if package == "pandas":
        assert values(mixed.to_pandas()) == [[1], ["x"]]
    else:
        with pytest.raises(QueryError, match="The column a holds values of several types"):
            getattr(mixed, method)()
    empty = getattr(db.tracks[:0], method)()
    assert types(empty) == types(getattr(db.tracks, method)())
    assert len(empty) == 0


def values(frame):
    """The rows of any frame as lists of Python's own values, unknown as None."""
    if hasattr(frame, "to_pylist"):
        return [list(row) for row in zip(*(column.to_pylist() for column in frame.columns), strict=True)]
    if hasattr(frame, "rows"):
        return [list(row) for row in frame.rows()]
    return [[None if value is sys.modules["pandas"].NA else value for value in row] for row in frame.values.tolist()]


def types(frame):
    if hasattr(frame, "schema"):
        return [str(kind) for kind in (frame.schema.types if hasattr(frame, "to_pylist") else frame.schema.dtypes())]
    return [str(kind) for kind in frame.dtypes]


@pytest.mark.parametrize(("package", "method"), GRAPHS.items())
def test_a_graph_has_the_edges_of_its_rows_by_id(db, path, monkeypatch, package, method):
    """Of two kinds, people and tracks, and of one; with weights; whatever the size of a page. PyTorch is too large to
    be installed for this: arrays stand for its tensors where it is not there.
    """
    if package == "torch" and importlib.util.find_spec(package) is None:
        monkeypatch.setitem(sys.modules, package, SimpleNamespace(from_numpy=lambda array: array))
    else:
        pytest.importorskip(package)
    monkeypatch.setattr(sequences, "ROWS_AT_ONCE", 50)
    directed = {"directed": True} if package in ("networkx", "igraph") else {}

    def of(rows, **how):
        return edges(getattr(rows, method)(**directed, **how))

    expected = dict.fromkeys(read(path, "SELECT DISTINCT user_id, track_id FROM user_engagements"), 1.0)
    ranked = read(path, "SELECT user_id, track_id, user_list_rank FROM likes")
    assert of(db.interactions) == expected
    assert of(db.likes, weight="user_list_rank") == {(user, track): float(rank or 0) for user, track, rank in ranked}
    assert of(db.interactions, source="track_id", target="user_id") == {(b, a): 1.0 for a, b in expected}
    assert of(db.follows) == dict.fromkeys(read(path, "SELECT follower_id, followee_id FROM user_follows"), 1.0)
    assert of(db.query("SELECT 1 AS a_id, 2 AS b_id WHERE 0")) == {}
    with pytest.raises(QueryError, match="name them as source and target"):
        of(db.query("SELECT 1 AS a_id, 2 AS n"))
    if directed:
        both_ways = getattr(db.follows, method)()
        assert both_ways.is_directed() is False


def edges(graph):
    """The edges of any graph, by the ids of their ends."""
    name = type(graph).__name__
    if name == "Matrix":
        matrix = graph.matrix.tocoo()
        ends = zip(graph.row_ids[matrix.row].tolist(), graph.column_ids[matrix.col].tolist(), strict=True)
        return dict(zip(ends, matrix.data.tolist(), strict=True))
    if name == "EdgeIndex":
        source, target = graph.source_ids[graph.edge_index[0]], graph.target_ids[graph.edge_index[1]]
        return dict(zip(zip(source.tolist(), target.tolist(), strict=True), graph.weight.tolist(), strict=True))
    if hasattr(graph, "vs"):
        ids = graph.vs["id"]
        return {(ids[edge.source], ids[edge.target]): edge["weight"] for edge in graph.es}
    assert all(data["kind"] == node[0] for node, data in graph.nodes(data=True))
    return {(one[1], other[1]): float(weight) for one, other, weight in graph.edges(data="weight")}


_IN_TORCH = """
import json, sys
sys.path += sys.argv[2:]  # ours come last: what PyTorch was installed with counts
import harvest

found = harvest.open(sys.argv[1]).likes.to_torch()
ends = zip(found.source_ids[found.edge_index[0]].tolist(), found.target_ids[found.edge_index[1]].tolist())
kinds = [str(one.dtype) for one in (found.edge_index, found.weight)]
print(json.dumps([kinds, sorted([*pair, weight] for pair, weight in zip(ends, found.weight.tolist()))]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not TORCH.exists(), reason="scripts/environment recbole makes it")
def test_tensors_of_pytorch_itself_hold_the_likes(path):
    ours = [str(ROOT), str(Path(httpx.__file__).parents[1])]
    done = subprocess.run(
        [TORCH, "-c", _IN_TORCH, path, *ours], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    likes = read(path, "SELECT user_id, track_id FROM likes ORDER BY 1, 2")
    assert json.loads(done.stdout) == [["torch.int64", "torch.float32"], [[*like, 1.0] for like in likes]]


def test_a_matrix_of_one_kind_is_square(db):
    found = db.follows.to_scipy()
    assert found.row_ids is found.column_ids
    assert found.matrix.shape == (len(found.row_ids),) * 2
    assert db.likes.to_scipy().matrix.shape == (
        len({row.user_id for row in db.likes}),
        len({row.track_id for row in db.likes}),
    )


@pytest.mark.parametrize("package", ["numpy", *GRAPHS])
def test_a_library_of_graphs_that_is_missing_is_named(db, monkeypatch, package):
    method = GRAPHS.get(package, "to_scipy")
    for name in ("igraph", "networkx", "torch", package):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(HarvestError, match=r"pip install (-e \S+\[\w+\]'?|networkx|igraph|torch)$") as told:
        getattr(db.likes, method)()
    assert isinstance(told.value, ImportError)


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = Counter(), []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1

    def handle_data(self, data):
        self.texts.append(data)


def test_what_people_typed_is_text_in_a_notebook(db, path):
    """Each cell is one, whatever stands in it, and no tag comes out of a name."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE tracks SET title = '<script>alert(1)</script>' WHERE id = ?", (db.tracks[0].id,))
    connection.close()
    page = _Tags()
    page.feed(db.tracks._repr_html_())
    assert set(page.tags) == {"div", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert (page.tags["td"], page.tags["th"]) == (10 * len(db.tracks.columns), len(db.tracks.columns))
    assert "<script>alert(1)</script>" in page.texts
    assert db.users[:2]._repr_html_().count("<tr>") == 3
    assert "2 rows" in db.users[:2]._repr_html_()
    assert repr(db.users[:1]) == f"[{db.users[0]!r}]"


def test_pages_hold_what_they_are_to_hold():
    assert frames.ROWS_AT_ONCE == 50_000
