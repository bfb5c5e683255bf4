"""How often the ten tracks found nearest are of the taste group that the simulator has planted.

Run by hand: `python tests/bench/related.py [--people 1000] [--tracks 4000] [--groups 8] [--likes 60]`. A simulated
world is crawled from its hit, playlists too, and analysed; beside each method stand what popularity and chance would
give, and beside the radio after one track and after three of one group what is nearest to any of them by co-likes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from harvest.analysis.methods import RELATED, Choices  # noqa: E402
from harvest.analysis.run import analyse  # noqa: E402
from harvest.models import Limits  # noqa: E402
from harvest.simulator import World  # noqa: E402
from harvest.system.clock import SystemClock  # noqa: E402
from harvest.system.logs import configure_logs  # noqa: E402
from tests.communities import (  # noqa: E402
    analysed,
    by_lot,
    co_liked,
    liked_tracks,
    played,
    popularity,
    precision_at_10,
    several,
)
from tests.crawling import crawl_world, read  # noqa: E402


def main() -> None:
    """Crawl, analyse, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--tracks", type=int, default=4000)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--likes", type=int, default=60, help="likes per person; few make it hard")
    parser.add_argument("--asked", type=int, default=200, help="tracks after which the radio plays")
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    configure_logs(level="error")
    world = World(
        arguments.seed,
        users=arguments.people,
        tracks=arguments.tracks,
        communities=arguments.groups,
        likes_per_user=arguments.likes,
        seed_likers=arguments.people * 3 // 5,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "world.db"
        read_too = ("likers", "reposters", "likes", "playlists", "playlist-tracks")
        crawl_world(path, world, limits=Limits(read=read_too, max_playlists=1000))
        analyse(path, RELATED, Choices(), clock=SystemClock(), memory_mb=512)
        tracks = liked_tracks(path)
        (likes,) = read(path, "SELECT likes FROM totals")[0]
        print(f"{likes:,} likes; {len(tracks):,} tracks that 5 people like; {arguments.groups} groups")
        answers = {method: analysed(path, method) for method in RELATED}
        answers |= {"popularity": popularity(path), "by lot": by_lot(path)}
        print(f"{'':<22} precision at 10")
        for name, answer in answers.items():
            print(f"{name:<22} {precision_at_10(world, tracks, answer):>15.3f}", flush=True)
        some = random.Random(1).sample(tracks, min(arguments.asked, len(tracks)))
        for n in (1, 3):
            given = several(world, tracks, n)
            for name, answer in (("co-likes", co_liked(path, given)), ("radio", played(path, given))):
                label = f"{name} after {n}"
                print(f"{label:<22} {precision_at_10(world, some, answer):>15.3f}", flush=True)


if __name__ == "__main__":
    main()
