"""l. What a person asks of a large file, beside what a library takes for the same: queries, report, exports, analysis.

The file is that of `generated.py`: likes by a power law, most lists whole. CPU is that of a whole process, less what an
empty one takes of the same kind. A library that is not installed is named instead of a figure.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.bench.child import ROOT, harvest, run
from tests.bench.files import LARGE, LESS_LARGE, power_law_file
from tests.bench.generated import SEED_TRACK
from tests.bench.line import Line, line_of

QUERIES = sorted({path.stem for path in (ROOT / "schema" / "queries").glob("*.sql")} - {"as-of", "rising", "search"})
_COPIED = """
import sqlite3, sys
import pyarrow as pa
from pyarrow import parquet
kind = pa.dictionary(pa.int8(), pa.string())
schema = pa.schema([("user_id", pa.int64()), ("item_id", pa.int64()), ("kind", kind), ("weight", pa.float32()),
                    ("user_list_rank", pa.int32()), ("track_list_rank", pa.int32()), ("chance", pa.float64()),
                    ("list_outcome", kind), ("censored", pa.bool_())])
db = sqlite3.connect(sys.argv[1])
ended = dict(db.execute("SELECT subject_id, outcome FROM tasks WHERE kind = 'user_likes'"))
rows = db.execute(
    "SELECT user_id, track_id, engagement_type, 1.0, user_list_rank, track_list_rank FROM user_engagements")
with parquet.ParquetWriter("floor.parquet", schema, compression="zstd") as writer:
    while some := rows.fetchmany(100_000):
        columns = list(zip(*some))
        outcomes = [ended.get(user) for user in columns[0]]
        columns += [[None] * len(some), outcomes, [outcome == "capped" for outcome in outcomes]]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema)]
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
"""
_MATRIX = """
import sqlite3, sys
import numpy as np
from scipy import sparse
rows, parts = sqlite3.connect(sys.argv[1]).execute(
    "SELECT user_id, track_id FROM user_engagements WHERE engagement_type = 'like'"), []
while some := rows.fetchmany(100_000):
    parts.append(np.array(some, np.int64))
users, tracks = np.concatenate(parts).T
user_ids, row = np.unique(users, return_inverse=True)
track_ids, column = np.unique(tracks, return_inverse=True)
matrix = sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)), (len(user_ids), len(track_ids)))
"""
_SAVED = "\nsparse.save_npz('floor.npz', matrix)\nnp.save('users.npy', user_ids)\nnp.save('items.npy', track_ids)\n"
_ONE = """
mine = matrix[:, np.searchsorted(track_ids, TRACK)].nonzero()[0]
common = np.asarray(matrix[mine].sum(axis=0)).ravel()
print(track_ids[np.argsort(-common / np.sqrt(np.asarray(matrix.sum(axis=0)).ravel()))[:10]])
"""
_TOP = """
from sparse_dot_topn import sp_matmul_topn
kept = np.asarray(matrix.sum(axis=0)).ravel()
kept = (kept >= 3) & (kept < matrix.shape[0])
matrix = matrix[:, kept]
unit = (matrix @ sparse.diags(1 / np.sqrt(np.asarray(matrix.sum(axis=0)).ravel()))).tocsr()
print(sp_matmul_topn(unit.T.tocsr(), unit, top_n=51, n_threads=1).nnz)
"""
_IMPLICIT = """
from implicit.nearest_neighbours import CosineRecommender
kept = np.asarray(matrix.sum(axis=0)).ravel()
matrix = matrix[:, (kept >= 3) & (kept < matrix.shape[0])].tocsr()
model = CosineRecommender(K=51, num_threads=1)
model.fit(matrix, show_progress=False)
print(model.similarity.nnz)
"""
_DUCKDB = """
import sqlite3, sys
import duckdb
import pyarrow as pa
out = duckdb.connect(config={"threads": 1})
out.execute("CREATE TABLE likes (user_id BIGINT, item_id BIGINT, kind TEXT, weight FLOAT, user_list_rank INTEGER,"
            " track_list_rank INTEGER, chance DOUBLE, list_outcome TEXT, censored BOOLEAN)")
db = sqlite3.connect(sys.argv[1])
ended = dict(db.execute("SELECT subject_id, outcome FROM tasks WHERE kind = 'user_likes'"))
names = ["user_id", "item_id", "kind", "weight", "user_list_rank", "track_list_rank"]
rows = db.execute(
    "SELECT user_id, track_id, engagement_type, 1.0, user_list_rank, track_list_rank FROM user_engagements")
while some := rows.fetchmany(100_000):
    columns = list(zip(*some))
    outcomes = [ended.get(user) for user in columns[0]]
    part = pa.table({name: pa.array(column) for name, column in zip(names, columns)})
    part = part.append_column("chance", pa.nulls(len(some), pa.float64())).append_column("outcome", pa.array(outcomes))
    part = part.append_column("censored", pa.array([outcome == "capped" for outcome in outcomes]))
    out.execute("INSERT INTO likes SELECT * FROM part")
