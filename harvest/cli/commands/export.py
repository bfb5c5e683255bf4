"""Hand the graph on as files for notebooks, recommenders and graph programs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.crawl import cache_path, log_options, reads
from harvest.cli.options.formats import Format
from harvest.cli.options.framing import framing_option
from harvest.cli.options.types import Place, Real, whole
from harvest.cli.output.spinner import spinner
from harvest.cli.output.table import table
from harvest.export.choices import BACKBONES, IDS, SHAPES, ExportChoices, choices_of
from harvest.export.exporter import export as export_into
from harvest.store.handouts import remember
from harvest.system.clock import SystemClock, as_text


@click.command()
@click.argument("folder", metavar="DIR", type=Place())
@click.option(
    "--format",
    "format_name",
    type=Format(),
    default="parquet",
    show_default=True,
    help="What to write: tables (parquet, csv, jsonl), recommender files (recbole, tsv), a scipy matrix (csr), "
    "Hugging Face datasets (hf), graphs (graphml, gexf), playlists (m3u, jspf).",
)
@click.option(
    "--graph",
    type=click.Choice(SHAPES),
    default="all",
    show_default=True,
    help="For graphml and gexf: all likes and follows, only follows, or which tracks or people are near each other.",
)
@click.option(
    "--backbone",
    type=click.Choice(BACKBONES),
    default=BACKBONES[0],
    show_default=True,
    help="For --graph tracks and people: the test that keeps edges beyond chance (docs/analysis.md).",
)
@click.option("--level", type=Real(0, 1), metavar="ALPHA", help="Only edges with a p-value below ALPHA.")
@click.option("--ego", metavar="WHICH", help="Only what is around a track or a person: an address, a URN or an id.")
@click.option(
    "--radius", type=whole(1), default=1, show_default=True, help="For --ego: the number of steps from there."
)
@click.option("--kind", default="like", show_default=True, help="like, repost, or like,repost.")
@click.option("--complete-users-only", is_flag=True, help="Only users whose complete list of likes is here.")
@click.option("--min-users", type=whole(1), metavar="N", help="Only tracks with at least N users.")
@click.option("--min-items", type=whole(1), metavar="N", help="Then only users with at least N tracks.")
@click.option("--kcore", type=whole(1), metavar="K", help="Both with K, repeated until nothing changes.")
@click.option(
    "--k",
    type=whole(1),
    metavar="K",
    help="For sharing: like --kcore, applied last, and also to playlists, stations and searches; the manifest "
    "counts what was left out.",
)
@click.option(
    "--split", default="none", show_default=True, help="none, hash:0.2 (a share), or last:1 (each user's newest)."
)
@framing_option()
@click.option(
    "--without-frames/--with-frames",
    default=None,
    help="Leave out these tracks, or keep them.  [default: leave out with --split, else keep]",
)
@click.option("--seed", type=whole(0), default=0, show_default=True, help="Seed of the hash for --split hash.")
@click.option(
    "--ids",
    type=click.Choice(IDS),
    default="raw",
    show_default=True,
    help="SoundCloud's ids, numbers from 0, or pseudonyms without names.",
)
@click.option("--key", "key_file", type=Place(), help="File with the key of the pseudonyms; created if missing.")
@click.option("--include-incomplete", is_flag=True, help="Include incomplete lists in derived statistics.")
@click.option(
    "--lists",
    is_flag=True,
    help="Also export all other lists: follows, uploads, playlists, stations, comments, plays, links.",
)
@click.option("--texts", is_flag=True, help="With --lists: also what people wrote, comments and links.")
@cache_path()
@click.option("--force", is_flag=True, help="Replace an earlier export; write a graph of any size.")
@log_options
@reads
def export(folder: Path, path: Path, key_file: Path | None, force: bool, **chosen: Any) -> int:
    """Write the graph into the folder DIR, in a format that other programs read.

    A manifest.json records what is in it: filters and what each left, how complete the lists are, and hashes of all
    files. DIR appears only when it is complete. You can export during a crawl.

    \b
      harvest export listening
      harvest export listening --format csr --kcore 5 --split last:1
      harvest export shared --ids pseudonym --key private.key --k 5
      harvest export everything --lists
    """
    names = {"format_name": "format", "framing": "frames"}
    choices = choices_of({names.get(name, name): value for name, value in chosen.items()})
    write_export(path, folder, choices, key_file=key_file, force=force)
    return 0


def write_export(
    path: Path, folder: Path, choices: ExportChoices, *, key_file: Path | None, force: bool = False, quiet: bool = False
) -> None:
    """Export, and say what was written; `quiet` says it on stderr, where stdout is for a program."""
    with spinner("choosing") as tell:
        made = export_into(
            path,
            folder,
            choices,
            now=as_text(SystemClock().now()),
            tell=lambda *step: tell(_step(*step)),
            key_file=key_file,
            force=force,
        )
    remember(path, "export", folder, now=SystemClock().now(), manifest=folder / "manifest.json")
    click.echo("\n".join(_summary(folder, made)), err=quiet)
    for reason in made["left_out"]:
        click.echo(f"Note: {reason}.", err=True)


def _summary(folder: Path, made: dict[str, Any]) -> Iterator[str]:
    left = made["counts"]["after each filter"][-1]
    yield (
        f"{folder}: {left['interactions']:,} interactions of {left['users']:,} users with {left['items']:,} tracks, "
        f"as {made['format']}."
    )
    steps = made["counts"]["after each filter"]
    for before, step in pairwise(steps):
        dropped = {what: before[what] - step[what] for what in ("users", "items", "interactions")}
        yield (
            f"  {step['filter']}: left out {dropped['users']:,} users, {dropped['items']:,} tracks, "
            f"{dropped['interactions']:,} interactions"
        )
    files = [
        (file["path"], f"{file['rows']:,} rows" if file["columns"] else "", f"{file['bytes'] / 1e6:,.2f} MB")
        for file in made["files"]
    ]
    yield from table(files, right=[1, 2])


def _step(what: str, done: int, total: int | None) -> str:
    return f"{what}: {done:,} of {total:,}" if total else f"{what}: {done:,}" if done else what
