"""Measure harvest against its goals, one table. Usage: scripts/bench [--quick] [--only a,c] [--json] [--keep FOLDER].

Ratios and process CPU, in turns and medians, since nobody's machine is quiet. Exit 1 when a line misses its goal by
more than its stated noise.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

from tests.bench.line import Line, table, told

LINES = {
    "a": "rate",
    "b": "halved",
    "c": "page_cost",
    "d": "throughput",
    "e": "durability",
    "f": "growth",
    "g": "resume",
    "h": "queries",
    "i": "steady",
    "j": "refresh",
    "k": "replies",
    "l": "answers",
    "m": "limits",
}
_MOSTLY_WAIT = "ab"


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="four minutes: shorter, and files of a million likes")
    parser.add_argument("--only", default=",".join(LINES), metavar="a,c", help="these lines alone")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep large generated files there, and use them again"
    )
    arguments = parser.parse_args()
    wanted = [letter.strip() for letter in arguments.only.split(",") if letter.strip()]
    unknown = [letter for letter in wanted if letter not in LINES]
    if unknown:
        parser.error(f"there is no line {unknown[0]}: choose among {', '.join(LINES)}")
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        os.environ["BENCH_FILES"] = str(arguments.keep.resolve())
    began = time.monotonic()
    lines = list(_measured(wanted, quick=arguments.quick))
    seconds = time.monotonic() - began
    if arguments.json:
        told = {"machine": _machine(), "quick": arguments.quick, "seconds": round(seconds)}
        print(json.dumps({**told, "lines": [line.as_json() for line in lines]}))
    else:
        print(table(lines))
        print(f"\n{_machine()}; {seconds:.0f} s{', quick' if arguments.quick else ''}")
    return int(any(line.missed for line in lines))


def _measured(wanted: list[str], *, quick: bool) -> Iterator[Line]:
    """Measure the lines; those that mostly wait go together, the others alone."""
    waiting = [letter for letter in wanted if letter in _MOSTLY_WAIT]
    if waiting:
        with ThreadPoolExecutor(len(waiting)) as pool:
            for lines in pool.map(lambda letter: _measure(letter, quick=quick), waiting):
                yield from lines
    for letter in wanted:
        if letter not in waiting:
            yield from _measure(letter, quick=quick)


def _measure(letter: str, *, quick: bool) -> list[Line]:
    print(f"{letter} ...", file=sys.stderr, flush=True)
    lines = []
    for line in import_module(f"tests.bench.{LINES[letter]}").measure(quick=quick):
        print(f"  {told(line)}", file=sys.stderr, flush=True)
        lines.append(line)
    return lines


def _machine() -> str:
    import sqlite3

    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, SQLite"
        f" {sqlite3.sqlite_version}"
    )
