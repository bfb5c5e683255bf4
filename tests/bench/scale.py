"""Time and peak memory of the co-likes by `harvest analyze`, DuckDB and Spark, as files grow.

Run by hand: `python tests/bench/scale.py [--edges 1e5 1e6 5e6] [--engines analyze duckdb spark] [--keep DIR]`. Linux
only (/proc). The files are those of `generated.py`, exported by `harvest export`; the engines run in the environment
`scale` (`scripts/environment scale`), each with `--memory` GB to work in. Memory is the peak of the resident sizes of
all processes of a run together. docs/scale.md shows what came out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.generated import generate  # noqa: E402

SCALE = ROOT / ".venv-scale" / "bin" / "python"
METHODS = ("--method", "colike_cosine", "--method", "colike_jaccard")  # what the expression computes
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class Measured(NamedTuple):
    """One run: seconds on the clock, seconds of all processors, peak resident MB."""

    seconds: float
    processor: float
    peak: float


def look(session: int, spent: dict[str, float]) -> float:
    """Add up the resident MB of the processes of a session, and note the processor seconds of each."""
    total = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(after_name[3]) == session:
                    total += int(after_name[21]) * PAGE_MB
                    spent[entry.name] = (int(after_name[11]) + int(after_name[12])) / TICKS
            except (OSError, IndexError):
                continue  # it has just ended
    return total


def measured(command: list[str], **environ: str) -> Measured:
    """Run a command to its end and watch it."""
    began = time.perf_counter()
    peak, spent = 0.0, dict[str, float]()
    process = subprocess.Popen(
        command,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.1):
            peak = max(peak, look(process.pid, spent))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, said = process.communicate()
    ended.set()
    watcher.join()
    if process.returncode:
        sys.exit(said.decode())
    return Measured(time.perf_counter() - began, sum(spent.values()), peak)


def commands(engine: str, database: Path, export: Path, out: Path, memory: int) -> tuple[list[str], dict[str, str]]:
    """Say how an engine is run."""
    if engine == "analyze":
        return [sys.executable, "-m", "harvest", "analyze", "--fresh", *METHODS, "--cache-path", str(database)], {}
    command = [str(SCALE), "-m", "harvest.scale", str(export), str(out), "--engine", engine]
    if engine == "duckdb":
        return [*command, "--memory", f"{memory}GB"], {}
    return command, {"PYSPARK_SUBMIT_ARGS": f"--driver-memory {memory}g pyspark-shell"}


def main() -> None:
    """Generate, export, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--edges", type=lambda text: int(float(text)), nargs="+", default=[100_000, 1_000_000, 5_000_000]
    )
    parser.add_argument("--engines", nargs="+", default=["analyze", "duckdb", "spark"])
    parser.add_argument("--memory", type=int, default=4, help="GB for DuckDB and for Spark")
    parser.add_argument("--keep", type=Path, help="keep files here, and use those that are here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        print("| likes | engine | seconds | processor seconds | peak MB |\n|---|---|---|---|---|")
        for edges in arguments.edges:
            database, export = folder / f"{edges}.db", folder / f"{edges}"
            if not database.exists():
                generate(database, edges)
            if not export.exists():
                measured([sys.executable, "-m", "harvest", "export", str(export), "--cache-path", str(database)])
            for engine in arguments.engines:
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    command, environ = commands(engine, database, export, Path(place) / "out", arguments.memory)
                    m = measured(command, **environ)
                row = f"| {edges:,} | {engine} | {m.seconds:.1f} | {m.processor:.1f} | {m.peak:,.0f} |"
                print(row, flush=True)


if __name__ == "__main__":
    main()
