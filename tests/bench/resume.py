"""g. From the start of the process to its first request: on a large file after kill -9, and on an empty one."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.child import Child, Spent, harvest, run
from tests.bench.files import LARGE, LESS_LARGE, copy_of
from tests.bench.line import Line, line_of
from tests.bench.simulated import Simulated, simulated

_WORLD = {"seed": 3, "users": 400, "tracks": 4000, "likes_per_user": 400, "seed_likers": 200, "spread": 0}
_PAGES = 60  # until the kill


def measure(*, quick: bool) -> Iterator[Line]:
    """Kill a crawl into a large file, then resume it and begin a new one, in turns; each is cut off at its request."""
    edges = LESS_LARGE if quick else LARGE
    rounds = 5 if quick else 11
    with tempfile.TemporaryDirectory() as name, simulated(_WORLD) as server:
        folder = Path(name)
        path = copy_of(edges, folder)
        _crawl_and_kill(server, folder, path)
        found = []
        for number in range(rounds):
            fresh = harvest(server.seed_url, "--db", str(folder / f"{number}.db"), "-q")
            found.append((_first(server, fresh), _first(server, _resume(server, path))))
    for what, goal, index in (("wall", 1.3, 0), ("CPU", 1.3, 1)):
        fresh_ms, large_ms = (1000 * statistics.median(pair[i][index] for pair in found) for i in (0, 1))
        yield line_of(
            "g",
            f"{what} to the first request / empty file",
            [resumed[index] / new[index] for new, resumed in found],
            goal,
            noise=0.1,
            figure=f"{large_ms:.0f} ms at {edges:.0e} after kill -9, {fresh_ms:.0f} ms".replace("e+0", "e"),
        )
    yield line_of("g", "CPU to the first request", [r[1] for _, r in found], 0.6, unit="s", noise=0.1)
    yield _help(rounds)


def _help(rounds: int) -> Line:
    """Measure what `--help` takes beyond a Python that does nothing, in turns."""
    with tempfile.TemporaryDirectory() as name:
        commands = (harvest("--help"), [sys.executable, "-c", "pass"])
        spent = [[run(command, Path(name)).cpu for command in commands] for _ in range(rounds)]
    return line_of(
        "g", "CPU of --help beyond bare Python", [1000 * (a - b) for a, b in spent], 60, unit="ms", noise=0.1
    )


def _resume(server: Simulated, path: Path) -> list[str]:
    return harvest(server.seed_url, "--db", str(path), "-q")


def _crawl_and_kill(server: Simulated, folder: Path, path: Path) -> None:
    child = Child(harvest(server.seed_url, "--db", str(path), "--delay", "0", "-q"), folder, server.url)
    while len(server.log()) < _PAGES:
        time.sleep(0.005)
    child.end(kill=True)


def _first(server: Simulated, command: list[str]) -> tuple[float, float]:
    """Give wall and CPU seconds until the first request; the CPU includes the few milliseconds until the kill.

    Each process has a line of its own to stand in, or it would wait for the place of the one before.
    """
    with tempfile.TemporaryDirectory() as alone:
        before = len(server.log())
        child = Child(command, Path(alone), server.url)
        while not (arrived := server.log(before)):
            time.sleep(0.002)
        spent: Spent = child.end(kill=True)
    return arrived[0].time - child.began, spent.cpu
