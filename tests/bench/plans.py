"""Show how often the intervals of `harvest plan` hold, and how wide they are, over many worlds of two makers.

Run by hand: `python tests/bench/plans.py [--worlds 100] [--from 0] [--crawl]`. Each world is planned by asking a
simulator, and what the crawl takes is told by the oracle; disk, and time at no delay, are told by crawling it. Aim: 85
to 95 % hold on every line, and no interval ends higher than three times where it begins.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from math import ceil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.planned import MAKERS, a_case, lines_of  # noqa: E402

Row = dict[str, Any]
DELAY = 0.0  # as fast as this computer: any other pace is requests times that


def one(job: tuple[str, int, bool]) -> Row:
    """Plan one crawl and compare."""
    began = time.monotonic()
    *which, crawls = job
    case = a_case(*which)
    plan, asked = asyncio.run(case.plan(DELAY))
    planned = time.monotonic() - began
    actual: dict[str, float] = dict(case.actual)
    if crawls:
        with tempfile.TemporaryDirectory() as folder:
            actual |= case.crawl(Path(folder) / "t.db")
    return {
        "maker": job[0],
        "number": job[1],
        "seed": case.seed.split("/")[-2] if "/sets/" in case.seed else case.seed.count("/"),
        "depth": case.limits.depth,
        "limits": [case.limits.max_users, case.limits.max_user_likes, case.limits.max_tracks, case.limits.order],
        "asked": asked,
        "lines": {
            name: [number.low, number.likely, number.high, actual[name]]
            for name, number in lines_of(plan).items()
            if name in actual
        },
        "planned": planned,
        "took": time.monotonic() - began,
    }


def table(rows: Iterable[Row]) -> Iterable[str]:
    """Write, for each depth and maker, how often each line holds and how wide it is."""
    everything = list(rows)
    names = [*everything[0]["lines"]]
    yield f"{'':<22}" + "".join(f"{name:>36}" for name in names)
    for depth in (1, 2, None):
        for maker in (*MAKERS, None):
            some = [
                r for r in everything if (depth or r["depth"]) == r["depth"] and (maker or r["maker"]) == r["maker"]
            ]
            if some:
                words = f"{maker or 'both'}, {f'depth {depth}' if depth else 'all'} ({len(some)})"
                yield f"{words:<22}" + "".join(f"{_cell(some, name):>36}" for name in names)
    asked = [row["asked"] for row in everything]
    yield f"asked {sum(asked) / len(asked):.1f} requests on average, {max(asked)} at most"


def held_by(low: float, likely: float, high: float, real: float) -> bool:
    """Say whether an interval, in whole numbers, holds what came."""
    return int(low) <= real <= ceil(high)


def _cell(rows: list[Row], name: str) -> str:
    lines = [row["lines"][name] for row in rows]
    holds = sum(held_by(*line) for line in lines) / len(lines)
    below = sum(real < int(low) for low, _, high, real in lines) / len(lines)
    widths = sorted(high / max(low, 1) for low, _, high, _ in lines)
    middle, wide, widest = widths[len(widths) // 2], widths[len(widths) * 9 // 10], widths[-1]
    return f"{holds:.0%} (below {below:.0%}) x{middle:.2f} x{wide:.2f} x{widest:.1f}"


def main() -> None:
    """Run all worlds, two at a time."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--worlds", type=int, default=100, help="of each maker")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--crawl", action="store_true", help="crawl each world, for disk and time")
    parser.add_argument("--out", type=Path, help="write each world as a line of JSON")
    given = parser.parse_args()
    jobs = [
        (maker, number, given.crawl) for number in range(given.first, given.first + given.worlds) for maker in MAKERS
    ]
    with ProcessPoolExecutor(2) as pool:
        rows = list(pool.map(one, jobs))
    if given.out:
        given.out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
