"""Ask a harvested file for seeds: the first column of any query, as URNs, addresses or ids.

In: a file, a query, the kind of thing that plain numbers are. Out: seeds as they may be typed. Never: a write.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harvest.api.seed_urls import normalise_seed
from harvest.errors import OutOfTime, QueryError, SeedError
from harvest.explore.execute import Answer, Watch, ask
from harvest.store.database import open_to_read, storage_errors
from harvest.things import THINGS, Thing

KINDS = {thing.table: thing for thing in THINGS.values() if not thing.by_name}
MOST = 1_000_000  # seeds of one query
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Queried:
    """The seeds a query gives, in its order, and how many of its rows hold none."""

    seeds: list[str]
    nulls: int


def seeds_from(path: Path, sql: str, of: str | None = None, *, watch: Watch | None = None) -> Queried:
    """Ask a file for seeds; `of` says what plain numbers are: tracks, users or playlists.

    Raises QueryError for a query that is wrong, takes too long or gives none, SeedError for a row that is no seed, and
    StoreError where there is no file.
    """
    if of is not None and of not in KINDS:
        raise SeedError(f"Ids are those of {', '.join(KINDS)}, not of {of!r}.")
    with open_to_read(path) as connection, storage_errors(path, writes=False):
        try:
            return _read(ask(connection, sql, watch=watch or Watch(SECONDS)), KINDS[of] if of else None)
        except OutOfTime as error:
            raise QueryError(f"The query for seeds was stopped after {SECONDS:g} s: ask for less.") from error


def _read(answer: Answer, thing: Thing | None) -> Queried:
    if not answer.columns:
        raise QueryError("There is no query in this; give one whose first column names things, SELECT urn FROM tracks.")
    seeds: list[str] = []
    nulls = 0
    for number, row in enumerate(islice(answer.rows, MOST + 1), start=1):
        if number > MOST:
            raise QueryError(f"The query gives more than {MOST:,} rows: ask for fewer seeds.")
        if row[0] is None:
            nulls += 1
        else:
            seeds.append(_seed(row[0], thing, number))
    if not seeds:
        raise QueryError(f"The query gives no seed{f': NULL in all of its {nulls:,} rows' * (nulls > 0)}.")
    return Queried(seeds, nulls)


def _seed(value: Any, thing: Thing | None, number: int) -> str:
    """Read one value, or say what is wrong with it and where."""
    if not isinstance(value, int | str):
        what = "bytes" if isinstance(value, bytes) else value
        raise SeedError(f"Row {number:,} of the query holds {what}: its first column must be URNs, addresses or ids.")
    text = str(value)
    if isinstance(value, int) or text.strip().isdecimal():
        if thing is None:
            kinds = ", ".join(f"--of {kind}" for kind in KINDS)
            raise SeedError(f"Row {number:,} of the query holds the number {text.strip()}: say of what, {kinds}.")
        text = f"{thing.urn}{text.strip()}"
    try:
        normalise_seed(text)
    except SeedError as error:
        raise SeedError(f"Row {number:,} of the query: {error}") from error
    return text
