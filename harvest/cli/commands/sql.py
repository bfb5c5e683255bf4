"""Ask the file in SQL: queries that have a name, and any other."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import click

from harvest.analysis.quality import quality
from harvest.cli.options.budgets import Seconds
from harvest.cli.options.crawl import cache_path, reading_log_options, reads
from harvest.cli.options.types import whole
from harvest.cli.output import rows
from harvest.cli.output.playlist import playlist_writer, to_option
from harvest.cli.output.spinner import spinner
from harvest.cli.query_time import ended_in_time
from harvest.errors import QueryError
from harvest.explore.execute import LONGEST as LONGEST_QUERY
from harvest.explore.execute import Watch, ask
from harvest.explore.named import Named, named_queries
from harvest.explore.parameters import usage
from harvest.explore.statements import query_named, statement_of
from harvest.export.playlists import check_target
from harvest.store.database import bound_memory, open_to_read, storage_errors
from harvest.system.lengths import LONGEST

FORMATS = ("table", "csv", "json", "ndjson")
ON_A_TERMINAL = 1000  # rows of a table that are shown there unless --limit says otherwise
_COMMENT = re.compile(r"--[^=\s]*\s")  # and no option: `--db=my file`
_HYPHENED = re.compile(r"-[^-]")


class _Asking(click.Command):
    """Takes SQL that begins with a comment, and words that begin with a hyphen, for what they are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hide them from click behind a NUL, which no argument can hold."""
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        known = {name for option in options for name in option.opts}
        taking = {name for option in options if not option.is_flag for name in option.opts}
        end = args.index("--") if "--" in args else len(args)
        left = super().parse_args(
            ctx,
            [
                f"\0{arg}"
                if place < end
                and (place == 0 or args[place - 1] not in taking)
                and (_COMMENT.match(arg) or (_HYPHENED.match(arg) and arg[:2] not in known))
                else arg
                for place, arg in enumerate(args)
            ],
        )
        ctx.params["query"] = ctx.params["query"] and ctx.params["query"].removeprefix("\0")
        ctx.params["values"] = tuple(value.removeprefix("\0") for value in ctx.params["values"])
        return left


@click.command(cls=_Asking)
@click.argument("query", required=False)
@click.argument("values", nargs=-1)
@cache_path()
@click.option("--about", is_flag=True, help="Explain a named query and its parameters.")
@click.option(
    "-f", "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="Output format."
)
@click.option("-n", "--limit", type=whole(0), metavar="N", help="Maximum rows; 0: all.  [on a terminal: 1000]")
@click.option(
    "--timeout",
    type=Seconds(0, LONGEST),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop a query that runs longer, such as 90 or 2m; 0: never.",
)
@to_option
@reading_log_options
@reads
def sql(
    query: str | None,
    values: tuple[str, ...],
    path: Path,
    about: bool,
    form: str,
    limit: int | None,
    timeout: float,
    target: Path | None,
) -> int:
    """Query the file in SQL. The file is read-only.

    QUERY is SQL, `-` for SQL from stdin, the name of a table, or the name of a query that comes with harvest; without
    QUERY, the named queries are listed. VALUES are the query's parameters, in order or as name=value. Name a track or
    a user by id, URN, address or full name.

    \b
      harvest sql
      harvest sql co-likes order=lift
      harvest sql search velvet drift --to found.m3u
      harvest sql 'SELECT title FROM tracks WHERE genre = :genre' genre=Techno
    """
    if query is None:
        return _list()
    text = query
    if query == "-":
        text = _piped()
    named = query_named(text)
    if about:
        return _about(named, text)
    if named is not None and limit is not None and any(p.name == "limit" for p in named.parameters):
        values, limit = (*values, f"limit={limit or -1}"), 0
    shown, writer = _writer(form, limit)
    if target is not None:
        check_target(target)
        form, shown = "playlist", limit or 0
        writer = playlist_writer(path, target, title=f"harvest sql {text.strip()}" if named else "harvest sql")
    return _ask(path, text, values, form=form, limit=shown, writer=writer, timeout=timeout)


def _piped() -> str:
    """Read the query from stdin, as UTF-8 whatever the terminal's encoding. Raises QueryError."""
    if sys.stdin is None or sys.stdin.closed:
        raise QueryError("There is no stdin to read the query from.")
    try:
        given = sys.stdin.buffer.read(LONGEST_QUERY + 1)
        if len(given) > LONGEST_QUERY:
            raise QueryError(f"The query is longer than {LONGEST_QUERY // 1_000_000} MB.")
        return given.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise QueryError("The query holds bytes that are no text in UTF-8.") from error
    except OSError as error:
        raise QueryError(f"stdin cannot be read: {error.strerror}.") from error


