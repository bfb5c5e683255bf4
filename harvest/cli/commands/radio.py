"""Say what to play after a few tracks, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from harvest.analysis.radio import Radio, Suggested
from harvest.analysis.radio import radio as play
from harvest.cli.commands.related import called
from harvest.cli.options.crawl import cache_path, json_option, log_options, reads
from harvest.cli.options.types import whole
from harvest.cli.output.formatting import counted
from harvest.cli.output.playlist import save, to_option
from harvest.cli.output.spinner import patience
from harvest.export.playlists import check_target
from harvest.store.database import open_to_read
from harvest.store.judgments import liked
from harvest.system.logs import printable


@click.command()
@click.argument("given", nargs=-1, metavar="TRACK|PLAYLIST...")
@cache_path()
@click.option("--liked", "from_liked", is_flag=True, help="Also continue from tracks you judged liked.")
@click.option("--size", type=whole(1), metavar="N", default=20, show_default=True, help="Maximum tracks.")
@click.option(
    "--per-artist",
    type=whole(0),
    metavar="N",
    default=1,
    show_default=True,
    help="Maximum per artist; 0: no limit.",
)
@to_option
@json_option()
@log_options
@reads
def radio(
    given: tuple[str, ...],
    path: Path,
    from_liked: bool,
    size: int,
    per_artist: int,
    target: Path | None,
    as_json: bool,
) -> int:
    """Suggest what to play after a few tracks, and why, from what is in the file.

    Near tracks are those that the same people like, that are in the same playlists, or that people who like several of
    the given tracks like. Tracks you have judged are left out, and so are tracks that are blocked, private or gone.
    Formulas and assumptions: docs/radio.md.

    \b
      harvest radio https://soundcloud.com/artist/track
      harvest radio soundcloud:tracks:1 soundcloud:tracks:2 --size 50
      harvest radio --liked --per-artist 2 --to tonight.m3u
    """
    if target is not None:
        check_target(target)
    with open_to_read(path) as connection, patience(connection, "comparing who likes what"):
        wanted = [*given, *(liked(connection) if from_liked else ())]
        if not wanted:
            raise click.UsageError("Name the tracks to continue from, or pass --liked for those you judged liked.")
        found = play(connection, wanted, size=size, per_artist=per_artist)
    if target is not None:
        save(path, (one.track_id for one in found.tracks), target, title="harvest radio")
    click.echo(json.dumps(found.as_json()) if as_json else "\n".join(map(printable, _lines(found))))
    return 0


def _lines(found: Radio) -> Iterator[str]:
    if not found.tracks:
        yield _nothing(found)
    for place, one in enumerate(found.tracks, start=1):
        yield f"{place:>3}. {called(one.title, one.artist, one.track_id)}"
        yield f"     {', '.join(_reasons(one, len(found.given)))}"
        if one.url:
            yield f"     {one.url}"


def _reasons(one: Suggested, given: int) -> Iterator[str]:
    other = "that one" if given == 1 else "one of those"
    if one.people:
        yield f"{one.people:,} {'person likes' if one.people == 1 else 'people like'} it and {other}"
    if one.playlists:
        yield f"{counted(one.playlists, 'playlist')} hold{'s' * (one.playlists == 1)} it and {other}"
    if one.shared:
        yield f"{one.shared:,} {'person likes' if one.shared == 1 else 'people like'} it and several of those"


def _nothing(found: Radio) -> str:
    return (
        f"Nothing is near {'it' if len(found.given) == 1 else 'them'} that can be played and is not judged: fewer than"
        " three people whose likes are read like another track too, and no playlist that was read holds one with it."
        " More lists tell more: `harvest URL --max-users N`, --read +playlists,+playlist-tracks."
    )
