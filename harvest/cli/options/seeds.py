"""Where a command starts: addresses typed, lists of them, and what a harvested file is asked for."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.types import Place
from harvest.cli.output.formatting import counted
from harvest.cli.output.spinner import spinner
from harvest.cli.query_time import ended_in_time
from harvest.crawler.seed_lists import LARGEST, seed_lines, seeds_in
from harvest.crawler.starts import Starts, starts
from harvest.errors import SeedError
from harvest.explore.execute import Watch
from harvest.explore.seed_queries import KINDS, SECONDS, seeds_from

Command = Callable[..., Any]

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Typed:
    """Where to start, as it was typed."""

    urls: tuple[str, ...]
    from_file: tuple[Path, ...]
    from_sql: str | None
    of: str | None
    from_db: Path | None

    def start(self, path: Path, given: Mapping[str, Any]) -> Starts:
        """Read it all; where seeds were not typed one by one, say how many they are. Raises SeedError, QueryError."""
        self._check()
        lists: list[str | Path] = [*self.urls, *dict.fromkeys(self.from_file)]
        seeds = [seed for one in lists for seed in self._read(one)]
        if self.from_sql is not None:
            seeds += _asked(self.from_db or path, self.from_sql, self.of)
        start = starts(seeds, given)
        if self.from_file or self.from_sql is not None or STDIN in self.urls:
            _say(f"{counted(len(start.addresses), 'seed')} to start from.")
        return start

    def _read(self, one: str | Path) -> list[str]:
        if str(one) == STDIN:
            return _piped()
        return seeds_in(one) if isinstance(one, Path) else [one]

    def _check(self) -> None:
        context = click.get_current_context()
        if self.from_sql is None and (self.of or self.from_db):
            raise click.UsageError(f"{'--of' if self.of else '--from-db'} goes with --from-sql QUERY.")
        if not self.urls and not self.from_file and self.from_sql is None:
            urls = next(one for one in context.command.params if one.name == "urls")
            raise click.MissingParameter(ctx=context, param=urls)
        if [*self.urls, *map(str, self.from_file)].count(STDIN) > 1:
            raise click.UsageError("Standard input can be read once: give one -.")


def seed_options(command: Command) -> Command:
    """Add URL..., --from-file, --from-sql, --of and --from-db; the command gets them as `typed`."""

    @functools.wraps(command)
    def gathered(*args: Any, **kwargs: Any) -> Any:
        typed = Typed(**{one.name: kwargs.pop(one.name) for one in fields(Typed)})
        return command(*args, typed=typed, **kwargs)

    for option in (
        click.option(
            "--from-db",
            type=Place(dir_okay=False),
            metavar="FILE",
            help="The harvested file that --from-sql queries.  [default: that of --cache-path]",
        ),
        click.option("--of", type=click.Choice([*KINDS]), help="What plain ids from --from-sql are."),
        click.option(
            "--from-sql",
            metavar="QUERY",
            help="Start from the first column of a query: URNs, addresses, or ids with --of.",
        ),
        click.option(
            "--from-file",
            type=Place(allow_dash=True),
            metavar="FILE",
            multiple=True,
            help="Start from a list: one seed per line, # for comments; - is standard input. May be repeated.",
        ),
        click.argument("urls", nargs=-1, metavar="URL..."),
    ):
        gathered = option(gathered)
    return gathered


def from_file_option(words: str = "Also what a list names, one on a line.") -> Callable[[Command], Command]:
    """Add --from-file for files alone, as `from_file`; may be repeated."""
    return click.option(
        "--from-file", type=Place(dir_okay=False), metavar="FILE", multiple=True, help=f"{words} May be repeated."
    )


def _piped() -> list[str]:
    """Read standard input. Raises SeedError, also when nothing is piped in."""
    if sys.stdin is None or sys.stdin.closed:
        raise SeedError("There is no standard input to read seeds from.")
    if sys.stdin.isatty():
        raise SeedError("- reads seeds from a pipe or a file: harvest - < seeds.txt")
    try:
        data = sys.stdin.buffer.read(LARGEST + 1)
    except OSError as error:
        raise SeedError(f"Standard input cannot be read: {error.strerror}.") from error
    return seed_lines("Standard input", data)


def _asked(path: Path, sql: str, of: str | None) -> list[str]:
    watch = Watch(SECONDS)
    with ended_in_time(watch), spinner("asking for seeds; Ctrl-C stops"):
        found = seeds_from(path, sql, of, watch=watch)
    if found.nulls:
        _say(f"{counted(found.nulls, 'row')} of the query without a seed (NULL), passed over.")
    return found.seeds


def _say(line: str) -> None:
    if not click.get_current_context().meta.get("quiet"):
        click.echo(line, err=True)
