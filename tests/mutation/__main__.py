"""Plant one bug after the other in a copy of the project, and see whether the tests that should notice do.

`mutants.toml` holds the bugs, `killed_by.json` which test saw each of them. Ends with 1 when a bug survives, or when
one can no longer be planted because the code has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[2]
MUTANTS = Path(__file__).with_name("mutants.toml")
KILLED_BY = Path(__file__).with_name("killed_by.json")
LONGEST = 600  # seconds for the tests of one bug; who hangs was noticed
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+::\S+?)(?:\[| |$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: in `file`, `old` becomes `new`; `tests` are the files that are to see it, the quickest first."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def plant(self, root: Path) -> str:
        """Put the bug into a copy of the project; give the text as it was. Raises LookupError where it fits no more."""
        text = (root / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1 or self.old == self.new:
            raise LookupError(f"{self.name}: what {self.file} had there is no longer there once")
        (root / self.file).write_text(text.replace(self.old, self.new), encoding="utf-8")
        return text


def mutants() -> list[Mutant]:
    """Give all bugs, in the order in which they are written down."""
    found = tomllib.loads(MUTANTS.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(one["name"], one["file"], one["old"], one["new"], tuple(one["tests"])) for one in found]


def noticed(mutant: Mutant, root: Path) -> str | None:
    """Plant a bug and give the test that failed by it first, None when none did."""
    text = mutant.plant(root)
    try:
        for marks in ("not slow and not soak", "slow and not soak"):
            for file in mutant.tests:
                seen = _run(root, file, marks)
                if seen:
                    return seen
        return None
    finally:
        (root / mutant.file).write_text(text, encoding="utf-8")


def _run(root: Path, file: str, marks: str) -> str | None:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:xdist", "-m", marks, file]
    environ = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=root, env=environ, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{file} (no end)"
    if done.returncode in (0, 5):  # 5: there is no such test
        return None
    found = _FAILED.search(done.stdout)
    if found is None:
        raise LookupError(f"{file} cannot be run: {done.stdout[-400:]}{done.stderr[-400:]}")
    return found[1]


def copies(n: int) -> Iterator[Path]:
    """Make copies of what git knows of the project, with what was not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for _ in range(n):
        root = Path(tempfile.mkdtemp(prefix="mutants-"))
        for name in filter(None, listed.split("\0")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
        yield root


def campaign(chosen: Sequence[Mutant], jobs: int) -> dict[str, str | None]:
    """Plant each bug, `jobs` at a time; give by name which test saw it, and tell of each on the way."""
    free: SimpleQueue[Path] = SimpleQueue()
    made = list(copies(min(jobs, len(chosen))))
    for root in made:
        free.put(root)

    def one(mutant: Mutant) -> str | None:
        root = free.get()
        try:
            seen = noticed(mutant, root)
        finally:
            free.put(root)
        print(f"{'survives' if seen is None else 'killed  '}  {mutant.name}  {seen or ''}", flush=True)
        return seen

    try:
        with ThreadPoolExecutor(jobs) as pool:
            return dict(zip((mutant.name for mutant in chosen), pool.map(one, chosen), strict=True))
    finally:
        for root in made:
            shutil.rmtree(root)


def main() -> int:
    """Run the campaign that the command line asks for; give the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only bugs that have these words in their names")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of those that were seen before")
    parser.add_argument("--seed", type=int, default=None, help="which are drawn; printed, so that it can be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="bugs at a time")
    parser.add_argument("--write", action="store_true", help=f"note in {KILLED_BY.name} which test saw which")
    asked = parser.parse_args()
    chosen = [mutant for mutant in mutants() if all(word in mutant.name for word in asked.words)]
    if asked.sample is not None:
        seed = random.randrange(10**6) if asked.seed is None else asked.seed
        print(f"--sample {asked.sample} --seed {seed}", flush=True)
        seen = json.loads(KILLED_BY.read_text(encoding="utf-8"))
        chosen = [mutant for mutant in chosen if seen.get(mutant.name)]
        chosen = random.Random(seed).sample(chosen, min(asked.sample, len(chosen)))
    found = campaign(chosen, asked.jobs)
    survivors = [name for name, seen in found.items() if seen is None]
    print(f"{len(found) - len(survivors)} of {len(found)} bugs were seen.")
    if asked.write:
        known = json.loads(KILLED_BY.read_text(encoding="utf-8")) if KILLED_BY.exists() else {}
        known = {mutant.name: found.get(mutant.name, known.get(mutant.name)) for mutant in mutants()}
        KILLED_BY.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
