"""Show what `harvest report` takes on files of growing size: time, processor time, memory.

Run by hand: `python tests/bench/report.py [--edges 100000 1000000 5000000]`. The files are generated (generated.py);
the figures are of the whole command, a process of its own, best of three.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = Path(__file__).with_name("generated.py")
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT)}


def cost(path: Path) -> tuple[float, float, float]:
    """Make a report; give seconds, seconds of processor time, and the most memory held, in MB."""
    command = [sys.executable, "-m", "harvest", "report", "--force", "--db", str(path)]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=ENVIRON, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    unit = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6


def main() -> None:
    """Generate files and report on them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--edges", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000])
    for edges in parser.parse_args().edges:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "large.db"
            # In a process of its own: what this one holds at its peak would be counted as its children's.
            subprocess.run([sys.executable, str(GENERATED), str(path), "--edges", str(edges)], env=ENVIRON, check=True)
            costs = [cost(path) for _ in range(3)]
        seconds, cpu, memory = (min(column) for column in zip(*costs, strict=True))
        print(f"{edges:>12,} likes  {seconds:6.2f} s  {cpu:6.2f} s of processor time  {memory:5.0f} MB", flush=True)


if __name__ == "__main__":
    main()
