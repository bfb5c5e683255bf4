"""The whole thing against the built-in simulated SoundCloud: serve it, crawl it, compare, and ask three questions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from harvest.cli.commands.crawl import harvest_seeds
from harvest.cli.options.crawl import cache_path, crawl_options, given, log_options
from harvest.cli.options.world import world_options
from harvest.cli.output.formatting import quoted
from harvest.cli.output.table import table
from harvest.models import Limits
from harvest.settings import Settings
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, World, run_in_thread
from harvest.simulator.oracle import expect
from harvest.store.database import open_to_read
from harvest.store.harvests import stored_limits
from harvest.system.logs import printable

DEMO_PATH = Path("data/cache/demo.db")

# What to try on the file, each with what it answers; docs/sql.md shows the same and a test runs them.
QUERIES = {
    "People who like the seed also like": """
SELECT t.title, count(*) AS people_in_common
FROM user_engagements AS mine
JOIN user_engagements AS other ON other.user_id = mine.user_id AND other.track_id <> mine.track_id
JOIN tracks AS t ON t.id = other.track_id
WHERE mine.track_id = (SELECT seed_id FROM harvests WHERE seed_kind = 'track' LIMIT 1)
    AND mine.engagement_type = 'like' AND other.engagement_type = 'like'
GROUP BY t.id
ORDER BY people_in_common DESC, t.id
LIMIT 5;""",
    "Whose tracks they like most": """
SELECT username, tracks_here, likes_here, followers_count
FROM uploaders
ORDER BY likes_here DESC, user_id
LIMIT 5;""",
    "Which lists are not whole, and why": """
SELECT what, outcome, count(*) AS lists, sum(claimed) AS claimed, sum(collected) AS collected
FROM lists
WHERE outcome <> 'complete'
GROUP BY what, outcome
ORDER BY lists DESC;""",
}


@click.command()
@cache_path(DEMO_PATH, envvar=None)
@world_options
@crawl_options
@log_options
def demo(path: Path, users: int, tracks: int, seed: int, likes_per_user: float, as_json: bool, **chosen: Any) -> int:
    """Try harvest on the built-in simulated SoundCloud; no account needed.

    The simulated SoundCloud is served on a local port and crawled over a real connection. Its data is invented; the
    crawl is real.
    """
    world = World(seed, users=users, tracks=tracks, likes_per_user=likes_per_user)
    url = world.seed_url()
    with run_in_thread(world, latency=0.02, gzip=False) as server:
        if not click.get_current_context().meta.get("quiet"):
            click.echo(f"A simulated SoundCloud of {users:,} users and {tracks:,} tracks is at {server.url}.", err=True)
            click.echo(f"Running: harvest {url} --cache-path {quoted(path)}\n", err=True)
        settings = Settings(
            api_url=server.url, auth_url=server.url, client_id=DEMO_CLIENT_ID, client_secret=DEMO_CLIENT_SECRET
        )
        code = harvest_seeds(
            path,
            [url],
            {"delay": 0.02, **given(chosen)},
            as_json=as_json,
            settings=settings,
            go_on="harvest demo",
            service=f"simulator:seed={seed},users={users},tracks={tracks},likes_per_user={likes_per_user:g}",
        )
    if not as_json and code == 0:
        _compare(path, world, url)
        _ask(path)
    return code


def _compare(path: Path, world: World, url: str) -> None:
    """Say whether the file holds exactly what the made-up world has."""
    with open_to_read(path) as connection:
        limits: Limits | None = stored_limits(connection, [url])
        assert limits is not None
        expected = expect(world, url, **asdict(limits)).engagements
        found = {
            (row[0], row[1], row[2]): (row[3], row[4])
            for row in connection.execute(
                "SELECT user_id, track_id, engagement_type, user_list_rank, track_list_rank FROM user_engagements"
            )
        }
    if found == expected:
        click.echo(f"Compared with the world it came from: all {len(expected):,} likes and reposts, none too many.")
    else:
        missing, extra = len(expected.keys() - found.keys()), len(found.keys() - expected.keys())
        click.echo(
            f"Compared with the world it came from: {missing:,} missing, {extra:,} too many. Please report this."
        )


def _ask(path: Path) -> None:
    """Run the three queries and show them with their answers."""
    with open_to_read(path) as connection:
        for question, sql in QUERIES.items():
            click.echo(f"\n-- {question}{sql}\n")
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description]
            click.echo("\n".join(table([names, *([_cell(value) for value in row] for row in cursor)])))


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else printable(str(value))
    return text if len(text) <= 60 else text[:59] + "…"
