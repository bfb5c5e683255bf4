"""Draw docs/crawl.svg: what a crawl looks like on a terminal, taken from a real one against the simulator.

Usage: python scripts/picture.py [FILE]. Takes half a minute. The simulated service asks to slow down once, so that the
picture shows a wait. World and pace are the same every time; a few numbers depend on the moment it was taken.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from harvest.cli.output.screen import Moment, frame  # noqa: E402
from harvest.cli.output.wait_reason import Waits  # noqa: E402
from harvest.crawler.progress import CrawlProgress  # noqa: E402
from harvest.crawler.session import Conditions, crawl  # noqa: E402
from harvest.models import Limits  # noqa: E402
from harvest.settings import Settings  # noqa: E402
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, World, serve  # noqa: E402
from harvest.system.clock import SystemClock  # noqa: E402
from harvest.wiring import connect  # noqa: E402

WIDTH = 80
URL = "https://soundcloud.com/artist/track"
LIMIT_AT = 0.35  # of the crawl, when the service says slow down


class Quiet:
    """Who is told of pages, and only listens for waits."""

    def __init__(self) -> None:
        self.waits = Waits(SystemClock().monotonic)
        self.heard: list[tuple[CrawlProgress, str]] = []

    def hear(self, progress: CrawlProgress) -> None:
        """Remember how it goes and what is waited for."""
        gauge = progress.gauge
        words = self.waits.words(in_flight=gauge.in_flight, interval=gauge.interval, hold_reason=gauge.hold_reason)
        self.heard.append((progress, words))

    def waiting(self, reason: str, seconds: float) -> None:
        """Note a wait."""
        self.waits.begin(reason, seconds)

    def __getattr__(self, name: str) -> object:
        """Ignore everything else."""
        return lambda *args, **kwargs: None


async def watch(people: int, pace: float, hold: float) -> list[tuple[CrawlProgress, str]]:
    """Crawl, and give what was heard every second."""
    world = World(3, users=8 * people, tracks=4000, likes_per_user=120, seed_likers=400, seed_reposters=80)
    async with serve(world, latency=pace, gzip=False) as server:
        quiet, slowed = Quiet(), False

        def hear(progress: CrawlProgress) -> None:
            nonlocal slowed
            seen = progress.standing
            if not slowed and seen.asked > LIMIT_AT * (seen.asked + seen.requests_left) and not progress.at_least:
                slowed = True
                server.limit(0.6 / pace)
            quiet.hear(progress)

        settings = Settings(
            api_url=server.url,
            auth_url=server.url,
            client_id=DEMO_CLIENT_ID,
            client_secret=DEMO_CLIENT_SECRET,
            hold_seconds=hold,
        )
        clock = SystemClock()
        with tempfile.TemporaryDirectory() as folder:
            async with connect(settings, clock=clock, delay=pace, observer=quiet) as connection:
                await crawl(
                    Path(folder) / "tracks.db",
                    [([world.seed_url()], Limits(max_users=people))],
                    client=connection.client,
                    conditions=Conditions(server.url, connection.bearer.kind),
                    witness=quiet,
                    clock=clock,
                    on_progress=hear,
                )
        return quiet.heard


def chosen(heard: list[tuple[CrawlProgress, str]]) -> Iterator[tuple[CrawlProgress, str]]:
    """Pick three moments: people are being listed, a wait, the middle of their likes."""
    yield next(((p, w) for p, w in heard if p.standing.pages and p.standing.edges and p.seconds_left), heard[0])
    yield next(((p, w) for p, w in heard if "slow down" in w), heard[len(heard) // 2])
    yield next((p, w) for p, w in heard if p.standing.asked > 0.7 * (p.standing.asked + p.standing.requests_left))


def draw(target: Path, *, people: int = 150, pace: float = 0.1, hold: float = 6.0) -> None:
    """Crawl and draw: so many people, so many seconds between two requests, so many seconds to wait once."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    console.print(f"$ harvest {URL} --max-users {people}", style="bold")
    for progress, wait in chosen(asyncio.run(watch(people, pace, hold))):
        moment = Moment(progress.gauge.in_flight, progress.seconds, 0.0, wait)
        console.print()
        for line in frame(progress, moment, width=WIDTH, height=24):
            console.print(line)
    target.parent.mkdir(parents=True, exist_ok=True)
    svg = console.export_svg(title="harvest: three moments of one crawl", unique_id="crawl")
    target.write_text(svg, encoding="utf-8")
    print(f"{target} written.")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "crawl.svg")
