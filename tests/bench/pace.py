"""Show how much of the allowed rate is used, and what a limit below ours costs, from the server's own log.

Run by hand: `python tests/bench/pace.py [--quick]`. Every line is the real command line against a simulator; the crawl
is cut off when enough was seen. Aims: 98 % used at any latency; after a limit was met, 90 % of it used and less than
5 % refused.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from harvest.pacing.shared import SharedLedger  # noqa: E402
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Server, World, run_in_thread  # noqa: E402
from harvest.system.clock import SystemClock  # noqa: E402

WORLD = World(3, users=8000, tracks=4000, likes_per_user=20, seed_likers=4000, seed_reposters=10)


def watch(delay: float, script: Callable[[Server], None], *, hold_seconds: float = 1.0, **options: Any) -> Server:
    """Crawl at a delay while a script plays with the server; give the server with its log."""
    with tempfile.TemporaryDirectory() as folder, run_in_thread(WORLD, keep_log=True, gzip=False, **options) as server:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("SOUNDCLOUD_", "HARVEST_"))} | {
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": folder,
            "SOUNDCLOUD_API_URL": server.url,
            "SOUNDCLOUD_AUTH_URL": server.url,
            "SOUNDCLOUD_CLIENT_ID": DEMO_CLIENT_ID,
            "SOUNDCLOUD_CLIENT_SECRET": DEMO_CLIENT_SECRET,
            "HARVEST_HOLD_SECONDS": str(hold_seconds),
        }
        command = ["-m", "harvest", WORLD.seed_url(), "--delay", str(delay), "--max-users", "4000"]
        crawl = subprocess.Popen([sys.executable, *command], cwd=folder, env=environ, stderr=subprocess.DEVNULL)
        try:
            while not server.total:
                time.sleep(0.01)
            script(server)
        finally:
            crawl.kill()
            crawl.wait()
        return server


def steady(delay: float, latency: float, seconds: float) -> str:
    """Measure the share of the allowed rate that is used once there is more than one list to read."""
    begins = 5 * latency + 2.0  # token, resolve, track, likers: one after the other
    server = watch(delay, lambda server: time.sleep(begins + seconds), latency=latency)
    first = server.requests[0].time + begins
    moments = [entry.time for entry in server.requests if entry.time >= first]
    gaps = [after - before for before, after in pairwise(moments)]
    used = len(gaps) * delay / (moments[-1] - moments[0])
    return (
        f"delay {delay:<4} latency {latency * 1000:>5.0f} ms: {used:6.1%} used over {moments[-1] - moments[0]:.0f} s, "
        f"smallest gap {min(gaps) * 1000:.0f} ms, at most {server.most_in_flight} in flight"
    )


def told(what: str, server: Server, rate: float, first: float, seconds: float) -> str:
    """Say how a limit was used, and how much was refused, in a stretch of time since the first request."""
    begins = server.requests[0].time + first
    found = [entry.status for entry in server.requests if begins <= entry.time < begins + seconds]
    refused = found.count(429)
    return (
        f"{what}: {(len(found) - refused) / (rate * seconds):6.1%} of the limit used, {refused} of {len(found)} "
        f"refused ({refused / max(len(found), 1):.1%}) from {first:.0f} s to {first + seconds:.0f} s"
    )


def halved(seconds: float) -> str:
    """Let the service go down from ten requests a second to five in the middle of a crawl."""

    def script(server: Server) -> None:
        time.sleep(15.0)
        server.limit(5)
        time.sleep(seconds)

    server = watch(0.1, script, latency=0.3, rate=10)
    return told("limit halved, 10/s to 5/s at 15 s, delay 0.1, 300 ms, holds of 1 s", server, 5, 15.0, seconds)


def throttled(delay: float, rate: float, first: float, seconds: float) -> str:
    """Meet a limit below our own."""
    server = watch(delay, lambda server: time.sleep(first + seconds), latency=0.3, rate=rate)
    opening = sum(entry.status == 429 for entry in server.requests if entry.time < server.requests[0].time + 10)
    line = told(f"limit {rate:g}/s, delay {delay:g}, 300 ms, holds of 1 s", server, rate, first, seconds)
    return f"{line}; {opening} refused in the first 10 s"


def reservation() -> str:
    """Measure one change of the shared turns."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = SharedLedger(Path(folder), "bench", clock=SystemClock(), delay=0.0, on_trouble=print)
        costs = []
        for _ in range(5000):
            began = time.perf_counter()
            ledger.change(lambda turns, now: turns.go(now) if turns.reserve(now, ledger.who) else None)
            costs.append((time.perf_counter() - began) * 1000)
        ledger.close()
    return f"one reservation: p50 {statistics.median(costs):.3f} ms, p99 {sorted(costs)[-50]:.3f} ms"


def main() -> None:
    """Run everything; `--quick` looks for a shorter time, and at several crawls at once."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    quick = parser.parse_args().quick
    seconds = 20.0 if quick else 60.0
    jobs: list[Callable[[], str]] = [
        lambda delay=delay, latency=latency: steady(delay, latency, seconds)
        for delay in (0.5, 0.1)
        for latency in (0.05, 0.3, 2.0)
    ]
    jobs.append(lambda: halved(30.0 if quick else 60.0))
    jobs.append(lambda: throttled(0.0, 10, *((10.0, 30.0) if quick else (60.0, 60.0))))
    if not quick:
        jobs.append(lambda: throttled(0.05, 10, 60.0, 60.0))
    print(reservation())
    with ThreadPoolExecutor(len(jobs) if quick else 3) as pool:
        for line in pool.map(lambda job: job(), jobs):
            print(line, flush=True)


if __name__ == "__main__":
    main()
