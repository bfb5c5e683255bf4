"""Measure `harvest export` on five million likes: time and memory, beside the least that reading and writing can cost.

Run by hand: `python -m tests.bench.export [--edges 5000000] [--only parquet,csr] [--keep FILE]`. Each line is a process
of its own; the memory is the most it held. The floor reads the rows of the table with the standard library and writes
them with pyarrow, and does nothing else: no choosing, no ids, no other tables, no manifest. A fifth as many likes are
exported too: what memory they need less is what grows with the file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXPORTS = {
    "parquet": [],
    "parquet, hash split": ["--split", "hash:0.2"],
    "parquet, last split": ["--split", "last:1"],
    "parquet, 15-core": ["--kcore", "15"],
    "parquet, pseudonyms": ["--ids", "pseudonym", "--key", "key"],
    "csr, hash split": ["--format", "csr", "--split", "hash:0.2"],
    "csv": ["--format", "csv"],
    "jsonl": ["--format", "jsonl"],
    "recbole": ["--format", "recbole"],
    "tsv": ["--format", "tsv"],
}
_GENERATE = """
import sys
from pathlib import Path
from tests.bench.large import generate
generate(Path(sys.argv[1]), int(sys.argv[2]))
"""
_FLOOR = """
import sqlite3, sys
import pyarrow as pa
from pyarrow import parquet
kind = pa.dictionary(pa.int8(), pa.string())
schema = pa.schema([("user_id", pa.int64()), ("item_id", pa.int64()), ("kind", kind), ("weight", pa.float32()),
                    ("user_list_rank", pa.int32()), ("track_list_rank", pa.int32())])
rows = sqlite3.connect(sys.argv[1]).execute(
    "SELECT user_id, track_id, engagement_type, 1.0, user_list_rank, track_list_rank FROM user_engagements")
with parquet.ParquetWriter("floor.parquet", schema, compression="zstd") as writer:
    while some := rows.fetchmany(100_000):
        arrays = [pa.array(column, field.type) for column, field in zip(zip(*some), schema)]
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
"""


def measured(name: str, command: list[str], folder: Path) -> tuple[float, float, float]:
    """Run a command; print and give its seconds, its seconds of processor, and the MB it held at most."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} ended with {process.returncode}")
    seconds, busy = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
    megabytes = usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    print(f"{name:<34} {seconds:7.1f} s  {busy:7.1f} s of processor  {megabytes:7.0f} MB", flush=True)
    return seconds, busy, megabytes


def main() -> None:
    """Generate two files and export them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--edges", type=int, default=5_000_000)
    parser.add_argument("--only", default="", help="only lines that begin so, with commas between")
    parser.add_argument("--keep", type=Path, help="use this file, and make it if it is not there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        large, small = arguments.keep or folder / "large.db", folder / "small.db"
        for path, edges in ((large, arguments.edges), (small, arguments.edges // 5)):
            if not path.exists():  # by another process: what this one holds would count for those it starts
                subprocess.run([sys.executable, "-c", _GENERATE, str(path), str(edges)], cwd=ROOT, check=True)
        _, floor, _ = measured("floor: fetchmany and pyarrow", [sys.executable, "-c", _FLOOR, str(large)], folder)
        for name, options in EXPORTS.items():
            if not name.startswith(tuple(arguments.only.split(","))):
                continue
            memory = []
            for size, path in (("", large), (", a fifth", small)):
                command = [sys.executable, "-m", "harvest", "export", "out", "--db", str(path), *options]
                _, busy, megabytes = measured(name + size, command, folder)
                memory.append(megabytes)
                shutil.rmtree(folder / "out")
                if not size:
                    print(f"{'':<34} {busy / floor:7.2f} of the floor's processor time")
            print(f"{'':<34} {memory[0] - memory[1]:+7.0f} MB for four fifths of the likes")


if __name__ == "__main__":
    main()
