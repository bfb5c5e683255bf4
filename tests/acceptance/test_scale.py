"""The co-likes as one expression: DuckDB and Spark against brute force, each other, and `harvest analyze`."""

from __future__ import annotations

import ast
import math
import random
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harvest.errors import how_to_install
from harvest.scale import engines
from harvest.simulator import World
from tests import foreign
from tests.crawling import crawl_world
from tests.waiting import PATIENCE

ROOT = foreign.ROOT
SEED = 1000  # whose likers were listed
Like = tuple[int, int, str, int | None]
patient = pytest.mark.timeout(1800)  # Spark takes its time, most of all beside other work
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not installed")


def write_export(folder: Path, likes: list[Like], lists: dict[int, str], *, parts: int = 0) -> Path:
    """Write what `harvest export` writes, as far as it is read here: one file per table, or so many parts."""
    folder.mkdir()
    columns = list(zip(*likes, strict=True))
    interactions = pa.table(
        {
            "user_id": pa.array(columns[0], pa.int64()),
            "item_id": pa.array(columns[1], pa.int64()),
            "kind": pa.array(columns[2], pa.string()).dictionary_encode(),
            "user_list_rank": pa.array(columns[3], pa.int32()),
            "track_list_rank": pa.array([like[0] if like[1] == SEED else None for like in likes], pa.int32()),
        }
    )
    users = pa.table({"user_id": pa.array(list(lists), pa.int64()), "likes_list": list(lists.values())})
    pq.write_table(users, folder / "users.parquet")
    if not parts:
        pq.write_table(interactions, folder / "interactions.parquet")
        return folder
    (folder / "interactions").mkdir()
    for number in range(parts):
        rows = pa.array([place for place in range(len(likes)) if place % parts == number])
        pq.write_table(interactions.take(rows), folder / "interactions" / f"part-{number:05}.parquet")
    return folder


def a_graph(seed: int) -> tuple[list[Like], dict[int, str]]:
    """Eighty people, sixty tracks that many like and some that few do: reposts among the likes, lists that broke off,
    likes without a rank, dozens of ties."""
    chance = random.Random(seed)
    likes: list[Like] = []
    for user in range(1, 81):
        liked = chance.sample(range(1000, 1060), chance.choice([1, 3, 8, 20, 30]))
        liked += [SEED] * (SEED not in liked) + chance.sample(range(2000, 2040), 2)
        likes += [(user, track, "like", None if chance.random() < 0.05 else rank) for rank, track in enumerate(liked)]
        likes += [(user, track, "repost", rank) for rank, track in enumerate(chance.sample(range(1000, 1060), 4))]
    chance.shuffle(likes)
    return likes, {user: chance.choice(["complete"] * 6 + ["short", "capped", "failed"]) for user in range(1, 81)}


def brute_force(
    likes: list[Like], lists: dict[int, str], *, top: int, min_common: int, max_likes: int, incomplete: bool
) -> list[tuple[int, int, str, float, int, int]]:
    """Do the same with sets."""
    own = defaultdict(list)
    for user, track, kind, rank in likes:
        if kind == "like" and rank is not None and (incomplete or lists[user] in ("complete", "short")):
            own[user].append((rank, track))
    kept = {user: [track for _, track in sorted(liked)[:max_likes]] for user, liked in own.items()}
    kept = {user: [track for track in liked if track != SEED] for user, liked in kept.items()}
    n = Counter(track for liked in kept.values() for track in liked)
    common = Counter(pair for liked in kept.values() for pair in combinations(sorted(liked), 2))
    found = defaultdict(list)
    for (a, b), both in common.items():
        if both >= min_common:
            cosine, jaccard = both / math.sqrt(n[a] * n[b]), both / (n[a] + n[b] - both)
            for source, target in ((a, b), (b, a)):
                found[source, "colike_cosine"].append((-float(np.round(cosine, 12)), target, both))
                found[source, "colike_jaccard"].append((-float(np.round(jaccard, 12)), target, both))
    return [
        (source, target, measure, -score, both, rank)
        for (source, measure), near in sorted(found.items())
        for rank, (score, target, both) in enumerate(sorted(near)[:top])
    ]


def rows(out: Path) -> list[tuple[int, int, str, float, int, int]]:
    columns = ["source_id", "target_id", "measure", "score", "common", "rank"]
    table = pq.read_table(out)
    assert table.column_names == columns
    assert [str(table.schema.field(name).type) for name in columns[3:]] == ["double", "int32", "int16"]
    return [tuple(row.values()) for row in table.to_pylist()]


