"""Each format read back by those who will read it, row by row, in environments of their own (tests/environments)."""

from __future__ import annotations

import json
import re

import pytest

from harvest.export.escaping import cell, field, word
from tests.crawling import read
from tests.exporting import Expected, leave, rich_file
from tests.foreign import ROOT, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
BOTH = ("like", "repost")
TABLES = ("interactions", "items", "users")


@pytest.fixture(scope="module")
def harvest(tmp_path_factory):
    """A file with something of everything."""
    return rich_file(tmp_path_factory.mktemp("rich") / "t.db")


@pytest.fixture(scope="module")
def exports(harvest, tmp_path_factory):
    """That file in every format, and for RecBole also in two parts."""
    folder = tmp_path_factory.mktemp("exports")
    for format_name in ("parquet", "csv", "jsonl", "csr", "tsv", "graphml", "gexf"):
        leave(harvest, folder / format_name, format=format_name, kinds=BOTH)
    leave(harvest, folder / "hf", format="hf", split="hash:0.3")
    leave(harvest, folder / "whole", format="recbole")
    leave(harvest, folder / "parts", format="recbole", split="hash:0.3")
    return folder


def read_by(library, exports, environment="readers"):
    """Let a library read the exports; give what it found."""
    done = run(environment, ROOT / "tests" / "readers" / f"with_{library}.py", exports, timeout=1500)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def as_json(rows):
    """Lists for tuples, as JSON has them."""
    return json.loads(json.dumps(rows))


def truth(harvest, kinds=BOTH):
    expected = Expected(harvest, kinds)
    return {"interactions": expected.interactions, "items": expected.items, "users": expected.profiles}


def as_csv(rows):
    """What is left of rows in CSV: text without formulas, lists as JSON, empty text unknown."""
    return [[_as_csv(value) for value in row] for row in rows]


def _as_csv(value):
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    return cell(value) if isinstance(value, str) else value


@pytest.mark.parametrize("library", ["pandas", "polars", "duckdb"])
def test_tables_are_read_by_those_who_read_tables(harvest, exports, library):
    found = read_by(library, exports)
    for name, rows in truth(harvest).items():
        assert found[f"parquet/{name}"] == as_json(rows), name
        assert found[f"jsonl/{name}"] == as_json(rows), name
        assert found[f"csv/{name}"] == as_csv(rows), name


def test_the_matrix_is_read_by_scipy(harvest, exports):
    pairs = [list(pair[:3]) for pair in Expected(harvest, BOTH).ordered_pairs]
    assert read_by("scipy", exports) == {"csr": pairs}


def test_the_folder_is_loaded_by_datasets_without_a_network(harvest, exports):
    found = read_by("datasets", exports)
    expected = Expected(harvest)
    test = expected.in_hash_test(0, 0.3)
    parts = {
        "train": as_json([row for row in expected.interactions if row[:2] not in test]),
        "test": as_json([row for row in expected.interactions if row[:2] in test]),
    }
    assert {name: found[f"interactions/{name}"] for name in parts} == parts
    assert found["default"] == parts["train"] + parts["test"]
    assert found["items/train"] == as_json(expected.items)
    assert found["users/train"] == as_json(expected.profiles)


def graph(harvest, exports):
    """Nodes and edges as another reader of XML finds them; these were compared with the database elsewhere."""
    from tests.acceptance.test_export import graph_rows

    nodes, edges = graph_rows(harvest, BOTH)
    told = sorted([name, d["kind"], d["label"], d.get("genre")] for name, d in nodes.items())
    return told, sorted(map(list, edges), key=str)


def in_order(found, name):
    return sorted(found[f"{name}/nodes"]), sorted(found[f"{name}/edges"], key=str)


@pytest.mark.parametrize("name", ["graphml", "gexf"])
def test_the_graph_is_read_by_networkx(harvest, exports, name):
    assert in_order(read_by("networkx", exports), name) == graph(harvest, exports)


def test_the_graph_is_read_by_igraph(harvest, exports):
    """It has no unknown: numbers become NaN, texts empty."""
    nodes, edges = graph(harvest, exports)
    found = in_order(read_by("igraph", exports), "graphml")
    assert found == (sorted([*node[:3], node[3] or ""] for node in nodes), edges)


def test_the_tab_separated_file_is_read_by_cornac(harvest, exports):
    pairs = Expected(harvest, BOTH).ordered_pairs
    unknown = min(order for *_, order in pairs if order is not None) - 1
    found = read_by("cornac", exports)
    assert found["ratings"] == [[str(u), str(t), rating] for u, t, rating, _ in pairs]
    assert found["ordered"] == [[str(u), str(t), r, unknown if o is None else o] for u, t, r, o in pairs]
    expected = Expected(harvest, BOTH)
    assert found["sizes"] == [[len(expected.users), len(expected.tracks), len(pairs)]]


def test_atomic_files_are_read_by_recbole(harvest, exports):
    """Its own order of rows and its own filling of unknown numbers aside."""
    found = read_by("recbole", exports, environment="recbole")
    expected = Expected(harvest)
    pairs = expected.ordered_pairs
    unknown = min(order for *_, order in pairs if order is not None) - 1
    rows = sorted([str(u), str(t), r, float(unknown if o is None else o)] for u, t, r, o in pairs)
    items = sorted(
        [str(row[0]), _words(row[1]), str(row[2] or ""), _words(row[3]), " ".join(filter(None, map(word, row[4])))]
        for row in expected.items
    )
    assert sorted(found["whole/inter"]) == rows
    assert sorted(found["whole/item"]) == items
    test = expected.in_hash_test(0, 0.3)
    twice = [row for row in rows if (int(row[0]), int(row[1])) in test]  # for validation as well
    assert sorted(found["parts/inter"]) == sorted(rows + twice)
    for name, wanted in (("train", expected.pairs - test), ("test", test)):
        assert {(int(row[0]), int(row[1])) for row in found[f"parts/{name}"]} == wanted


def _words(text):
    """What RecBole makes of a text: one that is a word for nothing, to pandas, is nothing."""
    return "" if text in ("null", "NULL", "None", "NA", "N/A", "nan", "NaN") else field(text or "")


def test_the_example_with_pandas_runs(exports):
    """As docs/export.md shows it, on the folder made by the command before it."""
    page = (ROOT / "docs" / "export.md").read_text("utf-8")
    (code,) = [block for block in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S) if "pandas" in block]
    code = code.replace("listening/", f"{exports}/parquet/") + "\nprint(list(popular.items()))"
    done = run("readers", "-c", code)
    assert len(json.loads(done.stdout.replace("(", "[").replace(")", "]"))) == 10, done.stderr


def test_frames_of_the_python_interface_hold_the_rows():
    """The tests that are skipped where pandas, Polars or pyarrow are missing, where none of them is."""
    tests = ("tests/acceptance/test_notebook.py", "tests/acceptance/test_sequences.py")
    done = run("readers", "-m", "pytest", *tests, "-k", "data_frame or graph", "-v", timeout=1500)
    assert re.search(r"\b18 passed", done.stdout), done.stdout + done.stderr
    assert "skipped" not in done.stdout


def test_nothing_stood_in_the_way_of_the_truth(harvest):
    """The names that break readers are among what was read."""
    titles = {row[0] for row in read(harvest, "SELECT title FROM tracks") if row[0]}
    assert any('"' in title for title in titles)
    assert any("\x00" in title for title in titles)
    assert any("\r" in title for title in titles)