def _ask(
    path: Path,
    text: str,
    values: tuple[str, ...],
    *,
    form: str,
    limit: int,
    writer: rows.Writer,
    timeout: float,
) -> int:
    watch = Watch(timeout or None)
    with open_to_read(path) as connection, ended_in_time(watch):
        bound_memory(connection)
        with spinner("asking; Ctrl-C stops"), storage_errors(path, writes=False):  # up to the first row
            answer = ask(connection, *statement_of(connection, text, values), watch=watch)
            first = list(islice(answer.rows, 1))
        if not answer.columns:
            raise QueryError("There is no query in this; `harvest sql` lists those that have a name.")
        found = chain(first, _read(path, answer.rows))
        n = writer(answer.columns, islice(found, limit or None), sys.stdout)
        sys.stdout.flush()
        more = bool(limit) and n == limit and next(found, None) is not None
        why = _why_none(connection, text, values) if not n else None
    if why or (form == "table" and not n):
        click.echo(f"No rows{f': {why}' if why else ''}.", err=True)
    if more:
        click.echo(f"The first {n:,} rows; --limit 0 gives all.", err=True)
    return 0


def _why_none(connection: Connection, text: str, values: tuple[str, ...]) -> str | None:
    """Say why there are no communities, where that is what was asked for."""
    if text.strip() != "communities" or any(value.startswith("limit=") for value in values):
        return None
    of = "people" if {"people", "of=people"} & {*values} else "tracks"
    found = quality(connection, f"leiden_{of}")
    if found is None:
        return f"no communities of {of} were looked for yet; `harvest analyze` finds them"
    if not found.things:
        return f"no two {of} are near each other, as `harvest analyze` compared them, so none stand together"
    return None


def _writer(form: str, limit: int | None) -> tuple[int, rows.Writer]:
    """Choose how rows are written, and how many at most; 0 is all."""
    if form != "table":
        writer = {"csv": rows.write_csv, "json": rows.write_json, "ndjson": rows.write_ndjson}[form]
        return limit or 0, writer
    shown = ON_A_TERMINAL if sys.stdout.isatty() and limit is None else limit or 0
    return shown, rows.stdout_table()


def _read(path: Path, found: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Pass rows on; what goes wrong where they are written is no fault of the file."""
    with storage_errors(path, writes=False):
        yield from found


def _list() -> int:
    """List the queries by name, with what they answer."""
    queries = named_queries()
    wide = max(map(len, queries))
    for name, query in queries.items():
        click.echo(f"{name:<{wide}}  {query.question}")
    click.echo("\n`harvest sql NAME --about` tells more of one.", err=True)
    return 0


def _about(named: Named | None, text: str) -> int:
    """Describe a named query: what it answers, how it is called, its parameters, what to know, its SQL."""
    if named is None:
        raise QueryError(f"There is no query named {text[:40]}; `harvest sql` lists them.")
    click.echo(f"{named.question}\n\n  {usage(named)}\n")
    wide = max((len(p.name) for p in named.parameters), default=0)
    for parameter in named.parameters:
        default = "" if parameter.default is None else f"  [default: {parameter.default}]"
        click.echo(f"  {parameter.name:<{wide}}  {parameter.meaning}{default}")
    click.echo(("\n" if named.parameters else "") + (f"{named.notes}\n\n" if named.notes else "") + named.body)
    return 0
