"""Show that every engine gives the same co-likes: python scripts/compare_engines.py EXPORT [DATABASE].

Runs `python -m harvest.scale` over an export with DuckDB, and with Spark where there is Java, and compares row by row:
items, measures, counts, ranks and scores must be equal. With the DATABASE that was exported, the table
related_tracks as `harvest analyze` filled it is compared as well, but for the rows that rest on the service's counts.
Prints what it found; ends with 1 at a difference.
"""

from __future__ import annotations

import functools
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = pa.schema(
    [
        ("source_id", pa.int64()),
        ("target_id", pa.int64()),
        ("measure", pa.string()),
        ("score", pa.float64()),
        ("common", pa.int32()),
        ("rank", pa.int16()),
    ]
)
KEY = [("source_id", "ascending"), ("measure", "ascending"), ("rank", "ascending")]

ANALYZED = """
SELECT track_id, related_track_id, method, score, common, rank
FROM related_tracks
WHERE method IN ('colike_cosine', 'colike_jaccard') AND basis = 'sample'
"""


def main(export: str, database: str | None = None) -> int:
    """Run, compare, print."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"DuckDB": ran("duckdb", export, Path(folder))}
        if shutil.which("java"):
            found["Spark"] = ran("spark", export, Path(folder))
        else:
            print("Spark: left out, there is no Java here")
    if database:
        found["harvest analyze"] = analyzed(database)
    first, *others = found
    print(f"{first}: {found[first].num_rows:,} rows")
    wrong = {name: difference(found[first], found[name]) for name in others}
    for name, what in wrong.items():
        print(f"{name}: {what or 'the same rows'}, {' and '.join(measures(found[name])) or 'nothing to compare'}")
    return 1 if any(wrong.values()) else 0


def ran(engine: str, export: str, folder: Path) -> pa.Table:
    """Run one engine and read what it wrote."""
    out = folder / f"{engine}.parquet"
    command = [sys.executable, "-m", "harvest.scale", str(Path(export).resolve()), str(out), "--engine", engine]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return pq.read_table(out).select(SCHEMA.names).cast(SCHEMA).sort_by(KEY)


def analyzed(database: str) -> pa.Table:
    """Read what `harvest analyze` kept."""
    connection = sqlite3.connect(f"{Path(database).resolve().as_uri()}?mode=ro", uri=True)
    columns = list(zip(*connection.execute(ANALYZED), strict=True)) or [()] * len(SCHEMA)
    connection.close()
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA).sort_by(KEY)


def measures(table: pa.Table) -> list[str]:
    """Name what a result holds."""
    return sorted(table["measure"].unique().to_pylist())


def difference(one: pa.Table, other: pa.Table) -> str | None:
    """Say where two results differ first, None when nowhere. (`harvest analyze` may have computed one measure only.)"""
    if other.num_rows:
        one = one.filter(pc.is_in(one["measure"], pa.array(measures(other))))
    if one.num_rows != other.num_rows:
        return f"{other.num_rows:,} rows instead of {one.num_rows:,}"
    unequal = [pc.not_equal(one[name], other[name]) for name in SCHEMA.names]
    place = pc.index(functools.reduce(pc.or_, unequal), True).as_py()
    if place < 0:
        return None
    return f"differs first at {other.slice(place, 1).to_pylist()[0]}, expected {one.slice(place, 1).to_pylist()[0]}"


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