def scale(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    return foreign.run("scale", "-m", "harvest.scale", *arguments, timeout=1500, **environ)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "options"),
    [
        (1, {"top": 50, "min_common": 3, "max_likes": 1000, "incomplete": False}),
        (2, {"top": 5, "min_common": 2, "max_likes": 12, "incomplete": False}),
        (3, {"top": 7, "min_common": 1, "max_likes": 1000, "incomplete": True}),
    ],
)
def test_duckdb_gives_what_sets_give(tmp_path, seed, options):
    """Whole rows, scores to the last bit, in the order of source, measure and rank."""
    likes, lists = a_graph(seed)
    export = write_export(tmp_path / "export", likes, lists, parts=seed - 1)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if name != "incomplete"]
    done = scale(export, tmp_path / "out.parquet", *flags, *["--include-incomplete"] * options["incomplete"])
    assert (done.returncode, done.stdout) == (0, "")
    expected = brute_force(likes, lists, **options)
    assert len(expected) > 300
    assert rows(tmp_path / "out.parquet") == expected


HALF = [(user, 1, "like", 0) for user in range(101, 123)] + [(user, 2, "like", 1) for user in range(112, 195)]
HALF_LISTS = dict.fromkeys(range(101, 195), "complete")


@pytest.mark.slow
def test_a_score_half_way_between_two_roundings_is_rounded_as_numpy_does(tmp_path):
    """11 / sqrt(22 * 83) is 0.2574200074605 as far as a float64 knows; half up it would end in 1."""
    export = write_export(tmp_path / "export", HALF, HALF_LISTS)
    assert scale(export, tmp_path / "out.parquet").returncode == 0
    assert rows(tmp_path / "out.parquet")[0] == (1, 2, "colike_cosine", 0.25742000746, 11, 0)


