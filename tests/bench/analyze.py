"""Show how long `harvest analyze` takes and how much memory, on files of one and of five million likes.

Run by hand: `python tests/bench/analyze.py [--edges 1000000 5000000] [--memory 1024]`. Files are generated, not crawled
(`generated.py`); each is analysed twice by a process of its own: everything, then with nothing new.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.generated import generate  # noqa: E402


def analyse(path: Path, memory: int) -> tuple[dict[str, object], float, float, float]:
    """Run the command; give what it said, seconds, seconds of the processor, and the peak of its memory in MB."""
    command = [sys.executable, "-m", "harvest", "analyze", "--db", str(path), "--json", "-q", "--memory", str(memory)]
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, status
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return json.loads(said), time.perf_counter() - began, usage.ru_utime + usage.ru_stime, kilobytes / 1000


def main() -> None:
    """Generate files and analyse them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--edges", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--memory", type=int, default=1024)
    arguments = parser.parse_args()
    names = ("likes", "people", "pairs", "file MB", "first s", "cpu s", "peak MB", "again s")
    print("".join(f"{name:>12}" for name in names))
    for edges in arguments.edges:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "large.db"
            generate(path, edges)
            made, seconds, cpu, peak = analyse(path, arguments.memory)
            _, again, _, _ = analyse(path, arguments.memory)
            methods = made["methods"]
            assert isinstance(methods, list)
            pairs = sum(method["pairs"] for method in methods if method["communities"] is None)
            size = path.stat().st_size / 1e6
            counts = (made["likes"], made["people"], pairs)
            cells = [f"{n:,}" for n in counts] + [f"{size:,.0f}", f"{seconds:.1f}", f"{cpu:.1f}", f"{peak:.0f}"]
            print("".join(f"{cell:>12}" for cell in [*cells, f"{again:.1f}"]), flush=True)


if __name__ == "__main__":
    main()
