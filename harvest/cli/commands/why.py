"""Say why something is in the file: the chain of lists from its page up to the seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, json_option, log_options, reads
from harvest.cli.options.types import whole
from harvest.forgetting.access import everything
from harvest.lists import KINDS
from harvest.store.database import open_to_read
from harvest.store.provenance import Because, Chosen, Reason, find
from harvest.store.provenance import why as reason_of
from harvest.system.logs import printable


@click.command()
@click.argument("thing", type=click.Choice(["user", "person", "track", "playlist", "station"]))
@click.argument("wanted", metavar="WHICH")
@cache_path()
@click.option("--limit", type=whole(1), default=3, show_default=True, help="Maximum chains.")
@click.option(
    "--everything",
    "all_rows",
    is_flag=True,
    help="Print every row of it or that leads to it, as JSON by table.",
)
@json_option()
@log_options
@reads
def why(thing: str, wanted: str, path: Path, limit: int, all_rows: bool, as_json: bool) -> int:
    """Show why a user, a track, a playlist or a station is in the file.

    WHICH is an id, a URN, or a page address. The answer leads from the page that brought it, to the list of that page,
    to the list that named the list's owner, and so on up to the seed.

    \b
      harvest why user https://soundcloud.com/somebody
      harvest why track soundcloud:tracks:123 --json
      harvest why person https://soundcloud.com/somebody --everything --json
    """
    thing = "user" if thing == "person" else thing
    with open_to_read(path) as connection:
        if all_rows:
            number, _, _ = find(connection, thing, wanted)
            held = everything(connection, thing, number)
            click.echo(json.dumps({"path": str(path), "thing": thing, "id": number, "rows": held}))
            return 0
        reason = reason_of(connection, thing, wanted, limit=limit)
    lines = (part for line in _lines(reason) for part in line.split("\n"))
    click.echo(json.dumps(reason.as_json()) if as_json else "\n".join(map(printable, lines)))
    return 0


def _lines(reason: Reason) -> Iterator[str]:
    yield f"{_named(reason.thing, reason.id, reason.name)}  {reason.url or ''}".rstrip()
    yield from (f"  is a seed: {seed}" for seed in reason.seed_of)
    yield from (f"  {_choice(reason.thing, chosen)}" for chosen in reason.chosen)
    if reason.thing == "user" and not any("user_likes" in chosen.lists for chosen in reason.chosen):
        yield "  Their likes were not asked for."
    if reason.uploaded and all(because.user_id != reason.id for because in reason.because):
        yield f"  uploaded {', '.join(f'track {track}' for track in reason.uploaded)}"
    for because in reason.because:
        yield ""
        yield from _chain(because)
    if reason.total > len({(b.id, b.chain[0].task_id, b.place) for b in reason.because}):
        yield f"\n{reason.total:,} entries of lists lead here; --limit shows more of them."


def _choice(thing: str, chosen: Chosen) -> str:
    place = f"as number {chosen.place + 1}" if chosen.place is not None else "by an earlier choice"
    chance = "" if chosen.chance is None else f", with a chance of {chosen.chance:.3g}"
    if chosen.control:
        chance += ", drawn by lot into the control sample"
    how = f"{place} at depth {chosen.depth}{chance}" if chosen.round else "as a seed"
    lists = ", ".join(f"{KINDS[kind].option}: {outcome}" for kind, outcome in chosen.lists.items())
    return f"{'followed' if thing == 'user' and chosen.round else 'visited'} {how} ({lists}), for {chosen.seed}"


def _chain(because: Because) -> Iterator[str]:
    named = _named(because.thing, because.id, because.name)
    if because.engagement_type and because.user_id and because.track_id:
        who = _named("user", because.user_id, because.username)
        named = f"{who} {because.engagement_type}s {_named('track', because.track_id, because.title)}"
    yield f"  {named}"
    place = f"place {because.place + 1} of the list"
    if because.page is None:
        yield f"    {place}; another list named it first"
    else:
        yield f"    page {because.page + 1}, {place}, fetched {because.fetched_at}: {because.request}"
    for step in because.chain:
        if step.kind == "resolve":
            yield f"    from {step.what}: {because.seed}"
        else:
            yield f"    from {step.what}: {_named(step.thing, step.subject_id, step.subject)}"


def _named(thing: str, number: int, name: str | None) -> str:
    return f"{thing} {number} “{printable(name)}”" if name else f"{thing} {number}"
