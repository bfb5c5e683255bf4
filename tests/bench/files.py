"""Where the large files are: made once per run, or kept from run to run with `--keep`."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from harvest.store.schema import schema_files
from tests.bench.large import generate

SMALL, LARGE, LESS_LARGE = 100_000, 10_000_000, 1_000_000  # the last one stands in for the large one in a quick run


@cache
def large_file(edges: int) -> Path:
    """Give a file of so many likes; nobody may write to it. Kept ones are made anew when the schema changes."""
    return _kept(edges, "large", generate)


@cache
def power_law_file(edges: int) -> Path:
    """Give the file of `generated.py` of so many likes, on the same terms. Needs numpy."""
    from tests.bench.generated import generate

    return _kept(edges, "generated", generate)


def _kept(edges: int, maker: str, make: Callable[[Path, int], None]) -> Path:
    marks = "".join(sql for _, sql in schema_files()) + Path(__file__).with_name(f"{maker}.py").read_text()
    path = _folder() / f"{edges}-{hashlib.sha256(marks.encode()).hexdigest()[:8]}.db"
    if not path.exists():
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        make(part, edges)
        part.rename(path)
    return path


def copy_of(edges: int, folder: Path) -> Path:
    """Give a copy that may be written to."""
    return Path(shutil.copyfile(large_file(edges), folder / "large.db"))


@cache
def _folder() -> Path:
    if kept := os.environ.get("BENCH_FILES"):
        return Path(kept)
    made = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
