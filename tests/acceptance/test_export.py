"""`harvest export`: every format against the rows of the database, whole; what may be left out, split and hidden."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import re
import shutil
import socket
import sqlite3
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from pyarrow import dataset, parquet
from scipy import sparse

from harvest.errors import SeedError, SettingsError
from harvest.export import graphs, selection_sql, tables
from harvest.export import selection as selection_module
from harvest.export.choices import ExportChoices
from harvest.export.escaping import cell, field, word, xml
from harvest.export.pseudonyms import pseudonym
from harvest.export.selection import select
from harvest.simulator import World
from harvest.system.processes import born
from tests.crawling import crawl_world, read
from tests.exporting import HOSTILE, NOW, Expected, leave, rich_file
from tests.repetitions import slow_but

BOTH = ("like", "repost")
FILTERS = [
    {},
    {"kinds": ("repost",)},
    {"kinds": BOTH},
    {"complete": True},
    {"min_users": 3},
    {"min_items": 12},
    {"kcore": 4},
    {"kinds": BOTH, "kcore": 4},
    {"kinds": BOTH, "complete": True, "min_users": 2, "min_items": 4, "kcore": 2},
]


@pytest.fixture(scope="module")
def harvest(tmp_path_factory):
    """A file with something of everything."""
    return rich_file(tmp_path_factory.mktemp("rich") / "t.db")


def table(folder, name):
    """Read a Parquet table as rows, unknown as None, lists as tuples, times as the database writes them."""
    columns = parquet.read_table(folder / f"{name}.parquet").to_pydict()
    rows = zip(*columns.values(), strict=True)
    return [tuple(_plain(value) for value in row) for row in rows]


def _plain(value):
    if isinstance(value, list):
        return tuple(value)
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else value


def wishes(filters):
    """Translate what `Expected` is told into choices."""
    return {{"complete": "complete_users_only"}.get(name, name): value for name, value in filters.items()}


def test_the_file_has_something_of_everything(harvest):
    """Or the other tests would say little."""
    found = Expected(harvest, BOTH)
    assert {row[4] for row in found.profiles} >= {"complete", "capped", "short", "forbidden", "not asked"}
    assert len(found.edges) > len(found.pairs) > 400
    assert any(rank is None for *_, rank, _ in found.edges)
    assert set(HOSTILE) <= {row[1] for row in found.items}


@pytest.mark.parametrize("filters", slow_but(FILTERS[::3], FILTERS), ids=str)
def test_parquet_holds_the_rows_that_a_filter_leaves_and_the_manifest_counts_them(harvest, tmp_path, filters):
    made = leave(harvest, tmp_path / "out", **wishes(filters))
    expected = Expected(harvest, **filters)
    assert expected.edges
    assert table(tmp_path / "out", "interactions") == expected.interactions
    assert table(tmp_path / "out", "items") == expected.items
    assert table(tmp_path / "out", "users") == expected.profiles
    steps = [{k: v for k, v in step.items() if k != "rounds"} for step in made["counts"]["after each filter"]]
    assert steps == expected.steps


def test_a_core_is_searched_until_nothing_changes(harvest, tmp_path):
    """One round is not enough here."""
    made = leave(harvest, tmp_path / "out", kcore=4)
    assert made["counts"]["after each filter"][-1]["rounds"] > 1


def test_the_types_of_parquet_are_plain_and_the_same_for_any_content(harvest, tmp_path):
    for name, chosen in (("all", {"kinds": BOTH}), ("few", {"kinds": ("repost",)})):
        leave(harvest, tmp_path / name, **chosen)
    types = {
        "interactions": "int64 int64 dictionary<values=string, indices=int8, ordered=0> float int32 int32 double "
        "dictionary<values=string, indices=int8, ordered=0> bool",
        "items": "int64 string int64 string list<element: string> int64 int64 timestamp[s, tz=UTC] string string bool "
        "string int32 int32",
        "users": "int64 int64 int64 bool string double string int32 int16 string string int64 int64 bool int32",
    }
    for name in ("all", "few"):
        for part, expected in types.items():
            schema = parquet.read_schema(tmp_path / name / f"{part}.parquet")
            assert [str(found) for found in schema.types] == _types(expected)
    column = parquet.ParquetFile(tmp_path / "all" / "items.parquet").metadata.row_group(0).column(1)
    assert column.compression == "ZSTD"


def _types(text):
    """Take apart at blanks that stand in no brackets; Parquet has no seconds, they come back as milliseconds."""
    parts, depth = [""], 0
    for character in text.replace("timestamp[s,", "timestamp[ms,"):
        depth += (character in "<[") - (character in ">]")
        if character == " " and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def test_a_long_table_becomes_several_files_in_order(harvest, tmp_path):
    made = leave(harvest, tmp_path / "out", rows_per_file=200)
    parts = [file for file in made["files"] if file["table"] == "interactions"]
    assert [file["path"] for file in parts] == [f"interactions/part-{n:05}.parquet" for n in range(3)]
    assert [file["rows"] for file in parts] == [200, 200, 51]
    found = dataset.dataset(tmp_path / "out" / "interactions").to_table().to_pydict()
    assert list(zip(*found.values(), strict=True)) == Expected(harvest).interactions


# --- text formats ----------------------------------------------------------------------------------------------------


def as_cell(value):
    """What a value looks like in CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return cell(value) if isinstance(value, str) else str(value)