@pytest.mark.slow
@patient
@needs_java
def test_spark_gives_what_sets_give(tmp_path):
    """A score half way between two roundings is among them: asked to round, Spark would take the upper one."""
    likes, lists = a_graph(4)
    likes, lists = likes + HALF, lists | HALF_LISTS
    export = write_export(tmp_path / "export", likes, lists, parts=2)
    done = scale(export, tmp_path / "out.parquet", "--engine", "spark", "--top", 7, "--max-likes", 15)
    assert (done.returncode, done.stdout) == (0, "")
    assert rows(tmp_path / "out.parquet") == brute_force(
        likes, lists, top=7, min_common=3, max_likes=15, incomplete=False
    )


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Crawl a world, analyze it, export it; give the file and the export."""
    folder = tmp_path_factory.mktemp("scale")
    path, export = folder / "tracks.db", folder / "export"
    crawl_world(path, World(5, users=300, tracks=600, likes_per_user=40, seed_likers=200, communities=4))
    methods = ["--method", "colike_cosine", "--method", "colike_jaccard"]
    for words in (["analyze", *methods], ["export", str(export)]):
        command = [sys.executable, "-m", "harvest", *words, "--cache-path", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
    return path, export


@pytest.mark.slow
@patient
@needs_java
def test_when_spark_fails_in_the_middle_its_own_reason_is_given(tmp_path):
    export = write_export(tmp_path / "export", *a_graph(1))
    torn = export / "interactions.parquet"
    whole = torn.read_bytes()
    torn.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])
    done = scale(export, tmp_path / "out", "--engine", "spark")
    assert (done.returncode, done.stdout) == (4, "")
    said = done.stderr.splitlines()[-1]
    assert re.search(r"harvest: Spark gave up: .*(Exception|Error|MalformedInput|FAILED_READ_FILE)", said), said
    assert "Py4J" not in said


@pytest.mark.slow
@patient
def test_every_engine_gives_what_analyze_gives(harvested):
    """And the script that says so would not say so otherwise: see the next test."""
    path, export = harvested
    done = foreign.run("scale", ROOT / "scripts" / "compare_engines.py", export, path, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    (count, *others) = sorted(done.stdout.splitlines(), key=lambda line: not line.startswith("DuckDB"))
    assert int(count.removeprefix("DuckDB: ").removesuffix(" rows").replace(",", "")) > 5000
    same = "the same rows, colike_cosine and colike_jaccard"
    spark = f"Spark: {same}" if shutil.which("java") else "Spark: left out, there is no Java here"
    assert sorted(others) == [spark, f"harvest analyze: {same}"]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["score = score + 1e-12", "common = common + 1", "rank = rank + 1"])
def test_the_comparison_sees_one_changed_row_of_thousands(harvested, tmp_path, change):
    import sqlite3

    changed = tmp_path / "changed.db"
    shutil.copy(harvested[0], changed)
    with sqlite3.connect(changed) as connection:
        where = "track_id = (SELECT max(track_id) FROM related_tracks) AND rank = 0 AND method = 'colike_jaccard'"
        assert connection.execute(f"UPDATE related_tracks SET {change} WHERE {where}").rowcount == 1
    connection.close()
    done = foreign.run("scale", ROOT / "scripts" / "compare_engines.py", harvested[1], changed, PATH="/nowhere")
    assert done.returncode == 1
    assert "harvest analyze: differs first at {" in done.stdout


@pytest.mark.slow
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_left_behind(tmp_path):
    likes, lists = a_graph(1)
    export = write_export(tmp_path / "export", likes, lists)
    (tmp_path / "there").write_text("mine")
    (tmp_path / "broken").mkdir()
    for name in ("interactions", "users"):
        (tmp_path / "broken" / f"{name}.parquet").write_text("not Parquet")
    torn = write_export(tmp_path / "torn", likes, lists) / "interactions.parquet"
    whole = torn.read_bytes()
    torn.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])  # its end says all is well
    cases = [
        ((tmp_path / "none", tmp_path / "out"), 2, "interactions.parquet: `harvest export "),
        ((export, tmp_path / "there"), 2, "there exists already: remove it, or name another."),
        ((export, tmp_path / "there", "--engine", "spark"), 2, "there exists already: remove it, or name another."),
        ((export, tmp_path / "no" / "out"), 2, f"There is no folder {tmp_path / 'no'} to write out into."),
        ((export, "s3://bucket/out"), 2, "for others take --engine spark."),
        ((tmp_path / "broken", tmp_path / "out"), 4, "DuckDB gave up: "),
        ((tmp_path / "torn", tmp_path / "out"), 4, "DuckDB gave up: "),
        ((export, tmp_path / "out", "--memory", "much"), 4, "DuckDB gave up: "),
        (("--sql", "klingon"), 2, "Ibis does not know the SQL of 'klingon'."),
    ]
    for arguments, code, words in cases:
        done = scale(*arguments)
        (line,) = done.stderr.splitlines()
        assert (done.returncode, done.stdout, line.startswith("harvest: ")) == (code, "", True)
        assert words in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "export", "there", "torn"]
    assert (tmp_path / "there").read_text() == "mine"


@pytest.mark.slow
def test_without_java_spark_says_what_it_needs(tmp_path):
    export = write_export(tmp_path / "export", *a_graph(1))
    done = scale(export, tmp_path / "out", "--engine", "spark", PATH="/nowhere", JAVA_HOME="/nowhere")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "harvest: Spark does not start: it needs Java 17 or 21, on the PATH or in JAVA_HOME."
    )


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["pyspark", "trino", "bigquery", "clickhouse"])
def test_the_expression_as_sql_names_the_two_tables_and_no_file(dialect):
    done = scale("--sql", dialect)
    assert done.returncode == 0, done.stderr
    assert "interactions" in done.stdout
    assert "parquet" not in done.stdout


PAGE = (ROOT / "docs" / "scale.md").read_text("utf-8")


@pytest.mark.slow
def test_the_first_commands_of_the_page_do_what_it_says(harvested, tmp_path):
    """Without the installation, in an empty folder with a harvested file where one is looked for."""
    shutil.copytree(harvested[0].parent, tmp_path / "data" / "cache")
    commands = re.search(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1].splitlines()
    assert commands[0].startswith("pip install '.[scale]' ")
    assert commands[1:] == ["harvest export listening", "python -m harvest.scale listening colikes.parquet"]
    for command in commands[1:]:
        words = command.replace("python -m harvest.scale", "-m harvest.scale").replace(
            "harvest export", "-m harvest export"
        )
        done = foreign.run("scale", *words.split(), folder=tmp_path)
        assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path / "colikes.parquet")) > 5000


def test_the_page_names_every_option_and_its_default_and_no_other():
    from harvest.scale.__main__ import command

    options = {option.opts[0]: option for option in command.params if option.opts[0].startswith("-")}
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", PAGE))
    others = {"--split", "--kcore", "--ids"} | {"--master", "--executor-memory"}  # of harvest export; of spark-submit
    assert named - others == set(options)
    for option, words in {"--top": "the 50 nearest", "--min-common": "3 people", "--max-likes": "newest 1,000"}.items():
        assert words in " ".join(PAGE.split())
        assert str(options[option].default) == re.search(r"[\d,]+", words)[0].replace(",", "")


def test_the_tour_shows_the_same_commands():
    assert re.search(r"^```sh\n.*?^```$", PAGE, re.MULTILINE | re.DOTALL)[0] in (ROOT / "docs" / "tour.md").read_text(
        "utf-8"
    )


def test_without_the_extra_it_says_how_to_get_it(tmp_path):
    """The environment of the tests has no engine."""
    done = subprocess.run(
        [sys.executable, "-m", "harvest.scale", str(tmp_path), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, f"harvest: This needs duckdb: {how_to_install('scale')}\n")


@pytest.mark.parametrize(
    ("manifest", "hides"),
    [('{"ids": {"mode": "pseudonym"}}', True), ('{"ids": {"mode": "dense"}}', False), ("[]", False)],
)
def test_an_export_under_pseudonyms_is_known_to_hide_the_seeds(tmp_path, manifest, hides):
    (tmp_path / "manifest.json").write_text(manifest)
    assert engines.hides_seeds(str(tmp_path)) is hides
    assert not engines.hides_seeds("s3a://bucket/listening")


def test_no_engine_stands_in_the_expression():
    tree = ast.parse((ROOT / "harvest" / "scale" / "colikes.py").read_text("utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "typing", "ibis", "ibis.expr.types"}
