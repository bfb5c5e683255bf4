"""Serve the simulated SoundCloud on a local port until Ctrl-C."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from harvest.cli.options.crawl import log_options
from harvest.cli.options.types import Place, Real
from harvest.cli.options.world import world_options
from harvest.crawler.recorded import recorded
from harvest.errors import SettingsError
from harvest.replies.recording import Recording
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Drift, World, parse_faults, serve
from harvest.simulator.faults.parse import describe
from harvest.simulator.server.days import let_days_pass
from harvest.simulator.world.examples import examples
from harvest.system.logs import printable

_OF_A_WORLD = ("users", "tracks", "seed", "likes_per_user", "at", "day_lasts", "drift")
_SEEDS = 20  # named at the most


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8750, show_default=True, help="0: any free one.")
@world_options
@click.option(
    "--faults", default="", help="What goes wrong, e.g. 'error_500_html=0.02'; `--faults list` names them all."
)
@click.option("--latency", type=Real(0, 3600), default=0.0, show_default=True, help="Seconds per reply.")
@click.option("--rate", type=Real(0, 1_000_000, min_open=True), help="Requests per second allowed; more get 429.")
@click.option(
    "--at", type=Real(0, 36_500), default=0.0, show_default=True, metavar="DAYS", help="So long after its first day."
)
@click.option(
    "--day-lasts", type=Real(0, 1_000_000, min_open=True), metavar="SECONDS", help="Let its days pass, at this pace."
)
@click.option(
    "--drift",
    default="everything",
    show_default=True,
    help="What changes, per day: everything, edges, edges=0.01 (a share), renames=0.1, ...",
)
@click.option(
    "--from",
    "recording",
    type=Place(),
    metavar="REPLIES.db",
    help="Serve the replies that a crawl kept (--keep-replies) instead of a made-up world.",
)
@log_options
@click.pass_context
def simulate(
    context: click.Context,
    port: int,
    users: int,
    tracks: int,
    seed: int,
    likes_per_user: float,
    faults: str,
    latency: float,
    rate: float | None,
    at: float,
    day_lasts: float | None,
    drift: str,
    recording: Path | None,
) -> int:
    """Serve a simulated SoundCloud: deterministic, with faults on demand, for trying things out.

    With --from it serves the replies of an earlier crawl: each request gets the stored reply, the second time the
    second one, and after that the last one again. Pages have the size they had then. Requests that crawl did not send
    get 404 and are listed here. Any token is accepted. You can reproduce a problem without credentials, requests, or
    people's personal fields.

    \b
      harvest simulate --users 2000
      harvest simulate --from data/cache/tracks.replies.db
    """
    if faults == "list":
        click.echo(describe())
        return 0
    try:
        parse_faults(faults)
    except ValueError as error:
        raise SettingsError(f"--faults: {error}.") from error
    try:
        if recording is not None:
            _check_alone(context)
            with Recording.open(recording) as kept:
                asyncio.run(_serve_recorded(kept, port, faults=faults, latency=latency, rate=rate))
            return 0
        world = _world_at(at, drift, seed=seed, users=users, tracks=tracks, likes_per_user=likes_per_user)
        asyncio.run(_serve(world, port, day_lasts, faults=faults, latency=latency, rate=rate))
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
    except OSError as error:
        raise SettingsError(f"Port {port} cannot be used ({error.strerror}): choose another with --port.") from error
    return 0


def _world_at(at: float, drift: str, **options: Any) -> World:
    """Make the world; raise SettingsError when it cannot change like that."""
    try:
        return World(drift=Drift.parse(drift), **options).at(at)
    except ValueError as error:
        raise SettingsError(f"--drift: {error}.") from error


def _check_alone(context: click.Context) -> None:
    """Refuse what makes a world beside a recording, which has its own."""
    for name in _OF_A_WORLD:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise SettingsError(f"--{name.replace('_', '-')} makes a world up: leave it out, or --from.")


async def _serve_recorded(recording: Recording, port: int, **options: Any) -> None:
    world, seeds = recorded(recording, tell=lambda request: click.echo(f"not recorded: {printable(request)}", err=True))
    seed = printable(seeds[0]) if seeds else "SEED"
    others = "".join(f"\n  {printable(one)}" for one in seeds[1:_SEEDS])
    async with serve(world, port, **options) as server:
        click.echo(
            f"What {printable(recording.facts.service)} answered is at {server.url} (Ctrl-C ends it), as kept in"
            f" {printable(str(recording.path))}.\nIn another terminal:\n\n"
            f"  export SOUNDCLOUD_API_URL={server.url} SOUNDCLOUD_AUTH_URL={server.url}\n"
            "  export SOUNDCLOUD_ACCESS_TOKEN=any\n"
            f"  harvest {shlex.quote(seed)} --cache-path data/cache/recorded.db --delay 0"
            + (f"\n\nOther seeds:\n{others}" if others else "")
        )
        await asyncio.Event().wait()


async def _serve(world: World, port: int, day_lasts: float | None, **options: Any) -> None:
    others = {what: address for what, address in examples(world).items() if address != world.seed_url()}
    others["yourself"] = "me (after: harvest auth login)"
    async with serve(world, port, **options) as server:
        click.echo(
            f"A simulated SoundCloud is at {server.url} (Ctrl-C ends it). In another terminal:\n\n"
            f"  export SOUNDCLOUD_API_URL={server.url} SOUNDCLOUD_AUTH_URL={server.url}\n"
            f"  export SOUNDCLOUD_CLIENT_ID={DEMO_CLIENT_ID} SOUNDCLOUD_CLIENT_SECRET={DEMO_CLIENT_SECRET}\n"
            f"  harvest {world.seed_url()} --cache-path data/cache/simulated.db --delay 0\n\n"
            "Other seeds:\n\n" + "\n".join(f"  {what:<15} {address}" for what, address in others.items())
        )
        await (let_days_pass(server, world.moment, day_lasts) if day_lasts else asyncio.Event().wait())
