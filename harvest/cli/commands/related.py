"""Say which tracks are near a track, and whose taste is near a person's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from harvest.analysis.beside import Neighbour, Neighbours
from harvest.analysis.described import Described
from harvest.analysis.methods import RELATED, SIMILAR
from harvest.analysis.reasons import like_both
from harvest.analysis.related import Near, Related
from harvest.analysis.similar import Kin, Similar
from harvest.cli.options.crawl import cache_path, json_option, log_options, reads
from harvest.cli.options.framing import framing_option
from harvest.cli.options.types import whole
from harvest.cli.output.playlist import save, to_option
from harvest.cli.output.spinner import patience
from harvest.export.playlists import check_target
from harvest.python.near import near_person, near_track, of_people, of_tracks
from harvest.store.database import open_to_read
from harvest.system.logs import printable

_WHY_NOW = {
    "not analysed": "Computed just now: nothing is analysed yet. `harvest analyze` does it for all at once.",
    "interrupted": "Computed just now: the analysis was interrupted. `harvest analyze` finishes it.",
    "other frames": "Computed just now: it was analysed with other --frames.",
    "file has grown": "Computed just now: the file has new pages since it was analysed. `harvest analyze` catches up.",
    "more asked for": "Computed just now: the analysis keeps fewer. `harvest analyze --neighbours N` keeps more.",
}


@click.command()
@click.argument("track")
@cache_path()
@click.option(
    "--method",
    "--by",
    "method",
    type=click.Choice(of_tracks()),
    metavar="NAME",
    default=RELATED[0],
    show_default=True,
    help=f"How nearness is measured, or in what both stand: {', '.join(of_tracks())}.",
)
@framing_option(default=None, usual="as analysed, else auto")
@click.option("--limit", type=whole(1), metavar="N", default=10, show_default=True, help="Maximum tracks.")
@to_option
@json_option()
@log_options
@reads
def related(
    track: str, path: Path, method: str, framing: str | None, limit: int, target: Path | None, as_json: bool
) -> int:
    """Show tracks that the same people like, and why.

    TRACK is a page address, an id, or a URN. Answers come from `harvest analyze`, or directly from the likes if its
    results are missing or older than the file. The other methods count what else two tracks have in common, as far as
    it was read; soundcloud is SoundCloud's own related tracks; metadata compares artist, label, genre and tags.

    \b
      harvest related https://soundcloud.com/artist/track
      harvest related soundcloud:tracks:123 --method colike_npmi --json
      harvest related soundcloud:tracks:123 --method playlists --to near.m3u
      harvest related soundcloud:tracks:123 --by metadata
    """
    if target is not None:
        check_target(target)
    with open_to_read(path) as connection, patience(connection, "comparing who likes what"):
        found = near_track(connection, track, method=method, limit=limit, framing=framing)
    ids = [one.id if isinstance(one, Neighbour) else one.track_id for one in found.near]
    _save(path, ids, target, found.title)
    if isinstance(found, Neighbours):
        return _show(found, as_json=as_json)
    lines = _alike(found) if isinstance(found, Described) else _tracks(found)
    click.echo(json.dumps(found.as_json()) if as_json else "\n".join(lines))
    return 0


def _alike(found: Described) -> Iterator[str]:
    yield f"Described like {called(found.title, None, found.track_id)}  {_plain(found.url)}".rstrip()
    if not found.near:
        yield "\nNo other track in the file shares its artist, label, genre or a tag."
    for place, near in enumerate(found.near, start=1):
        why = f"{near.score:.0%} of what is said of it: {_plain(', '.join(near.shared))}"
        yield from _listed(place, called(near.title, near.artist, near.track_id), why, near.url)


def _save(path: Path, ids: Sequence[int], target: Path | None, title: str | None) -> None:
    if target is not None:
        save(path, ids, target, title=f"Near {title or 'a track'}")


@click.command()
@click.argument("user")
@cache_path()
@click.option(
    "--method",
    type=click.Choice(of_people()),
    metavar="NAME",
    default=SIMILAR[0],
    show_default=True,
    help=f"How likeness is measured, or what both share: {', '.join(of_people())}.",
)
@framing_option(default=None, usual="as analysed, else auto")
@click.option("--limit", type=whole(1), metavar="N", default=10, show_default=True, help="People told at most.")
@json_option()
@log_options
@reads
def similar(user: str, path: Path, method: str, framing: str | None, limit: int, as_json: bool) -> int:
    """Show people who like the same tracks as a person, and which.

    USER is a page address, an id, or a URN. Answers come from `harvest analyze`, or directly from the likes if its
    results are missing or older than the file. The other methods count the people both follow, the people who follow
    both, or what both reposted, as far as it was read.

    \b
      harvest similar https://soundcloud.com/somebody
      harvest similar soundcloud:users:123 --limit 20
      harvest similar soundcloud:users:123 --method followings
    """
    with open_to_read(path) as connection, patience(connection, "comparing who likes what"):
        near = near_person(connection, user, method=method, limit=limit, framing=framing)
    if isinstance(near, Neighbours):
        return _show(near, as_json=as_json)
    click.echo(json.dumps(near.as_json()) if as_json else "\n".join(_people(near)))
    return 0


def _show(found: Neighbours, *, as_json: bool) -> int:
    click.echo(json.dumps(found.as_json()) if as_json else "\n".join(_beside(found)))
    return 0


def _beside(found: Neighbours) -> Iterator[str]:
    yield f"Beside {_called(found.thing, found)}  {_plain(found.url)}".rstrip()
    if found.frame:
        yield "People were chosen for it, so what all people here like appears near it."
    if found.reason:
        yield f"\n{printable(found.reason)}"
    for place, near in enumerate(found.near, start=1):
        of = "" if near.size is None else f", of {found.size:,} and {near.size:,}"
        why = f"{near.common:,} {found.words[near.common != 1]}{of}" if found.read else f"score {near.score:.4g}"
        yield from _listed(place, _called(found.thing, near), why, near.url)


def _listed(place: int, name: str, why: str, url: str | None) -> Iterator[str]:
    """Give the lines of one answer, below those before it."""
    yield f"\n{place:>3}. {name}"
    yield f"     {why}"
    if url:
        yield f"     {_plain(url)}"


def _called(thing: str, one: Neighbour | Neighbours) -> str:
    return called(one.title, one.artist, one.id) if thing == "track" else _person(one.title, one.id)


def _tracks(found: Related) -> Iterator[str]:
    yield f"Near {called(found.title, found.artist, found.track_id)}  {_plain(found.url)}".rstrip()
    yield from _whose(found)
    if found.reason:
        yield f"\n{printable(found.reason)}"
    for place, near in enumerate(found.near, start=1):
        yield from _listed(place, called(near.title, near.artist, near.track_id), _reason(near, found), near.url)
    yield from _footnotes(found)


def _whose(found: Related) -> Iterator[str]:
    """Say of how many people this is, and what that means for a track they were chosen for."""
    yield f"{found.size:,} of the {found.people:,} people whose likes are read like it."
    if found.frame:
        yield "They were chosen for it, so nearness rests on SoundCloud's own counts of likes."


def _reason(near: Near, found: Related) -> str:
    if near.basis == "service":
        counted = "" if near.likes_count is None else f"; {near.likes_count:,} on SoundCloud do"
        return f"{near.common:,} of these {found.size:,} like it too{counted}"
    return like_both(near.common, near.times_chance)


def _footnotes(found: Related | Similar) -> Iterator[str]:
    left_out: tuple[str, ...] = getattr(found, "left_out", ())
    if len(left_out) == 1:
        yield f"\n“{_plain(left_out[0])}” is left out: all people read were chosen for liking it."
    elif left_out:
        yield f"\nLeft out are {len(left_out):,} tracks for which the people read were chosen."
    if found.why_now:
        yield f"\n{_WHY_NOW[found.why_now]}"


def _people(found: Similar) -> Iterator[str]:
    yield f"Near {_person(found.username, found.user_id)}  {_plain(found.url)}".rstrip()
    yield (
        f"Compared by {found.size:,} tracks with the {found.people:,} people whose likes are read; "
        "tracks they were chosen for do not count."
    )
    if found.reason:
        yield f"\n{printable(found.reason)}"
    for place, near in enumerate(found.near, start=1):
        why = f"{near.common:,} tracks in common, of {near.size:,} they like: {_shared(near)}"
        yield from _listed(place, _person(near.username, near.user_id), why, near.url)
    yield from _footnotes(found)


def _shared(near: Kin) -> str:
    told = ", ".join(called(title, artist) for title, artist in near.shared)
    more = near.common - len(near.shared)
    return f"{told} and {more:,} more" if more > 0 else told


def called(title: str | None, artist: str | None, track_id: int | None = None) -> str:
    """Name a track as it is told."""
    name = f"“{_plain(title)}”" if title else f"track {track_id}" if track_id else "a track without a title"
    return f"{name} by {_plain(artist)}" if artist else name


def _person(username: str | None, user_id: int) -> str:
    return _plain(username) or f"user {user_id}"


def _plain(text: str | None) -> str:
    return printable(text or "")
