"""Say what you think of tracks, so that it counts in what is suggested and stands in what is exported."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, json_option, reading_log_options
from harvest.cli.options.seeds import from_file_option
from harvest.cli.output.formatting import counted
from harvest.crawler.seed_lists import seeds_in
from harvest.store.judgments import TAKEN_BACK, VERDICTS, Judgment
from harvest.store.judgments import judge as keep
from harvest.system.clock import SystemClock


@click.command()
@click.argument("things", nargs=-1, metavar="TRACK|PLAYLIST...")
@click.argument("verdict", type=click.Choice([*VERDICTS, TAKEN_BACK]), metavar="|".join([*VERDICTS, TAKEN_BACK]))
@cache_path()
@from_file_option()
@json_option()
@reading_log_options
def judge(things: tuple[str, ...], verdict: str, path: Path, from_file: tuple[Path, ...], as_json: bool) -> int:
    """Say what you think of tracks: liked, not_interested (no more of it), not_quite (near, but no), or none, which
    takes a verdict back.

    Named by the address of the page, by id, or by URN; a playlist stands for the tracks of it that are in the file.
    The last verdict of a track counts; `harvest sql judgments` has all of them, `harvest sql verdicts` those that
    count. `harvest radio` leaves judged tracks out, and exports carry the verdict. SoundCloud is not told.

    \b
      harvest judge https://soundcloud.com/artist/track liked
      harvest judge https://soundcloud.com/somebody/sets/mix not_interested
      harvest judge --from-file heard.txt not_quite
    """
    wanted = [*things, *(line for one in from_file for line in seeds_in(one))]
    if not wanted:
        raise click.UsageError("Say which tracks: addresses, ids or URNs before the verdict, or --from-file FILE.")
    done = keep(path, wanted, verdict, now=SystemClock().now())
    click.echo(json.dumps(done.as_json()) if as_json else _line(done))
    return 0


def _line(done: Judgment) -> str:
    what = "has no verdict any more" if done.verdict == TAKEN_BACK else f"judged {done.verdict}"
    if done.tracks > 1:
        what = what.replace("has", "have")
    before = done.tracks - done.changed
    return f"{counted(done.tracks, 'track')} {what}" + (f", {before:,} of them before already." if before else ".")
