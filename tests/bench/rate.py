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
from tests.waiting import until

WORLD = {"seed": 3, "users": 8000, "tracks": 4000, "likes_per_user": 20, "seed_likers": 1500, "seed_reposters": 10}
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
    """Crawl at a delay; once it reads people's likes, let a script watch the server and play with it, then cut it off.
    Before, there is one list, whose pages come one after the other, however fast one may ask.
    """
    with tempfile.TemporaryDirectory() as folder, simulated(WORLD, **options) as server:
        command = harvest(server.seed_url, "--delay", str(delay), "--max-users", "4000", "-q")
        child = Child(command, Path(folder), server.url)
        try:
            until(lambda: any("/likes/tracks" in entry.target for entry in server.log()), every=0.1)
            script(server)
        finally:
            child.end(kill=True)
        server.entries = server.log()
        return server


def _steady(rate: int, latency: float, seconds: float) -> tuple[Line, int]:
    begins = 2 * latency  # until as many are under way as the latency asks for
    moments: list[float] = []

    def script(_: Simulated) -> None:
        time.sleep(begins)
        moments.append(time.monotonic())
        time.sleep(seconds)

    server = crawl_at(1 / rate, script, latency=latency, rate=rate)
    first = moments[0]
    entries = [entry for entry in server.entries if first <= entry.time < first + seconds]
    shares = []
    for number in range(_STRETCHES):
        lower = first + seconds * number / _STRETCHES
        times = [entry.time for entry in entries if lower <= entry.time < lower + seconds / _STRETCHES]
        shares.append((len(times) - 1) / rate / (times[-1] - times[0]) if len(times) > 1 else 0.0)
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
