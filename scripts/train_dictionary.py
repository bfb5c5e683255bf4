"""Make harvest/replies/dictionary.bin anew: what the replies of the service have in common, for zstd.

    .venv/bin/python scripts/train_dictionary.py [FILE]

It is trained on replies of the simulator, whose people are made up, as `--keep-replies` cuts them; the same simulator
makes the same bytes. A dictionary is named after what it holds, and a file carries those it was kept with, so older
files stay readable.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import zstandard

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from harvest.replies.scrub import scrubbed  # noqa: E402
from harvest.simulator import World  # noqa: E402
from harvest.simulator.service.replies import SimRequest  # noqa: E402
from harvest.simulator.service.service import Service  # noqa: E402
from harvest.simulator.world.lists import BY_PATH  # noqa: E402

SIZE = 64 * 1024  # bytes
TARGET = ROOT / "harvest" / "replies" / "dictionary.bin"
WORLDS = [World(seed, users=400, tracks=1500, likes_per_user=25) for seed in (101, 102)]
WORLDS += [World(103, users=300, tracks=1000, numeric_ids=True, quirks=False)]
PLACES = 40  # people, tracks and playlists asked about in each world
PAGE = 20  # entries of a page: many small ones show more of what differs


def replies() -> Iterator[bytes]:
    """Give pages of every list, and every thing by itself."""
    for world in WORLDS:
        service = Service(world)
        headers = {"authorization": f"OAuth {service.tokens.access_token(user=True)}"}
        for path in paths(world):
            size = f"limit={PAGE}&linked_partitioning=true&access=playable,preview,blocked"
            request = SimRequest.of("GET", f"{path}?{size}", headers)
            reply = service.handle(request)
            if reply.status == 200:
                yield scrubbed(reply.body)


def paths(world: World) -> Iterator[str]:
    """List what is asked for."""
    for path in BY_PATH:
        collection, _, name = path.partition("/")
        thing = {"users": "user", "tracks": "track", "playlists": "playlist", "stations": "station"}[collection]
        for place in range(PLACES):
            if thing == "station":
                yield f"/system-playlists/{world.facts.stations.urn(place)}"
            else:
                yield f"/{collection}/soundcloud:{collection}:{world.id(thing, place)}/{name}"
                yield f"/{collection}/soundcloud:{collection}:{world.id(thing, place)}"
    yield "/me"
    for collection in ("tracks", "users", "playlists"):
        yield f"/{collection}"


def main() -> None:
    """Train and write."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    samples = list(dict.fromkeys(replies()))
    trained = zstandard.train_dictionary(SIZE, samples, level=3)
    target.write_bytes(trained.as_bytes())
    print(f"{target}: {len(trained)} bytes from {len(samples)} replies of {sum(map(len, samples)):,} bytes")


if __name__ == "__main__":
    main()
