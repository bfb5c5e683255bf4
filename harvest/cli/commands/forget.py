"""Forget people, tracks and playlists for good, and prove it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.crawl import cache_path, json_option, log_options
from harvest.cli.options.seeds import from_file_option
from harvest.cli.options.types import Place
from harvest.cli.output.erasing import NOT_YET, left_over
from harvest.cli.output.formatting import counted
from harvest.cli.output.table import table
from harvest.crawler.seed_lists import seeds_in
from harvest.forgetting import doomed, remembered
from harvest.forgetting.forget import REPLIES, Forgotten, finish, forget_for_good, would_go
from harvest.store import suppression
from harvest.store.database import open_to_read
from harvest.store.suppression import Named
from harvest.system.clock import SystemClock
from harvest.system.logs import printable


@click.command()
@click.argument("things", nargs=-1, metavar="PERSON|TRACK|PLAYLIST...")
@cache_path()
@from_file_option()
@click.option("--dry-run", is_flag=True, help="Show what would be removed, table by table, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; without a terminal there is none.")
@click.option("--finish", "is_finish", is_flag=True, help="Finish an earlier run that a reader or a kill interrupted.")
@click.option(
    "--export-key",
    type=Place(dir_okay=False),
    metavar="FILE",
    help="Export your key, and the numbers of what you forgot, for another machine or user.",
)
@click.option("--import-key", type=Place(dir_okay=False), metavar="FILE", help="Import an exported key.")
@json_option("Print what was done as one JSON object.")
@log_options
def forget(
    things: tuple[str, ...],
    path: Path,
    from_file: tuple[Path, ...],
    dry_run: bool,
    yes: bool,
    is_finish: bool,
    export_key: Path | None,
    import_key: Path | None,
    as_json: bool,
) -> int:
    """Remove people, tracks and playlists for good, and prove it.

    Name them by URN, page address or id. Everything that leads to them goes too: likes, follows, comments, places in
    playlists, counts, changes; with a person also the tracks and playlists that person made. Then every byte of the
    file and its companions is searched for their names, addresses and URNs. For each a number remains, derived with a
    key that is not in the file, so that no later page brings it back.

    \b
      harvest forget https://soundcloud.com/somebody --dry-run
      harvest forget soundcloud:users:123 soundcloud:tracks:456 --yes
      harvest forget --from-file erase.txt
    """
    if export_key is not None:
        remembered.export_key(export_key)
        click.echo(
            f"{printable(str(export_key))}: your key. Together with your file, it reveals who was forgotten there."
        )
        return 0
    if import_key is not None:
        keys, numbers = remembered.import_key(import_key)
        click.echo(f"{counted(keys, 'key')} added to {suppression.key_file()}.")
        if numbers:
            click.echo(f"{counted(numbers, 'number')} of what was forgotten added to {remembered.list_file()}.")
        return 0
    if is_finish:
        return _tell(path, finish(path, now=SystemClock().now()), as_json=as_json)
    wanted = _named(path, [*things, *(line for one in from_file for line in seeds_in(one))])
    if dry_run or (not yes and sys.stdin.isatty()):
        _show(path, wanted, as_json=as_json and dry_run)
        if dry_run or not click.confirm("Forget them? This cannot be taken back.", err=True):
            return 0
    log_file: Path | None = click.get_current_context().meta.get("log_file")
    done = forget_for_good(path, wanted, now=SystemClock().now(), logs=[log_file] if log_file else [])
    return _tell(path, done, as_json=as_json)


def _named(path: Path, things: Sequence[str]) -> list[Named]:
    if not things:
        raise click.UsageError("Say who or what is to be forgotten: a URN, the address of a page, an id.")
    with open_to_read(path) as connection:
        return list(dict.fromkeys(doomed.find(connection, one) for one in things))


def _show(path: Path, wanted: Sequence[Named], *, as_json: bool) -> None:
    with open_to_read(path) as connection:
        connection.execute("PRAGMA query_only = OFF")  # what would go is written down in a temporary table
        going = would_go(connection, wanted)
    if as_json:
        click.echo(json.dumps({"path": str(path), "things": len(wanted), "rows": going}))
        return
    lines = [f"{counted(len(wanted), 'thing')} to forget; rows that would go, by table:"]
    lines += table([[name, f"{n:,}"] for name, n in going.items()] or [["none", "0"]], right=[1])
    click.echo("\n".join(lines))


def _tell(path: Path, done: Forgotten, *, as_json: bool) -> int:
    code = (0 if done.clean else 1) if done.erased else NOT_YET
    if as_json:
        click.echo(json.dumps({"path": str(path), "exit_code": code, **_as_json(done)}))
    else:
        click.echo("\n".join(map(printable, _lines(path, done))))
    return code


def _as_json(done: Forgotten) -> dict[str, Any]:
    return {
        "things": done.things,
        "rows": done.rows,
        "erased": done.erased,
        "replies": None if done.replies is None else str(done.replies),
        "searched": [str(one) for one in done.searched],
        "found": {str(one): counted.total() for one, counted in done.found.items()},
        "mentions": done.mentions,
        "unlisted": [str(one) for one in done.unlisted],
        "deleted": [str(one) for one in done.deleted],
        "handed_out": [
            {"at": at, "what": what, "path": where, "hash": hash_} for at, what, where, hash_ in done.handed_out
        ],
    }


def _lines(path: Path, done: Forgotten) -> Iterator[str]:
    if done.things:
        yield f"Forgotten: {counted(done.things, 'thing')}, {counted(done.rows, 'row')}."
    yield from left_over(path, done.replies, erased=done.erased, word="in")
    if done.erased and done.searched:
        bytes_in_all = sum(one.stat().st_size for one in done.searched if one.exists())
        sought = "1 name, address or URN" if done.texts == 1 else f"{done.texts:,} names, addresses or URNs"
        searched = f"Searched {bytes_in_all / 1e6:,.1f} MB in {counted(len(done.searched), 'file')} for {sought}:"
        yield searched if done.found else f"{searched} none is there."
        for one, counted_in in done.found.items():
            yield f"  {one}: {counted(counted_in.total(), 'place')}"
    elif done.erased:
        yield "Erased: the log is empty, and the file is rewritten."
    if done.mentions:
        yield "Named by others, in words of their own, which stay:"
    for where, n in done.mentions.items():
        yield f"  {done.replies}: {counted(n, 'page')}" if where == REPLIES else f"  {where}: {counted(n, 'row')}"
    yield from (f"Deleted, since it held them: {one}" for one in done.deleted)
    yield from (f"Taken out of the list of people beside a key of pseudonyms: {one}" for one in done.unlisted)
    if done.handed_out:
        yield "Copies that left this file, out of our reach:"
        for at, what, where, hash_ in done.handed_out:
            yield f"  {at}  {what:<9} {where}{f'  sha256 {hash_}' if hash_ else ''}"
