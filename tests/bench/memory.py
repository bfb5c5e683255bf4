"""Show that memory does not grow with the crawl: peak RSS of the crawling process at 10 % and at 100 % of it.

Run by hand: `python tests/bench/memory.py [--likers 2000] [--likes 500]`. Linux only (/proc). The simulator has a
process of its own, so that only the crawl is measured.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, World, run_in_thread  # noqa: E402


def serve(options: dict[str, Any], address: Any, done: Any) -> None:
    """Serve the world until told to stop."""
    with run_in_thread(World(**options), gzip=False) as server:
        address.put(server.url)
        done.wait()


def peak_mb(pid: int) -> float:
    """Read the peak resident size of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def pages_in(path: Path) -> int:
    """Count the pages kept so far."""
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM pages").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return 0


def main() -> None:
    """Crawl once, watching from outside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--likers", type=int, default=2000)
    parser.add_argument("--likes", type=int, default=500)
    arguments = parser.parse_args()
    options = {
        "seed": 5,
        "users": arguments.likers * 5 // 4,
        "tracks": arguments.likers * 10,
        "likes_per_user": arguments.likes,
        "seed_likers": arguments.likers,
        "spread": 0,
    }
    expected = arguments.likers * max(1, -(-arguments.likes // 200))
    context = multiprocessing.get_context("spawn")
    address, done = context.Queue(), context.Event()
    simulator = context.Process(target=serve, args=(options, address, done), daemon=True)
    simulator.start()
    url = address.get()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SOUNDCLOUD_API_URL": url,
            "SOUNDCLOUD_AUTH_URL": url,
            "SOUNDCLOUD_CLIENT_ID": DEMO_CLIENT_ID,
            "SOUNDCLOUD_CLIENT_SECRET": DEMO_CLIENT_SECRET,
        }
        command = [sys.executable, "-m", "harvest", World(**options).seed_url(), "--db", str(path)]
        command += ["--max-users", str(arguments.likers), "--max-user-likes", "100000", "--delay", "0", "-q"]
        crawl = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
        early = last = 0.0
        while crawl.poll() is None:
            last = peak_mb(crawl.pid) or last
            if not early and pages_in(path) >= expected / 10:
                early = last
            time.sleep(0.1)
        edges = sqlite3.connect(path).execute("SELECT count(*) FROM user_engagements").fetchone()[0]
        print(f"{edges:,} likes and reposts, {pages_in(path):,} pages, {path.stat().st_size / 1e6:.1f} MB on disk")
        print(f"peak RSS after 10 % of the pages: {early:.0f} MB; at the end: {last:.0f} MB; ratio {last / early:.2f}")
    done.set()
    simulator.join()


if __name__ == "__main__":
    main()
