"""Show that `harvest status` takes milliseconds on a file of ten million likes.

Run by hand: `python tests/bench/status.py [--edges 10000000] [--keep FILE]`. The file is generated (large.py), not
crawled.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from harvest.store.database import open_to_read  # noqa: E402
from harvest.store.standing import standing  # noqa: E402
from harvest.store.status import look  # noqa: E402
from tests.bench.large import generate  # noqa: E402


def timed(name: str, call: object, n: int = 21) -> None:
    """Say how long a call takes, the first time and then."""
    costs = []
    for _ in range(n):
        began = time.perf_counter()
        call()  # type: ignore[operator]
        costs.append((time.perf_counter() - began) * 1000)
    print(f"{name:<44} first {costs[0]:8.1f} ms, median {statistics.median(costs):8.1f} ms", flush=True)


def main() -> None:
    """Generate a file and look at it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path, help="use this file, and make it if it is not there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.keep or Path(folder) / "large.db"
        if not path.exists():
            began = time.perf_counter()
            generate(path, arguments.edges)
            print(f"generated in {time.perf_counter() - began:.0f} s: {path.stat().st_size / 1e6:,.0f} MB", flush=True)
        connection = open_to_read(path)
        timed("standing (what the display asks each second)", lambda: standing(connection))
        timed("look (what status asks)", lambda: look(connection))
        timed(
            "count(*) of the likes, for comparison",
            lambda: connection.execute("SELECT count(*) FROM user_engagements").fetchone(),
            1,
        )
        connection.close()
        command = [sys.executable, "-m", "harvest", "status", "--db", str(path)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        timed(
            "the command, process and imports included",
            lambda: subprocess.run(command, env=environ, capture_output=True, check=True),
            5,
        )


if __name__ == "__main__":
    main()
