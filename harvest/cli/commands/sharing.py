"""Hand a harvest on without its content, and fill such a folder again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.crawl import (
    asked,
    asking_options,
    cache_path,
    given,
    json_option,
    log_options,
    reads,
    with_options,
)
from harvest.cli.options.types import Place
from harvest.cli.output.formatting import about, counted, quoted
from harvest.cli.output.summary import exit_code, print_result
from harvest.cli.output.table import table
from harvest.cli.run import run_to_the_end
from harvest.client.budget import REASONS
from harvest.crawler.request import CrawlRequest, is_drained, to_hydrate
from harvest.sharing import dehydrate as drying
from harvest.sharing import hydrate as filling
from harvest.sharing.hydrate import Folder, Persistence
from harvest.store import sweeps
from harvest.store.database import open_to_read
from harvest.system.clock import SystemClock, as_text

_WORDS = {"user": "people", "track": "tracks", "playlist": "playlists", "station": "stations"}


@click.command()
@click.argument("out", metavar="OUT", type=Place())
@cache_path()
@click.option(
    "--ids",
    type=click.Choice(["pseudonym", "raw"]),
    default="pseudonym",
    show_default=True,
    help="Of people: numbers that only you can lead back, or SoundCloud's own.",
)
@click.option(
    "--key", "key_file", type=Place(), help="Where the key of the pseudonyms is.  [default: your state folder]"
)
@log_options
@reads
def dehydrate(out: Path, path: Path, ids: str, key_file: Path | None) -> int:
    """Write ids, ranks, weights and the ledger into the folder OUT, without content.

    People you give OUT to can run `harvest hydrate` to request the content that still exists. What people like is
    about them even as ids, so their ids are replaced by pseudonyms: only you can reverse them, with your key and the
    list of people beside it.

    \b
      harvest dehydrate shared
      harvest dehydrate mine --ids raw
    """
    made = drying.hand_over(path, out, ids=ids, key_file=key_file)
    things = ", ".join(f"{n:,} {name}" for name, n in made.manifest["things"].items() if n)
    click.echo(f"{out}: {things}, without content.")
    if made.key is not None and made.people is not None:
        click.echo(f"{drying.WHY_PSEUDONYMS[0].upper()}{drying.WHY_PSEUDONYMS[1:]}.")
        click.echo(f"Keep to yourself: {quoted(made.key)} and {quoted(made.people)}")
    click.echo(f"Fill it again with: harvest hydrate {quoted(out)} --cache-path NEW.db")
    return 0


def hydrate_options(command: Any) -> Any:
    """Add the options of the command."""
    return with_options(
        command,
        click.option(
            "--key", "key_file", type=Place(), help="The key of the pseudonyms.  [default: your state folder]"
        ),
        *asking_options(),
        click.option("--dry-run", is_flag=True, help="Say what it would cost, and ask nothing."),
        json_option("Print what came of it as one JSON object."),
    )


@click.command()
@click.argument("source", metavar="IN", type=Place(exists=True, file_okay=False))
@cache_path()
@hydrate_options
@log_options
def hydrate(source: Path, path: Path, key_file: Path | None, as_json: bool, dry_run: bool, **chosen: Any) -> int:
    """Make a new file from the folder IN, and request what it leaves out from SoundCloud.

    People and tracks are requested 50 at a time, playlists and stations one by one; what is missing is requested on
    its own before it counts as gone. If it is stopped or killed, run the same command to continue. At the end it
    reports what came, what is gone and what has changed.

    \b
      harvest hydrate shared --cache-path new.db
      harvest hydrate shared --cache-path new.db --max-requests 500
    """
    folder = filling.read_folder(source)
    if not filling.is_made(path, folder):
        if dry_run:
            click.echo(_cost_of(folder))
            return 0
        key, people = filling.key_of(folder, key_file)
        forgotten = filling.make(path, folder, now=as_text(SystemClock().now()), key=key, people=people)
        if forgotten:
            things = counted(forgotten, "thing")
            click.echo(f"Left out, with what leads there: {things} that you have forgotten before.", err=True)
        if folder.hides_people and key is None:
            click.echo("People stay pseudonyms: they cannot be looked up without the key.", err=True)
    options = given(chosen)
    request = asked(to_hydrate, path, options)
    if dry_run or not as_json:
        click.echo(_to_do(request), err=not dry_run)
    if dry_run:
        return 0
    stop_reason = "drained" if is_drained(request) else run_to_the_end(request)
    return _show(path, source, stop_reason, as_json=as_json)


def _cost_of(folder: Folder) -> str:
    """Say what filling a folder costs, of which no file is made yet."""
    things: Mapping[str, int] = folder.manifest["things"]
    asked_for = {name: n for name, n in things.items() if name != "users" or not folder.hides_people}
    requests = sum(-(-n // 50) if name in ("users", "tracks") else n for name, n in asked_for.items())
    named = ", ".join(f"{n:,} {name}" for name, n in asked_for.items() if n)
    return f"To ask for: {named}: {counted(requests, 'request')}, and one for each that is not shown."


def _to_do(request: CrawlRequest) -> str:
    with open_to_read(request.path) as connection:
        things, requests = filling.to_ask(connection)
    if not requests:
        return "Nothing is left to ask for."
    named = ", ".join(f"{n:,} {_WORDS[thing]}" for thing, n in things.items())
    time = f", {about(requests * request.conditions.delay)} at the usual pace" if request.conditions.delay else ""
    return f"To ask for: {named}: {counted(requests, 'request')}{time}, and one for each that is not shown."


def _show(path: Path, source: Path, stop_reason: str, *, as_json: bool) -> int:
    """Print what came of it, and give the exit code."""
    with open_to_read(path) as connection:
        found = filling.persistence(connection)
        failed = sweeps.failed(connection)
    code = exit_code(stop_reason, failed > 0)
    if as_json:
        parts = {_WORDS[thing]: one._asdict() for thing, one in found.items()}
        print_result(json.dumps({"path": str(path), "stop_reason": stop_reason, "exit_code": code, **parts}))
        return code
    rows: list[tuple[str, ...]] = [("", *Persistence._fields)]
    rows += [(_WORDS[thing], *(f"{n:,}" for n in one)) for thing, one in found.items() if one.asked]
    lines = [_headline(stop_reason, failed), "", *table(rows, right=range(1, 6)), ""]
    if stop_reason != "drained":
        lines.append(f"Go on with: harvest hydrate {quoted(source)} --cache-path {quoted(path)}")
    elif failed:
        lines.append(f"Try them again with: harvest retry --cache-path {quoted(path)}")
    else:
        again = f"harvest refresh --full --read comments,links --cache-path {quoted(path)}"
        lines.append(f"Comments and links have no text yet: {again}")
    print_result("\n".join(lines))
    return code


def _headline(stop_reason: str, failed: int) -> str:
    if stop_reason in REASONS:
        return f"Stopped by your {REASONS[stop_reason]}; everything so far is in the file."
    if stop_reason != "drained":
        return "Stopped; everything so far is in the file."
    return f"Ended with gaps: {counted(failed, 'request')} failed." if failed else "Everything has been asked for."