def test_csv_holds_the_same_rows_and_no_formula(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="csv", kinds=BOTH)
    expected = Expected(harvest, BOTH)
    tables = {"interactions": expected.interactions, "items": expected.items, "users": expected.profiles}
    for name, rows in tables.items():
        with (tmp_path / "out" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *found = csv.reader(file)
        if name == "items":
            place = header.index("tags")
            found = [[*row[:place], tuple(json.loads(row[place])), *row[place + 1 :]] for row in found]
        assert found == [[v if isinstance(v, tuple) else as_cell(v) for v in row] for row in rows]
        assert not [v for row in found for v in row if isinstance(v, str) and v.lstrip()[:1] in tuple("=+@＝")]


def test_json_lines_hold_the_same_values(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="jsonl", kinds=BOTH)
    expected = Expected(harvest, BOTH)
    tables = {"interactions": expected.interactions, "items": expected.items, "users": expected.profiles}
    for name, rows in tables.items():
        found = [json.loads(line) for line in (tmp_path / "out" / f"{name}.jsonl").read_bytes().split(b"\n") if line]
        assert [tuple(_plain(value) for value in row.values()) for row in found] == rows
        assert list(found[0]) == parquet_columns(harvest, tmp_path, name)


def parquet_columns(harvest, tmp_path, name):
    if not (tmp_path / "columns").exists():
        leave(harvest, tmp_path / "columns", kinds=BOTH)
    return parquet.read_schema(tmp_path / "columns" / f"{name}.parquet").names


def test_tsv_is_user_item_rating_order_and_nothing_else(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="tsv", kinds=BOTH)
    pairs = Expected(harvest, BOTH).ordered_pairs
    unknown = min(order for *_, order in pairs if order is not None) - 1
    expected = [f"{u}\t{t}\t{rating}\t{unknown if order is None else order}\n" for u, t, rating, order in pairs]
    assert (tmp_path / "out" / "interactions.tsv").read_text("utf-8") == "".join(expected)
    assert {pair[2] for pair in pairs} == {1.0, 2.0}


def test_the_order_of_a_file_without_ranks_is_the_same_for_all(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="tsv", kinds=("repost",))
    lines = (tmp_path / "out" / "interactions.tsv").read_text("utf-8").splitlines()
    assert {line.split("\t")[3] for line in lines} == {"0"}


@pytest.mark.slow
def test_recbole_files_have_typed_heads_one_line_a_row_and_no_quotes(harvest, tmp_path):
    leave(harvest, tmp_path / "set", format="recbole")
    expected, folder = Expected(harvest), tmp_path / "set" / "set"
    found = {
        path.suffix: [line.split("\t") for line in path.read_text("utf-8").split("\n")[:-1]]
        for path in folder.iterdir()
        if path.suffix != ".yaml"
    }
    assert '"' not in "".join(path.read_text("utf-8") for path in folder.iterdir() if path.suffix != ".yaml")
    unknown = min(order for *_, order in expected.ordered_pairs if order is not None) - 1
    assert found[".inter"] == [
        ["user_id:token", "item_id:token", "rating:float", "list_order:float"],
        *[[str(u), str(t), str(r), str(unknown if o is None else o)] for u, t, r, o in expected.ordered_pairs],
    ]
    assert found[".item"] == [
        ["item_id:token", "title:token_seq", "artist_id:token", "genre:token", "tags:token_seq", "duration_ms:float"],
        *[
            [
                str(row[0]),
                field(row[1] or ""),
                str(row[2] or ""),
                field(row[3] or ""),
                " ".join(filter(None, map(word, row[4]))),
                str(row[5] or ""),
            ]
            for row in expected.items
        ],
    ]
    assert found[".user"] == [
        ["user_id:token", "followers_count:float", "chance:float"],
        *[[str(row[0]), "" if row[1] is None else str(row[1]), ""] for row in expected.profiles],
    ]
    assert found[".net"][0] == ["source_id:token", "target_id:token"]
    configuration = yaml.safe_load((folder / "set.yaml").read_text("utf-8"))
    assert configuration["TIME_FIELD"] == "list_order"
    assert "benchmark_filename" not in configuration


def test_a_split_for_recbole_has_files_its_configuration_names(harvest, tmp_path):
    leave(harvest, tmp_path / "set", format="recbole", split="hash:0.3")
    folder = tmp_path / "set" / "set"
    assert yaml.safe_load((folder / "set.yaml").read_text("utf-8"))["benchmark_filename"] == ["train", "test", "test"]
    parts = {name: (folder / f"set.{name}.inter").read_text("utf-8").splitlines() for name in ("train", "test")}
    assert parts["train"][0] == parts["test"][0]
    pairs = {name: {tuple(map(int, line.split("\t")[:2])) for line in lines[1:]} for name, lines in parts.items()}
    expected = Expected(harvest)
    assert pairs["test"] == expected.in_hash_test(0, 0.3)
    assert pairs["train"] == expected.pairs - pairs["test"]


# --- matrices and graphs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["none", "hash:0.3", "last:2"])
def test_csr_is_users_by_tracks_with_sorted_columns(harvest, tmp_path, split):
    leave(harvest, tmp_path / "out", format="csr", split=split, kcore=2)
    expected, out = Expected(harvest, kcore=2), tmp_path / "out"
    users, items = np.load(out / "user_ids.npy"), np.load(out / "item_ids.npy")
    assert (users.dtype, users.tolist(), items.tolist()) == (np.int64, expected.users, expected.tracks)
    test = {"none": set(), "hash:0.3": expected.in_hash_test(0, 0.3), "last:2": expected.in_last_test(2)}[split]
    for name, wanted in (("train", expected.pairs - test), ("test", test)):
        if split == "none" and name == "test":
            assert not (out / "test.npz").exists()
            continue
        matrix = sparse.load_npz(out / f"{name}.npz")
        assert (matrix.shape, matrix.dtype) == ((len(expected.users), len(expected.tracks)), np.float32)
        assert matrix.has_canonical_format
        assert [matrix.indices[a:b].tolist() for a, b in zip(matrix.indptr, matrix.indptr[1:], strict=False)] == [
            sorted(expected.tracks.index(t) for u, t in wanted if u == user) for user in expected.users
        ]
        assert set(matrix.data.tolist()) == {1.0}


def test_a_like_and_repost_of_one_track_are_one_entry_of_two(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="csr", kinds=BOTH)
    expected = Expected(harvest, BOTH)
    matrix = sparse.load_npz(tmp_path / "out" / "train.npz").tocoo()
    found = zip(matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist(), strict=True)
    assert [(expected.users[u], expected.tracks[t], rating) for u, t, rating in found] == [
        pair[:3] for pair in expected.ordered_pairs
    ]


def test_a_part_without_rows_is_an_empty_matrix(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="csr", kinds=("repost",), split="hash:0.0001")
    assert sparse.load_npz(tmp_path / "out" / "test.npz").nnz == 0
    assert sparse.load_npz(tmp_path / "out" / "train.npz").nnz == 10


OF_USERS = (
    "followers_count", "likes_total", "likes_complete", "likes_list", "chance", "chance_unknown", "listed_rank",
    "depth", "design", "seed_kind", "claimed", "likes_read", "censored", "community",
)  # fmt: skip
OF_ITEMS = (
    "label", "artist_id", "genre", "tags", "duration_ms", "playback_count", "created_at", "artist", "permalink_url",
    "frame", "verdict", "users_here", "community",
)  # fmt: skip


def as_attribute(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return xml(json.dumps(value, ensure_ascii=False, separators=(",", ":")) if isinstance(value, tuple) else str(value))


def graph_rows(harvest, kinds):
    """What a graph has to hold: nodes with all that is known of them, as text, and edges with what they carry."""
    expected = Expected(harvest, kinds)
    names = dict(read(harvest, "SELECT id, username FROM users"))
    uploaded = dict(read(harvest, "SELECT id, created_at FROM tracks"))
    nodes = {}
    for row in expected.profiles:
        told = {"label": names[row[0]] or f"user {row[0]}", **dict(zip(OF_USERS, row[1:], strict=True))}
        nodes[f"u{row[0]}"] = {"kind": "user", **told}
    for row in expected.items:
        told = dict(zip(OF_ITEMS, row[1:], strict=True)) | {"created_at": uploaded[row[0]]}
        nodes[f"t{row[0]}"] = {"kind": "track", **told, "label": told["label"] or f"track {row[0]}"}
    nodes = {
        node: {name: as_attribute(value) for name, value in told.items() if value is not None}
        for node, told in nodes.items()
    }
    edges = [(f"u{u}", f"t{t}", kind, 1.0, rank) for u, t, kind, _, rank, *_ in expected.interactions]
    known = set(expected.users)
    follows = read(harvest, "SELECT follower_id, followee_id FROM user_follows ORDER BY 1, 2")
    edges += [(f"u{a}", f"u{b}", "follow", 1.0, None) for a, b in follows if {a, b} <= known]
    assert edges[-1][2] == "follow"
    return nodes, edges


def _number(text):
    return None if text is None else int(text)


def test_graphml_is_well_formed_and_has_every_node_and_edge(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="graphml", kinds=BOTH)
    space = "{http://graphml.graphdrawing.org/xmlns}"
    root = ElementTree.parse(tmp_path / "out" / "graph.graphml").getroot()
    names = {key.get("id"): key.get("attr.name") for key in root.iter(f"{space}key")}

    def carried(element):
        return {names[data.get("key")]: data.text for data in element}

    nodes, edges = graph_rows(harvest, BOTH)
    found = {node.get("id"): carried(node) for node in root.iter(f"{space}node")}
    assert found == nodes
    assert [
        (e.get("source"), e.get("target"), d["rel"], float(d["weight"]), _number(d.get("user_list_rank")))
        for e in root.iter(f"{space}edge")
        for d in [carried(e)]
    ] == edges


def test_gexf_is_well_formed_and_has_every_node_and_edge(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="gexf", kinds=BOTH)
    space = "{http://www.gexf.net/1.2draft}"
    root = ElementTree.parse(tmp_path / "out" / "graph.gexf").getroot()

    def carried(element):
        return {value.get("for"): value.get("value") for value in element.iter(f"{space}attvalue")}

    nodes, edges = graph_rows(harvest, BOTH)
    found = {node.get("id"): {**carried(node), "label": node.get("label")} for node in root.iter(f"{space}node")}
    assert found == nodes
    elements = list(root.iter(f"{space}edge"))
    assert [element.get("id") for element in elements] == [str(n) for n in range(len(elements))]
    assert [
        (e.get("source"), e.get("target"), d["rel"], float(e.get("weight")), _number(d.get("user_list_rank")))
        for e in elements
        for d in [carried(e)]
    ] == edges


def carried_by(path):
    """The nodes and edges of a GraphML file, without what they carry but for what edges are."""
    space = "{http://graphml.graphdrawing.org/xmlns}"
    root = ElementTree.parse(path / "graph.graphml").getroot()
    edges = [
        (e.get("source"), e.get("target"), next(d.text for d in e if d.get("key") == "e_rel"))
        for e in root.iter(f"{space}edge")
    ]
    return {node.get("id") for node in root.iter(f"{space}node")}, edges


def around(edges, middle, radius):
    """Those within so many steps of one, whichever way edges go."""
    reached, last = {middle}, {middle}
    for _ in range(radius):
        last = {end for edge in edges for end in edge[:2] if {*edge[:2]} & last} - reached
        reached |= last
    return reached


@pytest.mark.parametrize(("kind", "radius"), [("user", 1), ("user", 2), ("track", 1), ("track", 2)])
def test_what_lies_around_somebody_or_a_track_leaves_alone(harvest, tmp_path, kind, radius):
    leave(harvest, tmp_path / "all", format="graphml", kinds=BOTH)
    nodes, edges = carried_by(tmp_path / "all")
    middle = min((node for node in nodes if node[0] == kind[0]), key=lambda node: int(node[1:]))
    wanted = around(edges, middle, radius)
    assert wanted < nodes
    made = leave(
        harvest, tmp_path / "ego", format="graphml", kinds=BOTH, ego=f"soundcloud:{kind}s:{middle[1:]}", radius=radius
    )
    found = carried_by(tmp_path / "ego")
    assert found == (wanted, [edge for edge in edges if {*edge[:2]} <= wanted])
    step = made["counts"]["after each filter"][1]
    pairs = {edge[:2] for edge in found[1] if edge[2] != "follow"}
    assert (step["users"], step["interactions"]) == (sum(node[0] == "u" for node in wanted), len(pairs))
    assert made["options"]["ego"] == f"soundcloud:{kind}s:{middle[1:]}"
    ((stranger,),) = read(harvest, "SELECT max(id) FROM users WHERE id NOT IN (SELECT user_id FROM user_engagements)")
    with pytest.raises(SettingsError, match="stands in none of what is exported"):
        leave(harvest, tmp_path / "none", format="graphml", ego=f"soundcloud:users:{stranger}")
    with pytest.raises(SeedError, match=f"no track or person soundcloud:{kind}s:1 in this file"):
        leave(harvest, tmp_path / "none", format="graphml", ego=f"soundcloud:{kind}s:1")


def test_the_graph_of_follows_has_those_who_like_nothing_here(harvest, tmp_path):
    follows = {
        (f"u{a}", f"u{b}", "follow") for a, b in read(harvest, "SELECT follower_id, followee_id FROM user_follows")
    }
    leave(harvest, tmp_path / "out", format="graphml", graph="follows")
    nodes, edges = carried_by(tmp_path / "out")
    assert (nodes, set(edges), len(edges)) == ({end for edge in follows for end in edge[:2]}, follows, len(follows))
    assert nodes - {f"u{user}" for user in Expected(harvest).users}
    middle = edges[0][0]
    leave(harvest, tmp_path / "ego", format="graphml", graph="follows", ego=f"soundcloud:users:{middle[1:]}")
    wanted = around(follows, middle, 1)
    assert carried_by(tmp_path / "ego") == (wanted, [edge for edge in edges if {*edge[:2]} <= wanted])


def test_tracks_leave_for_players(harvest, tmp_path):
    """All of them, those that most have first; of a file of playlists each in its order."""
    people = Counter(track for _, track in Expected(harvest).pairs)
    pages = dict(read(harvest, "SELECT id, permalink_url FROM tracks"))
    in_order = [pages[track] for track in sorted(people, key=lambda track: (-people[track], track))]
    made = leave(harvest, tmp_path / "m3u", format="m3u")
    lines = (tmp_path / "m3u" / "tracks.m3u").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == in_order
    assert next(file for file in made["files"] if file["path"] == "tracks.m3u")["rows"] == len(in_order)
    leave(harvest, tmp_path / "jspf", format="jspf", min_users=5)
    told = json.loads((tmp_path / "jspf" / "tracks.jspf").read_text("utf-8"))["playlist"]["track"]
    assert [one["location"][0] for one in told] == [page for page in in_order if people[_id_of(pages, page)] >= 5]
    path, town = tmp_path / "lists.db", World(12, users=30, tracks=60, playlists=12)
    lists = sorted(range(12), key=lambda n: -len(town.listing("playlist_tracks", town.id("playlist", n))))[:2]
    crawl_world(path, town, [town.playlist_url(town.id("playlist", n)) for n in lists])
    leave(path, tmp_path / "lists", format="m3u")
    for number in (town.id("playlist", n) for n in lists):
        held = read(
            path,
            "SELECT t.permalink_url FROM playlist_tracks AS l JOIN tracks AS t ON t.id = l.track_id"
            f" WHERE l.playlist_id = {number} ORDER BY l.position",
        )
        lines = (tmp_path / "lists" / f"playlist-{number}.m3u").read_text("utf-8").splitlines()
        assert [line for line in lines if not line.startswith("#")] == [page for (page,) in held]
        assert held
    for wishes in ({"split": "hash:0.2"}, {"ids": "pseudonym", "key_file": tmp_path / "key"}):
        with pytest.raises(SettingsError, match="list for players"):
            leave(harvest, tmp_path / "no", format="m3u", **wishes)


def _id_of(pages, page):
    return next(track for track, one in pages.items() if one == page)


def test_a_large_graph_needs_to_be_insisted_on(harvest, tmp_path, monkeypatch):
    monkeypatch.setattr(graphs, "LARGEST", 400)
    with pytest.raises(SettingsError, match=r"451 interactions.*--kcore.*--force"):
        leave(harvest, tmp_path / "out", format="gexf")
    assert list(tmp_path.iterdir()) == []
    leave(harvest, tmp_path / "out", format="gexf", force=True)


# --- Hugging Face ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["none", "last:1"])
def test_the_card_of_a_dataset_names_files_that_are_there(harvest, tmp_path, split):
    made = leave(harvest, tmp_path / "out", format="hf", split=split, rows_per_file=300)
    head = yaml.safe_load((tmp_path / "out" / "README.md").read_text("utf-8").split("---\n")[1])
    configs = {config["config_name"]: config for config in head["configs"]}
    extras = {"follows", "playlist_items", "item_item", "user_user", "artist_artist"}
    assert set(configs) == {"interactions", "items", "users", *extras}
    assert [name for name, config in configs.items() if config.get("default")] == ["interactions"]
    splits = {part["split"]: part["path"] for part in configs["interactions"]["data_files"]}
    assert set(splits) == ({"train"} if split == "none" else {"train", "test"})
    named = {
        str(path.relative_to(tmp_path / "out"))
        for config in configs.values()
        for part in config["data_files"]
        for path in (tmp_path / "out").glob(part["path"])
    }
    assert named == {file["path"] for file in made["files"] if file["table"] != "crate"} - {"README.md"}
    assert "data/train-00001-of-00002.parquet" in named


# --- splits ----------------------------------------------------------------------------------------------------------


def parts(folder):
    return {name: {row[:2] for row in table(folder, name)} for name in ("train", "test")}


@pytest.mark.parametrize("seed", [0, 7])
def test_a_hash_splits_by_a_rule_anyone_can_repeat(harvest, tmp_path, seed):
    expected = Expected(harvest, BOTH)
    leave(harvest, tmp_path / "out", kinds=BOTH, split="hash:0.25", seed=seed)
    test = expected.in_hash_test(seed, 0.25)
    assert parts(tmp_path / "out") == {"test": test, "train": expected.pairs - test}
    both = sorted(table(tmp_path / "out", "train") + table(tmp_path / "out", "test"))
    assert [row[:3] for row in both] == [row[:3] for row in expected.interactions]
    assert 0.15 < len(test) / len(expected.pairs) < 0.35


@pytest.mark.parametrize("ids", ["dense", "pseudonym"])
def test_the_hash_is_of_ids_that_a_reader_has(harvest, tmp_path, ids):
    key = {"key_file": tmp_path / "key"} if ids == "pseudonym" else {}
    leave(harvest, tmp_path / "out", split="hash:0.25", ids=ids, **key)
    users, items = {}, {}
    if ids == "dense":
        users, items = dict(table(tmp_path / "out", "user_ids")), dict(table(tmp_path / "out", "item_ids"))
    for name, is_test in (("train", False), ("test", True)):
        for user, item in parts(tmp_path / "out")[name]:
            hashed = f"0:{users.get(user, user)}:{items.get(item, item)}"
            assert (int(hashlib.sha1(hashed.encode()).hexdigest()[:8], 16) / 2**32 < 0.25) is is_test


@pytest.mark.parametrize("newest", [1, 5])
@pytest.mark.parametrize("filters", [{}, {"kcore": 3}], ids=str)
def test_the_newest_of_each_user_go_to_test(harvest, tmp_path, newest, filters):
    expected = Expected(harvest, **filters)
    made = leave(harvest, tmp_path / "out", split=f"last:{newest}", **filters)
    test = expected.in_last_test(newest)
    assert test
    assert parts(tmp_path / "out") == {"test": test, "train": expected.pairs - test}
    assert made["split"]["users_in_test"] == len({user for user, _ in test})
    assert {user for user, _ in parts(tmp_path / "out")["train"]} == set(expected.users)


def test_users_whose_order_is_not_known_stay_in_train(harvest, tmp_path):
    expected = Expected(harvest)
    unranked = {user for user in expected.users if all(e[3] is None for e in expected.edges if e[0] == user)}
    assert unranked
    leave(harvest, tmp_path / "out", split="last:1")
    assert not unranked & {user for user, _ in parts(tmp_path / "out")["test"]}


def test_equal_ranks_are_told_apart_by_the_smaller_track(db, db_path, tmp_path):
    """No crawl makes them; a file that was tampered with may have them."""
    moment = "'2026-01-01T00:00:00Z'"
    run = db.conn.execute
    run("PRAGMA foreign_keys = OFF")
    run(f"INSERT INTO users (id, seen_as, first_seen_at, last_seen_on) VALUES (1, 'list', {moment}, '2026-01-01')")
    for track, rank in ((9, 2), (8, 2), (7, 2), (5, 4)):
        run(f"INSERT INTO tracks (id, seen_as, first_seen_at, last_seen_on) VALUES ({track}, 'list', {moment}, '')")
        run(f"INSERT INTO user_engagements VALUES (1, {track}, 'like', {rank}, NULL, 1)")
    leave(db_path, tmp_path / "out", split="last:2")
    assert parts(tmp_path / "out") == {"test": {(1, 7), (1, 8)}, "train": {(1, 9), (1, 5)}}


def test_a_split_by_order_without_any_order_is_refused(harvest, tmp_path):
    with pytest.raises(SettingsError, match="their order is not known"):
        leave(harvest, tmp_path / "out", kinds=("repost",), split="last:1")
    assert list(tmp_path.iterdir()) == []


# --- ids -------------------------------------------------------------------------------------------------------------


def test_dense_ids_count_from_zero_and_lead_back(harvest, tmp_path):
    leave(harvest, tmp_path / "out", ids="dense", kinds=BOTH)
    out, expected = tmp_path / "out", Expected(harvest, BOTH)
    users, items = table(out, "user_ids"), table(out, "item_ids")
    assert [user for user, _ in users] == list(range(len(users)))
    assert users[: len(expected.users)] == list(enumerate(expected.users))
    assert items == list(enumerate(expected.tracks))
    to_user, to_item = dict(users), dict(items)
    found = [(to_user[u], to_item[t], *rest) for u, t, *rest in table(out, "interactions")]
    assert found == expected.interactions
    assert [(to_item[row[0]], row[1], to_user.get(row[2]), *row[3:]) for row in table(out, "items")] == expected.items
    assert [(to_user[row[0]], *row[1:]) for row in table(out, "users")] == expected.profiles
    playlists = dict(table(out, "playlist_ids"))
    assert {playlists[number] for number, _, _ in table(out, "playlist_items")} == {3, 7}


def test_pseudonyms_join_as_ids_do(harvest, tmp_path):
    made = leave(harvest, tmp_path / "out", ids="pseudonym", key_file=tmp_path / "key", kinds=BOTH)
    out, expected, key = tmp_path / "out", Expected(harvest, BOTH), (tmp_path / "key").read_bytes().strip()
    users = {user: pseudonym(key, "user", user) for user in expected.users}
    items = {track: pseudonym(key, "track", track) for track in expected.tracks}
    # without the place in the track's list, which anybody can look up
    rows = [(users[row[0]], items[row[1]], *row[2:5], None, *row[6:]) for row in expected.interactions]
    assert any("track_list_rank" in note for note in made["left_out"])
    assert table(out, "interactions") == sorted(rows, key=lambda row: row[:3])
    artists = {items[row[0]]: row[2] and pseudonym(key, "user", row[2]) for row in expected.items}
    assert {row[0]: row[1] for row in table(out, "items")} == artists
    assert [row[0] for row in table(out, "items")] == sorted(items.values())
    assert [row[0] for row in table(out, "users")] == sorted(users.values())
    follows = {
        (users[a], users[b], None, None)
        for a, b in read(harvest, "SELECT follower_id, followee_id FROM user_follows")
        if {a, b} <= set(users)
    }
    assert set(table(out, "follows")) == follows


@pytest.mark.parametrize("kind", ["user", "track", "playlist"])
def test_two_who_share_a_pseudonym_are_never_taken_for_one(harvest, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(selection_module, "pseudonym", lambda _, what, number: 7 if what == kind else number)
    with pytest.raises(SettingsError, match="the same pseudonym"):
        leave(harvest, tmp_path / "out", ids="pseudonym", key_file=tmp_path / "key")
    assert not (tmp_path / "out").exists()


def test_a_line_of_json_is_one_for_every_reader(tmp_path):
    """Python's splitlines and Node's readline end a line at characters that JSON leaves as they are."""
    title = "a\u2028b\u2029c\u0085d\\u2028\x0b\x1c\r\n"
    path = rich_file(tmp_path / "t.db")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tracks SET title = ?", (title,))
    leave(path, tmp_path / "out", format="jsonl")
    lines = (tmp_path / "out" / "items.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["title"] for line in lines} == {title}


@pytest.mark.parametrize("format_name", ["csv", "jsonl", "recbole", "tsv", "graphml", "gexf"])
def test_a_pseudonymised_export_names_nobody_and_nothing(harvest, tmp_path, format_name):
    """No id, name, title or address of a user or track, in any file, the manifest included."""
    leave(harvest, tmp_path / "out", format=format_name, ids="pseudonym", key_file=tmp_path / "key", kinds=BOTH)
    text = "\n".join(path.read_text("utf-8") for path in sorted((tmp_path / "out").rglob("*")) if path.is_file())
    secrets = [str(row[0]) for table in ("users", "tracks") for row in read(harvest, f"SELECT id FROM {table}")]
    named = (("users", "username"), ("tracks", "title"), ("users", "permalink_url"), ("tracks", "permalink_url"))
    for table_name, column in named:
        secrets += [row[0] for row in read(harvest, f"SELECT DISTINCT {column} FROM {table_name}") if row[0]]
    secrets += [row[0].removeprefix("https://") for row in read(harvest, "SELECT seed_url FROM harvests")]
    words = set(re.split(r"[<>\"\t,\n]", text))
    assert [secret for secret in secrets if secret in words or (len(secret) > 12 and secret in text)] == []
    assert (tmp_path / "key").read_text().strip() not in text


def test_under_pseudonyms_counts_are_rough_and_only_common_words_stay(harvest, tmp_path):
    leave(harvest, tmp_path / "out", ids="pseudonym", key_file=tmp_path / "key")
    expected, out, key = Expected(harvest), tmp_path / "out", (tmp_path / "key").read_bytes().strip()
    genres, tags = {}, {}
    for row in expected.items:
        if row[2] is not None:
            genres.setdefault(row[3], set()).add(row[2])
            for tag in row[4]:
                tags.setdefault(tag, set()).add(row[2])
    common = {name for name, uploaders in genres.items() if len(uploaders) >= 5} - {None}
    known = {tag for tag, uploaders in tags.items() if len(uploaders) >= 5}
    assert common and known and set(tags) - known  # noqa: PT018 - that there is something to tell apart
    names = parquet.read_schema(out / "items.parquet").names
    assert names == [
        "item_id",
        "artist_id",
        "genre",
        "tags",
        "duration_ms",
        "playback_count",
        "created_at",
        "users_here",
        "community",
    ]
    found = {row[0]: row for row in table(out, "items")}
    for item in expected.items:
        row = found[pseudonym(key, "track", item[0])]
        assert row[2] == (item[3] if item[3] in common else None)
        assert row[3] == tuple(tag for tag in item[4] if tag in known)
        assert row[4] == (None if item[5] is None else (item[5] + 5000) // 10000 * 10000)
        assert row[5] is None or row[5] < 10 or set(str(row[5])[1:]) <= {"0"}
        assert row[6] == (None if item[7] is None else item[7][:7] + "-01T00:00:00Z")
    assert all(set(str(row[1])[1:]) <= {"0"} for row in table(out, "users") if row[1] is not None)


# --- what else leaves ------------------------------------------------------------------------------------------------


def test_follows_and_playlists_leave_as_far_as_their_ends_do(harvest, tmp_path):
    leave(harvest, tmp_path / "out", min_items=5)
    expected = Expected(harvest, min_items=5)
    users, tracks = set(expected.users), set(expected.tracks)
    follows = read(harvest, "SELECT follower_id, followee_id FROM user_follows ORDER BY 1, 2")
    wanted = [(*row, None, None) for row in follows if set(row) <= users]  # a rule chose, so no chance is known
    assert len(wanted) < len(follows)
    assert table(tmp_path / "out", "follows") == wanted
    held = read(harvest, "SELECT playlist_id, track_id, position FROM playlist_tracks ORDER BY 1, 3")
    assert table(tmp_path / "out", "playlist_items") == [row for row in held if row[1] in tracks]


def scores(harvest, name, ends, more=""):
    return read(harvest, f"SELECT {ends}, method, score, common{more} FROM {name} ORDER BY 1, 2, 3")


def _nearness(row):
    return (-(row[3] or 0), row[1])


LEFT_OUT = (
    "left out of item_item, user_user, artist_artist, users.community: scores in which lists count that are not whole;"
    " --include-incomplete takes them along"
)


@pytest.mark.parametrize("incomplete", [False, True])
def test_scores_of_lists_that_are_not_whole_leave_only_when_asked_for(harvest, tmp_path, incomplete):
    made = leave(harvest, tmp_path / "out", include_incomplete=incomplete)
    out, expected = tmp_path / "out", Expected(harvest)
    methods = {"soundcloud", "whole", "featuring", "label"} | ({"all"} if incomplete else set())
    tracks, users = set(expected.tracks), set(expected.users)
    items = read(
        harvest, "SELECT track_id, related_track_id, method, score, common, rank FROM related_tracks ORDER BY 1, 2, 3"
    )
    assert table(out, "item_item") == [row for row in items if row[2] in methods and {*row[:2]} <= tracks]
    people = scores(harvest, "user_similarity", "user_id, other_user_id")
    kept = [row for row in people if row[2] in methods and {*row[:2]} <= users]
    nearest = sorted(kept, key=lambda row: (row[0], row[2], row[3] is None, -(row[3] or 0), row[1]))
    place = {
        row: n - min(m for m, o in enumerate(nearest) if (o[0], o[2]) == (row[0], row[2]))
        for n, row in enumerate(nearest)
    }
    assert table(out, "user_user") == [(*row, place[row]) for row in kept]
    artists = read(
        harvest, "SELECT artist_id, other_artist_id, method, score, common FROM artist_relationships ORDER BY 1, 2, 3"
    )
    accounts = users | {row[2] for row in expected.items}
    assert table(out, "artist_artist") == [row for row in artists if row[2] in methods and {*row[:2]} <= accounts]
    assert made["left_out"] == ([] if incomplete else [LEFT_OUT])
    communities = dict(read(harvest, "SELECT user_id, community FROM user_communities")) if incomplete else {}
    placed = {row[0]: row[-1] for row in table(out, "users")}
    assert placed == {user: communities.get(user) for user in users}


def test_scores_of_an_interrupted_computation_stay_behind(harvest, tmp_path):
    path = tmp_path / "t.db"
    shutil.copy(harvest, path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE derivations SET state = 'unfinished' WHERE method = 'all'")
    made = leave(path, tmp_path / "out", include_incomplete=True)
    assert {row[2] for row in table(tmp_path / "out", "item_item")} == {"soundcloud", "whole", "featuring", "label"}
    (note,) = made["left_out"]
    assert note.startswith(
        "left out of item_item, user_user, artist_artist, users.community: scores of an interrupted computation"
    )


def test_popularity_counts_whole_lists_and_all_when_asked_to(harvest, tmp_path):
    leave(harvest, tmp_path / "out", include_incomplete=True)
    found = {row[0]: row[-2] for row in table(tmp_path / "out", "items")}
    expected = Expected(harvest)
    assert found == {track: sum(t == track for _, t in expected.pairs) for track in expected.tracks}
    assert found != {row[0]: row[-2] for row in expected.items}


def test_tables_without_rows_are_not_written(db, db_path, tmp_path):
    test_equal_ranks_are_told_apart_by_the_smaller_track(db, db_path, tmp_path)
    there = {path.name for path in (tmp_path / "out").iterdir()}
    crates = {"croissant.json", "ro-crate-metadata.json"}
    assert there == {"train.parquet", "test.parquet", "items.parquet", "users.parquet", "manifest.json", *crates}


# --- the manifest ----------------------------------------------------------------------------------------------------


def test_the_manifest_describes_every_file_as_it_is(harvest, tmp_path):
    made = leave(harvest, tmp_path / "out", format="csv", kinds=BOTH)
    out = tmp_path / "out"
    there = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} - {"manifest.json"}
    assert {file["path"] for file in made["files"]} == there
    for file in made["files"]:
        content = (out / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        if file["table"] == "crate":
            continue
        with (out / file["path"]).open(encoding="utf-8", newline="") as opened:
            header, *rows = csv.reader(opened)
        assert (file["columns"], file["rows"]) == (header, len(rows))


def test_the_manifest_says_where_it_comes_from_and_how_whole_it_is(harvest, tmp_path):
    made = leave(harvest, tmp_path / "out", min_items=5)
    expected = Expected(harvest, min_items=5)
    outcomes = [row[4] for row in expected.profiles]
    assert made["lists"]["of these users"] == {name: outcomes.count(name) for name in sorted(set(outcomes))}
    lists = read(
        harvest, "SELECT kind, outcome, count(*) FROM tasks WHERE kind NOT IN ('resolve', 'lookup') GROUP BY 1, 2"
    )
    assert sorted((k, o, n) for k, found in made["lists"]["in the file"].items() for o, n in found.items()) == lists
    totals = read(harvest, "SELECT users, tracks, likes, reposts FROM totals")[0]
    assert tuple(made["counts"]["in the file"].values()) == totals
    source = made["source"]
    fetched = read(harvest, "SELECT min(fetched_at), max(fetched_at) FROM pages")[0]
    assert (source["first_page_at"], source["last_page_at"]) == fetched
    assert source["service"] == ["made up, by a server on the machine of the crawl"]
    assert source["seeds"] == [row[0] for row in read(harvest, "SELECT seed_url FROM harvests")]
    assert made["made_at"] == "2026-11-21T12:00:00Z"
    assert "developers.soundcloud.com" in made["terms"]


@pytest.mark.parametrize(("born_at", "runs"), [(born(os.getppid()), True), ("long ago", False)])
def test_a_crawl_that_was_killed_is_not_called_running(harvest, tmp_path, born_at, runs):
    """A lease with the number of a live process, and one of a process that had this number before."""
    path = tmp_path / "t.db"
    shutil.copy(harvest, path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        row = (socket.gethostname(), os.getppid(), born_at, NOW)
        connection.execute("INSERT INTO lease VALUES (1, '', ?, ?, ?, ?)", row)
    assert leave(path, tmp_path / "out", format="csv")["source"]["crawl_running"] is runs


def test_the_secret_of_a_private_link_stays_at_home(harvest, tmp_path):
    path = tmp_path / "t.db"
    shutil.copy(harvest, path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE seeds SET address = 'https://soundcloud.com/artist/track/s-HuSh'")
    leave(path, tmp_path / "out", format="csv")
    text = (tmp_path / "out" / "manifest.json").read_text("utf-8")
    assert "https://soundcloud.com/artist/track/s-…" in text
    assert "HuSh" not in text


def test_two_exports_of_one_file_are_the_same_to_the_byte(harvest, tmp_path):
    for format_name in ("parquet", "csr", "gexf"):
        first, second = (leave(harvest, tmp_path / f"{format_name}{n}", format=format_name) for n in (1, 2))
        assert first["files"] == second["files"]


@pytest.mark.parametrize("format_name", ["csr", "csv", "jsonl", "tsv", "recbole", "gexf"])
def test_rows_that_come_in_small_portions_are_the_same_rows(harvest, tmp_path, monkeypatch, format_name):
    split = {} if format_name == "gexf" else {"split": "hash:0.3"}
    (tmp_path / "again").mkdir()
    first = leave(harvest, tmp_path / "out", format=format_name, **split)
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 7)
    assert leave(harvest, tmp_path / "again" / "out", format=format_name, **split) == first


def test_the_harvest_is_read_at_one_moment_while_it_grows(harvest, tmp_path):
    """Somebody commits likes after every step; none of them shows."""
    path = tmp_path / "growing.db"
    with sqlite3.connect(harvest) as source, sqlite3.connect(path) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = WAL")
    source.close()
    copy.close()
    before = Expected(harvest, BOTH)
    grown = []

    def grow(what, done, total):
        if what and what != "choosing":
            writer = sqlite3.connect(path)
            with writer:
                writer.execute(
                    "INSERT INTO user_engagements SELECT ?, id, 'like', NULL, NULL, 1 FROM tracks WHERE id NOT IN"
                    " (SELECT track_id FROM user_engagements WHERE user_id = ?) LIMIT 7",
                    (before.users[0], before.users[0]),
                )
                writer.execute("UPDATE tracks SET title = 'changed meanwhile'")
            writer.close()
            grown.append(what)

    leave(path, tmp_path / "out", kinds=BOTH, tell=grow)
    assert len(grown) > 5
    assert table(tmp_path / "out", "interactions") == before.interactions
    assert table(tmp_path / "out", "items") == before.items
    assert len(Expected(path, BOTH).edges) > len(before.edges)


def test_nothing_can_be_written_to_the_harvest(harvest, tmp_path):
    before = harvest.read_bytes()
    with select(harvest, tmp_path / "scratch", ExportChoices(), tell=lambda *_: None) as selection:
        for statement in (
            "DELETE FROM user_engagements",
            "UPDATE users SET username = ''",
            "DROP TABLE tags",
            "INSERT INTO totals (id) VALUES (2)",
            "CREATE TABLE harvest.x (y)",
        ):
            with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited"):
                selection.connection.execute(statement)
    leave(harvest, tmp_path / "out", ids="dense", kcore=2)
    assert harvest.read_bytes() == before


STREAMED = ("interactions", "pairs", "places", "items", "users")


@pytest.mark.parametrize("name", [*STREAMED, "follows", "playlist_items", "item_item", "artist_artist"])
def test_rows_come_in_order_without_sorting_and_nothing_is_searched_through(harvest, tmp_path, name):
    """Only our own tables are gone through; the harvest is looked up by its keys."""
    make = getattr(tables, name)
    with select(harvest, tmp_path / "scratch", ExportChoices(kinds=BOTH), tell=lambda *_: None) as selection:
        wanted = make(selection, unknown=0) if name == "pairs" else make(selection)
        parameters = {"likes": 1, "reposts": 1, "both": 1}
        plan = [row[3] for row in selection.connection.execute(f"EXPLAIN QUERY PLAN {wanted.sql}", parameters)]
    scans = {line.split()[1] for line in plan if line.startswith("SCAN ")}
    assert scans <= {"p", "t", "a", "c", "(subquery-1)", "(subquery-3)"}, plan
    if name in STREAMED:
        sorts = [line for line in plan if "TEMP B-TREE" in line]
        assert len(sorts) == (name == "items"), plan  # the tags of one track


def test_choosing_reads_along_keys(harvest, tmp_path):
    """Every step of the filters, on its own plan."""
    steps = (
        selection_sql.PEOPLE,
        selection_sql.THINGS,
        selection_sql.LOWER_THINGS,
        selection_sql.LOWER_PEOPLE,
        selection_sql.USERS_HERE,
        selection_sql.CUT,
    )
    with select(harvest, tmp_path / "scratch", ExportChoices(), tell=lambda *_: None) as selection:
        for sql in steps:
            parameters = {"likes": 1, "reposts": 1, "kind": "like", "newest": 1}
            plan = [row[3] for row in selection.connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
            scans = [line for line in plan if line.startswith("SCAN e") and "USING" not in line]
            whole = sql is selection_sql.PEOPLE  # the table itself, in the order of its key
            assert len(scans) == whole, (sql, plan)
