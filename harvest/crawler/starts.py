"""Where to start: what was typed, and what it says about the lists to be read.

The page of one list of a person (`artist/likes`) says that this list is to be read instead of the usual ones,
and no other unless the harvest goes on from there.

In: addresses as they were typed. Out: their one spelling, and options. Never: a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harvest.api.seed_urls import Seed, normalise_seed
from harvest.crawler.recipes import OF_TRACKS_ALONE
from harvest.models import Limits
from harvest.rules import RULES


@dataclass(frozen=True, slots=True)
class Starts:
    """Where to start, each address once, and the options that were given and follow."""

    addresses: list[str]
    given: dict[str, Any]


def starts(texts: Iterable[str], given: Mapping[str, Any]) -> Starts:
    """Read addresses as they were typed. Raises SeedError for the first that cannot be a seed."""
    seeds = [normalise_seed(text) for text in texts]
    options = dict(given)
    if any(seed.kind == "search_for_playlists" for seed in seeds) and options.get("read") is None:
        options["read"] = "+playlist-tracks"  # playlists lead on to nothing else
    if any(seed.reads for seed in seeds) and options.get("seed_read") is None:
        options["seed_read"] = _read_of(seeds)
        alone = all(seed.reads for seed in seeds) and not any(options.get(name) for name in ("read", "via", "depth"))
        if alone and not set(Limits().via) & set(options["seed_read"]):
            options["read"] = OF_TRACKS_ALONE
    return Starts(list(dict.fromkeys(seed.url for seed in seeds)), options)


def _read_of(seeds: Sequence[Seed]) -> list[str]:
    """Give the lists that are read of these seeds: those they name, and the usual ones of all others."""
    named = [name for seed in seeds for name in seed.reads]
    usual = [
        name
        for thing, rule in RULES.items()
        if thing != "user" or any(seed.kind == "user" and not seed.reads for seed in seeds)
        for name in rule.seed_read
    ]
    return list(dict.fromkeys([*named, *usual]))
