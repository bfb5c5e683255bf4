"""m. How much of many kinds of limits is used, and how much is refused, on a clock of our own, without sockets.

All of it by hand: `python tests/bench/limits.py [--scenes] [--only WAY]`, about six minutes on two cores. Each of its
lines is the mean of one kind of limit at several rates and delays, in minutes of the crawl: the opening minute is left
out. Aims: 90 % used and at most 5 % refused from minute 1 to minute 11. `--scenes` shows every scene. A stock is what
is let through at once; "in requests" or, at the scene's rate, in seconds.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.line import Line
from tests.limiting import MINUTE, Bucket, Service, Sliding, Window, crawl

RATES = {0.0: (2, 5, 10), 0.05: (6,), 0.1: (0.5, 1, 2, 3.3, 5, 7, 9), 0.5: (0.5, 1, 1.5)}
SPANS = ((1, 11), (11, 31), (31, 61))
WAYS: dict[str, dict[str, Any]] = {
    "holds of 30 s": {},
    "holds of 30 s, replies after 50 ms": {"latency": 0.05},
    "holds of 30 s, replies after 2 s": {"latency": 2.0},
    "holds of 30 s, refused requests count": {"counting": True},
    "holds of 30 s, the limit halves at minute 0:50": {"factor": 0.5},
    "holds of 1 s": {"hold": 1.0},
    "Retry-After": {"says": True},
}


@dataclass(frozen=True)
class Scene:
    """One limit, and how we meet it."""

    kind: str
    rate: float
    delay: float
    size: float
    seconds: float
    ways: dict[str, Any] = field(default_factory=dict)

    def service(self) -> Service:
        """Make the service, new."""
        counting = self.ways.get("counting", False)
        if self.kind.startswith("stock"):
            return Bucket(self.rate, self.size, counting=counting)
        if self.kind.startswith("window"):
            return Window(self.size, self.seconds, phase=0.37 * self.seconds)
        return Sliding(self.size, self.seconds, counting=counting)


def scenes(ways: dict[str, Any]) -> Iterator[Scene]:
    """Give every scene."""
    for delay, rates in RATES.items():
        for rate in rates:
            for stock in (1, 2, 5, 10):
                yield Scene(f"stock of {stock}", rate, delay, stock, 0.0, ways)
            for seconds in (1, 10, 30):
                yield Scene(f"stock of {seconds} s", rate, delay, max(2.0, rate * seconds), 0.0, ways)
            for seconds in (1, 10, 60):
                if (count := round(rate * seconds)) >= 1:
                    yield Scene(f"window of {seconds} s", count / seconds, delay, count, seconds, ways)
                    yield Scene(f"any {seconds} s", count / seconds, delay, count, seconds, ways)


def hour(scene: Scene) -> tuple[Scene, list[float], float]:
    """Crawl for an hour; give the shares used, and the share refused from minute 1 to minute 11."""
    says: Callable[[float], float | None] = lambda ready: None  # noqa: E731
    if scene.ways.get("says"):
        says = lambda ready: float(max(1, math.ceil(ready)))  # noqa: E731
    factor = scene.ways.get("factor", 1.0)
    seen = crawl(
        scene.service(),
        61 * MINUTE,
        delay=scene.delay,
        hold=scene.ways.get("hold", 30.0),
        latency=scene.ways.get("latency", 0.3),
        says=says,
        changes=() if factor == 1.0 else ((50.0, factor),),
    )
    rate = min(scene.rate * factor, 1 / scene.delay if scene.delay else math.inf)
    used = [seen.used(rate, begin * MINUTE, end * MINUTE) for begin, end in SPANS]
    return scene, used, seen.share_refused(MINUTE, 11 * MINUTE)


def measure(*, quick: bool) -> Iterator[Line]:
    """Meet every kind of limit with holds of 30 s, where SoundCloud names no time; then one that is doubled."""
    kinds: dict[str, list[list[float]]] = {}
    most = 0.0
    with ProcessPoolExecutor() as pool:
        for scene, used, refused in pool.map(hour, scenes({}), chunksize=4):
            kinds.setdefault(scene.kind, []).append(used)
            most = max(most, refused)
    for what, span, goal in (("in minutes 1 to 11", 0, 0.85), ("in minutes 11 to 31", 1, 0.95)):
        means = {kind: sum(used[span] for used in found) / len(found) for kind, found in kinds.items()}
        least = min(means, key=means.__getitem__)
        short = sum(mean < goal for mean in means.values())
        figure = f"of {least}; {short} of {len(means)} kinds below the goal"
        yield Line("m", f"limit used {what}, least", means[least], goal, at_least=True, unit="%", figure=figure)
    yield Line("m", "refused in minutes 1 to 11, most", most, 0.02, unit="%")
    watched = 40 if quick else 120
    waited = _until_noticed(watched)
    yield Line(
        "m",
        "until a doubled limit is used to 85 %",
        waited,
        10,
        unit="min",
        figure=f"a stock of 5 at 2/s, watched {watched} min",
    )


def _until_noticed(minutes: int) -> float:
    """Give the minutes from the doubling of a limit to the first in which 85 % of it are used, or all that are seen."""
    began = 20
    seen = crawl(Bucket(2.0, 5), (began + minutes) * MINUTE, hold=30.0, changes=((began * MINUTE, 2.0),))
    for minute in range(minutes):
        if seen.used(4.0, (began + minute) * MINUTE, (began + minute + 1) * MINUTE) >= 0.85:
            return minute + 1
    return minutes


def main() -> None:
    """Measure every scene in every way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--scenes", action="store_true", help="every scene")
    parser.add_argument("--only", choices=WAYS, help="one way")
    arguments = parser.parse_args()
    print("| way | limit | scenes | minutes 1-11 | of them 90 % | 11-31 | 31-61 | refused, at most |")
    print("|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor() as pool:
        for way, ways in WAYS.items():
            if arguments.only not in (None, way):
                continue
            kinds: dict[str, list[tuple[list[float], float]]] = {}
            for scene, used, refused in pool.map(hour, scenes(ways), chunksize=4):
                kinds.setdefault(scene.kind, []).append((used, refused))
                if arguments.scenes:
                    shares = " | ".join(f"{share:.1%}" for share in used)
                    print(f"| {scene.kind}, {scene.rate:.3g}/s | delay {scene.delay:g} | | {shares} | {refused:.1%} |")
            for kind, found in kinds.items():
                means = [sum(used[span] for used, _ in found) / len(found) for span in range(len(SPANS))]
                enough = sum(used[0] >= 0.9 for used, _ in found)
                worst = max(refused for _, refused in found)
                print(
                    f"| {way} | {kind} | {len(found)} | {means[0]:.1%} | {enough} | {means[1]:.1%} | {means[2]:.1%} | "
                    f"{worst:.1%} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
