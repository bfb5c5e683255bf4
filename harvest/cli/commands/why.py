"""Say why a user or a track is in the file: the chain of lists from its page up to the seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, log_options
from harvest.cli.options.types import whole
from harvest.store.database import open_to_read
from harvest.store.provenance import Because, Chosen, Reason
from harvest.store.provenance import why as reason_of
from harvest.system.logs import printable


@click.command()
@click.argument("thing", type=click.Choice(["user", "track"]))
@click.argument("wanted", metavar="WHICH")
@cache_path()
@click.option("--limit", type=whole(1), default=3, show_default=True, help="Chains told at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@log_options
def why(thing: str, wanted: str, path: Path, limit: int, as_json: bool) -> int:
    """Say why a user or a track is in the file.

    WHICH is an id, a URN, or the address of the page. The answer leads from the page that brought it to the list that
    page belongs to, to the list that named whose list this is, and so on up to the seed.

    \b
      harvest why user https://soundcloud.com/somebody
      harvest why track soundcloud:tracks:123 --json
    """
    with open_to_read(path) as connection:
        reason = reason_of(connection, thing, wanted, limit=limit)
    click.echo(json.dumps(reason.as_json()) if as_json else "\n".join(_lines(reason)))
    return 0


def _lines(reason: Reason) -> Iterator[str]:
    yield f"{_named(reason.thing, reason.id, reason.name)}  {reason.url or ''}".rstrip()
    yield from (f"  is a seed: {seed}" for seed in reason.seed_of)
    yield from (f"  {_choice(chosen)}" for chosen in reason.chosen)
    if reason.thing == "user" and not reason.chosen:
        yield "  Their likes were not asked for."
    if reason.uploaded and all(because.user_id != reason.id for because in reason.because):
        yield f"  uploaded {', '.join(f'track {track}' for track in reason.uploaded)}"
    for because in reason.because:
        yield ""
        yield from _chain(because)
    if reason.total > len({(b.user_id, b.track_id, b.engagement_type) for b in reason.because}):
        yield f"\n{reason.total:,} likes and reposts lead here; --limit shows more of them."


def _choice(chosen: Chosen) -> str:
    place = f"as number {chosen.place + 1}" if chosen.place is not None else "by an earlier choice"
    chance = "" if chosen.chance is None else f", with a chance of {chosen.chance:.3g}"
    return f"followed {place} at depth {chosen.depth}{chance} ({chosen.outcome}), for {chosen.seed}"


def _chain(because: Because) -> Iterator[str]:
    who, what = (
        _named("user", because.user_id, because.username),
        _named("track", because.track_id, because.title),
    )
    yield f"  {who} {because.engagement_type}s {what}"
    place = "" if because.place is None else f", place {because.place + 1} of the list"
    yield f"    page {because.page + 1}{place}, fetched {because.fetched_at}: {because.request}"
    for step in because.chain:
        if step.kind == "resolve":
            yield f"    from {step.what}: {because.seed}"
        else:
            subject = _named("track" if step.kind.startswith("track") else "user", step.subject_id, step.subject)
            yield f"    from {step.what}: {subject}"


def _named(thing: str, number: int, name: str | None) -> str:
    return f"{thing} {number} “{printable(name)}”" if name else f"{thing} {number}"
