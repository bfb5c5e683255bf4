"""The notebooks of docs/notebooks: what they show is what comes out, and what they compute is what they say."""

from __future__ import annotations

import csv
import json
import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from tests import foreign

FOLDER = foreign.ROOT / "docs" / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
_DURATION = re.compile(r"\b\d+(\.\d+)? s\b")


def notebook(folder: Path, name: str) -> dict:
    return json.loads((folder / f"{name}.ipynb").read_text("utf-8"))


def code(name: str) -> list[dict]:
    return [cell for cell in notebook(FOLDER, name)["cells"] if cell["cell_type"] == "code"]


def shown(cell: dict) -> list[tuple[str, object]]:
    """What a cell shows: text as it is but for durations; of a picture only that it is one, since fonts differ."""
    found: list[tuple[str, object]] = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            found.append((output["name"], _DURATION.sub("N s", "".join(output["text"]))))
        else:
            found += [(kind, "" if "image" in kind else "".join(data)) for kind, data in output["data"].items()]
    return found


def test_there_are_six_and_each_is_stored_as_it_ran():
    """Run from top to bottom once, without an error or a warning, and without what differs from run to run."""
    assert NAMES == ["changes", "communities", "embeddings", "evaluation", "quick-start", "sampling-and-estimates"]
    for name in NAMES:
        cells = code(name)
        assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
        assert all(cell["metadata"] == {} for cell in cells)
        kinds = {(o["output_type"], o.get("name")) for cell in cells for o in cell["outputs"]}
        assert kinds == {("stream", "stdout"), ("execute_result", None), ("display_data", None)}
        assert sorted(notebook(FOLDER, name)["metadata"]["language_info"]) == ["name"]
        assert (FOLDER / f"{name}.ipynb").stat().st_size < 150_000


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_uses_the_python_interface_and_no_shell(name):
    """Whoever opens it in an editor has no activated environment, and `harvest` is not on the path."""
    lines = [line for cell in code(name) for line in cell["source"]]
    assert [line for line in lines if line.startswith(("!", "%")) or "subprocess" in line] == []
    assert "import harvest\n" in lines


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name):
    text = "".join(
        "".join(cell["source"]) for cell in notebook(FOLDER, name)["cells"] if cell["cell_type"] == "markdown"
    )
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not (FOLDER / link).exists()] == []
    assert links


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run them anew; give the folder with them and the files they made."""
    folder = tmp_path_factory.mktemp("notebooks")
    done = foreign.run("notebooks", foreign.ROOT / "scripts" / "notebooks.py", "--into", folder, timeout=1500)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_is_what_comes_out(executed, name):
    """When this fails after a change that was wanted: python scripts/notebooks.py, in the environment `notebooks`."""
    for stored, fresh in zip(notebook(FOLDER, name)["cells"], notebook(executed, name)["cells"], strict=True):
        assert "".join(stored["source"]) == "".join(fresh["source"])
        if stored["cell_type"] == "code":
            assert shown(stored) == shown(fresh)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_neighbours_find_at_least_twice_what_the_charts_find(executed):
    """The world has taste groups: who does not find them has a mistake."""
    with (executed / "evaluation" / "scores.csv").open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    recall = {(split, model): float(value) for split, model, value, *_ in rows}
    assert {split for split, _ in recall} == {"hash", "last"}
    for split in ("hash", "last"):
        assert recall[split, "item kNN"] >= 2 * recall[split, "popularity"] > 0
        assert recall[split, "EASE"] >= 2 * recall[split, "popularity"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_weighted_intervals_hold_the_truth_and_unweighted_numbers_are_far_off(executed):
    with (executed / "sampling" / "means.csv").open(encoding="utf-8", newline="") as file:
        rows = {row[""]: row for row in csv.DictReader(file)}
    truth = float(rows["truth"]["likes per person"])
    for estimator in ("hajek", "horvitz_thompson"):
        assert float(rows[estimator]["from"]) < truth < float(rows[estimator]["to"])
    assert float(rows["unweighted"]["likes per person"]) > 1.2 * truth
    assert float(rows["likes per person in the file"]["likes per person"]) < 0.5 * truth


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_embedding_finds_more_than_counting_and_the_charts_least_of_all(executed):
    with (executed / "embeddings" / "scores.csv").open(encoding="utf-8", newline="") as file:
        recall = {row[""]: float(row["recall@10"]) for row in csv.DictReader(file)}
    assert recall["SVD"] > recall["co-likes"] > recall["popularity"] > 0
    assert recall["autoencoder"] > 1.5 * recall["popularity"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_file_that_is_refreshed_misses_little_of_what_changed(executed):
    with (executed / "changes" / "compared.csv").open(encoding="utf-8", newline="") as file:
        rows = {row[""]: row for row in csv.DictReader(file)}
    for missed, of in (
        ("new likes that are missing", "of how many"),
        ("likes shown that are gone", "of how many gone"),
    ):
        assert int(rows["never read again"][missed]) == int(rows["refreshed"][of]) > 50
        assert int(rows["refreshed"][missed]) < 0.2 * int(rows["refreshed"][of])


# What the cells of evaluation.ipynb define, against the definitions in the plainest Python.


@pytest.fixture(scope="module")
def defined() -> dict:
    names: dict = {"np": np, "sparse": sparse}
    for cell in code("evaluation"):
        source = "".join(cell["source"])
        if re.match(r"def (per_user|popularity|item_knn|ease)\(", source):
            exec(source, names)
    return names


@pytest.fixture(scope="module")
def likes() -> tuple[list[set[int]], list[set[int]]]:
    """Train and test of fifty people and thirty items, six of them rare; some have nothing held back, some much."""
    chance = random.Random(3)
    liked = [set(chance.sample(range(24), chance.choice([2, 5, 12, 20]))) for _ in range(50)]
    for rare in range(24, 30):
        for user in chance.sample(range(12), 4):
            liked[user].add(rare)
    held_back = [set(chance.sample(sorted(one), chance.choice([0, len(one) // 2]))) for one in liked]
    return [one - gone for one, gone in zip(liked, held_back, strict=True)], held_back


def matrix(rows: list[set[int]]) -> sparse.csr_array:
    dense = np.zeros((50, 30))
    for user, items in enumerate(rows):
        dense[user, sorted(items)] = 1
    return sparse.csr_array(dense)


def test_the_scores_are_those_of_the_formulas(defined, likes):
    train, test = likes
    scores = np.random.default_rng(1).integers(0, 6, (50, 30)).astype(float)  # with many ties
    expected = []
    for user in range(50):
        if test[user]:
            ranking = sorted(set(range(30)) - train[user], key=lambda item: (-scores[user, item], item))[:10]
            hits = [item in test[user] for item in ranking]
            most = min(10, len(test[user]))
            gained = sum(hit / math.log2(place + 1) for place, hit in enumerate(hits, start=1))
            expected.append([sum(hits) / most, gained / sum(1 / math.log2(j + 1) for j in range(1, most + 1))])
    found = defined["per_user"](scores, matrix(train), matrix(test))
    assert found.shape == (len(expected), 2)
    assert np.allclose(found, expected, atol=1e-12)
    assert 0 < found.mean() < 1


def test_neighbours_are_the_nearest_by_cosine_with_enough_in_common(defined, likes):
    train, _ = likes
    fans = [{user for user in range(50) if item in train[user]} for item in range(30)]

    def cosine(one: int, other: int) -> float:
        both = len(fans[one] & fans[other])
        return round(both / math.sqrt(len(fans[one]) * len(fans[other])), 12) if both >= 3 and one != other else 0.0

    expected = np.zeros((50, 30))
    for item in range(30):
        near = sorted(range(30), key=lambda other: (-cosine(item, other), other))[:4]
        for user in range(50):
            expected[user, item] = sum(cosine(item, other) for other in near if other in train[user])
    assert np.allclose(defined["item_knn"](matrix(train), k=4), expected, atol=1e-10)


def test_ease_solves_what_it_says(defined, likes):
    """Column by column: the ridge regression of an item on all others."""
    X = matrix(likes[0]).toarray()
    weights = np.zeros((30, 30))
    for item in range(30):
        others = [other for other in range(30) if other != item]
        A = X[:, others]
        weights[others, item] = np.linalg.solve(A.T @ A + 7.0 * np.eye(29), A.T @ X[:, item])
    assert np.allclose(defined["ease"](sparse.csr_array(X), weight=7.0), X @ weights, atol=1e-9)


def test_popularity_is_the_number_of_likers(defined, likes):
    found = defined["popularity"](matrix(likes[0]))
    assert found.tolist() == [[sum(item in one for one in likes[0]) for item in range(30)]] * 50