out.execute("COPY likes TO 'floor-duckdb.parquet' (FORMAT parquet, COMPRESSION zstd)")
"""
_FRAME = """
import sys, harvest, pandas
def held(what):
    return int([line for line in open('/proc/self/status') if line.startswith(what)][0].split()[1]) / 1024
likes = harvest.open(sys.argv[1]).likes
likes[:3].to_pandas()
before = held('VmRSS')
frame = likes.to_pandas()
print(held('VmHWM') - before, held('VmRSS') - before)
"""


def measure(*, quick: bool) -> Iterator[Line]:
    """Ask, copy, compare."""
    edges, rounds = (LESS_LARGE, 3) if quick else (LARGE, 1)
    path = power_law_file(edges)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from _questions(folder, path)
        parquet = ("export", "out", "--force")
        yield _beside(folder, path, "export of Parquet / sqlite3 and pyarrow", parquet, _COPIED, 1.5, rounds)
        yield _beside(
            folder, path, "export of Parquet / sqlite3 and duckdb", parquet, _DUCKDB, 1.5, rounds, of="duckdb"
        )
        matrix = ("export", "out", "--force", "--format", "csr")
        yield _beside(folder, path, "export of a matrix / sqlite3 and scipy", matrix, _MATRIX + _SAVED, 1.5, rounds)
        track = SEED_TRACK + 7 * 20  # a hit, not the seed
        one = _MATRIX + _ONE.replace("TRACK", str(track))
        yield _beside(folder, path, "related of a hit / sqlite3 and scipy", ("related", str(track)), one, 1.0, rounds)
        analyse = ("analyze", "--fresh", "--method", "colike_cosine")
        for of, script in (("sparse_dot_topn", _TOP), ("implicit", _IMPLICIT)):
            yield _beside(folder, path, f"analyze / {of}", analyse, _MATRIX + script, 1.0, rounds, of=of, copy=True)
        yield _frame(folder, path)


def _questions(folder: Path, path: Path) -> Iterator[Line]:
    start = statistics.median(run(harvest("sql", "SELECT 1", "--db", str(path)), folder).cpu for _ in range(3))
    spent = {name: run(harvest("sql", name, "--db", str(path)), folder).cpu - start for name in QUERIES}
    slowest = sorted(spent, key=lambda name: -spent[name])
    told = ", ".join(f"{name} {spent[name]:.1f}" for name in slowest[:9])
    yield Line("l", "slowest named query by its defaults", spent[slowest[0]], 1.0, unit="s", noise=0.1, figure=told)
    within = sum(cost <= 1 for cost in spent.values()) / len(spent)
    yield Line("l", "named queries within a second", within, unit="%", figure=f"of {len(spent)}")
    report = [run(harvest("report", "--force", "--db", str(path)), folder) for _ in range(2)]
    peak = max(one.peak_mb for one in report)
    yield line_of("l", "report, CPU", [one.cpu for one in report], 10.0, unit="s", noise=0.1, figure=f"{peak:.0f} MB")


def _beside(
    folder: Path,
    path: Path,
    what: str,
    command: tuple[str, ...],
    script: str,
    goal: float,
    rounds: int,
    *,
    of: str = "",
    copy: bool = False,
) -> Line:
    """Run both in turns, from the start of their processes to the end; `of` is a library that may be missing."""
    if of and not find_spec(of):
        return Line("l", what, 0, figure=f"{of} is not installed")
    if copy:
        path = Path(folder / "copy.db")
        path.write_bytes(power_law_file(LESS_LARGE).read_bytes())
    found = []
    for number in range(rounds):
        wanted = [word if word != "out" else f"out-{number}" for word in command]
        ours = run(harvest(*wanted, "--db", str(path)), folder)
        found.append((ours, run([sys.executable, "-c", script, str(path)], folder)))
    ours, theirs = found[-1]
    return line_of(
        "l",
        what,
        [one.cpu / other.cpu for one, other in found],
        goal,
        noise=0.1,
        figure=f"{ours.cpu:.1f} s and {ours.peak_mb:.0f} MB, {theirs.cpu:.1f} s and {theirs.peak_mb:.0f} MB",
    )


def _frame(folder: Path, path: Path) -> Line:
    if not find_spec("pandas"):
        return Line("l", "to_pandas(), peak / frame", 0, figure="pandas is not installed")
    spent = run([sys.executable, "-c", _FRAME, str(path)], folder)
    peak, frame = map(float, spent.out.split()[-2:])
    told = f"{peak:,.0f} MB more than before at most, {frame:,.0f} MB of them stay; {spent.cpu:.0f} s of CPU"
    return Line("l", "to_pandas(), peak / frame", peak / frame, 1.5, noise=0.1, figure=told)
