"""a. How much of the allowed rate is used, counted by the server, once there is more than one list to read."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.child import Child, harvest
from tests.bench.line import Line, line_of
from tests.bench.simulated import Simulated, simulated

WORLD = {"seed": 3, "users": 8000, "tracks": 4000, "likes_per_user": 20, "seed_likers": 4000, "seed_reposters": 10}
_STRETCHES = 3


def measure(*, quick: bool) -> Iterator[Line]:
    """Crawl at 2 and 10 requests a second, with replies that take 50, 300 and 2,000 ms, all at once."""
    seconds = 15.0 if quick else 60.0
    scenes = [(rate, latency) for rate in (2, 10) for latency in (0.05, 0.3, 2.0)]
    with ThreadPoolExecutor(len(scenes)) as pool:
        found = list(pool.map(lambda scene: _steady(*scene, seconds), scenes))
    yield from (line for line, _ in found)
    yield Line("a", "429s in all of these", sum(refused for _, refused in found), 0, unit="", figure="whole crawls")


def crawl_at(delay: float, script: Callable[[Simulated], None], **options: Any) -> Simulated:
    """Crawl at a delay while a script watches the server and plays with it, then cut the crawl off."""
    with tempfile.TemporaryDirectory() as folder, simulated(WORLD, **options) as server:
        command = harvest(server.seed_url, "--delay", str(delay), "--max-users", "4000", "-q")
        child = Child(command, Path(folder), server.url)
        try:
            while not server.log():
                time.sleep(0.01)
            script(server)
        finally:
            child.end(kill=True)
        server.entries = server.log()
        return server


def _steady(rate: int, latency: float, seconds: float) -> tuple[Line, int]:
    begins = 5 * latency + 2.0  # token, address, track, likers: one after the other
    server = crawl_at(1 / rate, lambda _: time.sleep(begins + seconds), latency=latency, rate=rate)
    first = server.entries[0].time + begins
    entries = [entry for entry in server.entries if first <= entry.time < first + seconds]
    shares = []
    for number in range(_STRETCHES):
        lower = first + seconds * number / _STRETCHES
        moments = [entry.time for entry in entries if lower <= entry.time < lower + seconds / _STRETCHES]
        shares.append((len(moments) - 1) / rate / (moments[-1] - moments[0]) if len(moments) > 1 else 0.0)
    refused = sum(entry.status == 429 for entry in server.entries)
    in_flight = max(entry.in_flight for entry in entries)
    line = line_of(
        "a",
        f"rate used at {rate}/s, {latency * 1000:,.0f} ms",
        shares,
        0.97 if latency >= 2 else 0.98,
        at_least=True,
        unit="%",
        noise=0.005,
        figure=f"{len(entries)} requests in {seconds:.0f} s, at most {in_flight} in flight",
    )
    return line, refused
