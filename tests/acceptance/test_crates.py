"""The descriptions beside an export: what they say, that they say no more than it does, that validators take them."""

from __future__ import annotations

import json

import pytest

from harvest.export.choices import FORMATS
from tests.crawling import read
from tests.exporting import leave, rich_file
from tests.foreign import ROOT, run

CRATES = ("croissant.json", "ro-crate-metadata.json")


@pytest.fixture(scope="module")
def harvest(tmp_path_factory):
    """A file with something of everything."""
    return rich_file(tmp_path_factory.mktemp("rich") / "t.db")


def crate(folder, name):
    return json.loads((folder / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def out(harvest, tmp_path_factory):
    folder = tmp_path_factory.mktemp("csv") / "out"
    leave(harvest, folder, format="csv")
    return folder


def test_croissant_names_every_file_with_its_hash_and_every_column(out):
    made, told = crate(out, "manifest.json"), crate(out, "croissant.json")
    data = [file for file in made["files"] if file["table"] != "crate"]
    assert [(one["contentUrl"], one["sha256"], one["contentSize"]) for one in told["distribution"]] == [
        (file["path"], file["sha256"], f"{file['bytes']} B") for file in data
    ]
    fields = {
        one["name"]: [field["source"]["extract"]["column"] for field in one["field"]] for one in told["recordSet"]
    }
    assert fields == {file["table"]: file["columns"] for file in data}
    assert told["rai:dataCollection"] == " ".join(made["methods"])
    assert told["rai:dataBiases"] == made["biases"]
    window = made["source"]["first_page_at"], made["source"]["last_page_at"]
    assert tuple(told["rai:dataCollectionTimeframe"]) == window


def test_the_crate_says_what_made_the_files_from_what(out, harvest):
    made = crate(out, "manifest.json")
    graph = {one["@id"]: one for one in crate(out, "ro-crate-metadata.json")["@graph"]}
    action = graph["#made"]
    seeds = [row[0] for row in read(harvest, "SELECT address FROM seeds ORDER BY id")]
    assert [one["@id"] for one in action["object"]] == [seed for seed in seeds if seed.startswith("https://")]
    assert graph[action["instrument"]["@id"]]["version"] == made["harvest_version"]
    results = {one["@id"] for one in action["result"]}
    assert results == {file["path"] for file in made["files"]} - {"ro-crate-metadata.json"} | {"manifest.json"}
    assert [one for one in results if not (out / one).is_file()] == []


def test_the_data_package_types_every_column(out):
    made, told = crate(out, "manifest.json"), crate(out, "datapackage.json")
    fields = {one["path"]: [field["name"] for field in one["schema"]["fields"]] for one in told["resources"]}
    assert fields == {file["path"]: file["columns"] for file in made["files"] if file["table"] != "crate"}
    items = next(one for one in told["resources"] if one["name"] == "items")
    types = {field["name"]: field["type"] for field in items["schema"]["fields"]}
    assert (types["item_id"], types["title"], types["tags"], types["created_at"]) == (
        "integer", "string", "array", "datetime",
    )  # fmt: skip


def test_under_pseudonyms_they_tell_nothing_of_anybody(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="csv", ids="pseudonym", key_file=tmp_path / "key")
    text = "\n".join((tmp_path / "out" / name).read_text("utf-8") for name in (*CRATES, "datapackage.json"))
    rows = read(
        harvest,
        "SELECT id, permalink_url, username FROM users UNION ALL SELECT id, permalink_url, title FROM tracks"
        " UNION ALL SELECT thing_id, address, NULL FROM seeds",
    )
    words = {str(word) for row in rows for word in row if word is not None and len(str(word)) > 5}
    assert [word for word in words if word in text] == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_validators_of_the_forms_find_nothing_wrong(harvest, tmp_path):
    exports = tmp_path / "exports"
    for name in FORMATS:
        leave(harvest, exports / name, format=name, kinds=("like", "repost"))
    leave(harvest, exports / "hidden", format="csv", ids="pseudonym", key_file=tmp_path / "key", split="hash:0.3")
    done = run("crates", ROOT / "tests" / "readers" / "with_crates.py", exports, timeout=1500)
    assert json.loads(done.stdout or "null") == {name: [] for name in sorted((*FORMATS, "hidden"))}, done.stderr
