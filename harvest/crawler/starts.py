"""Where to start: what was typed, and what it says about the lists to be read.

The page of one list of a person (`artist/likes`) says that this list is to be read instead of the usual ones,
and no other unless the harvest goes on from there.

In: addresses as they were typed. Out: their one spelling, and options. Never: a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harvest.api.searches import search
from harvest.api.seed_urls import Seed, normalise_seed
from harvest.crawler.recipes import OF_TRACKS_ALONE, parse_caps
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


def starts_of_search(
    what: str,
    words: Iterable[str],
    given: Mapping[str, Any],
    *,
    genres: Iterable[str] = (),
    tags: Iterable[str] = (),
    limit: int | None = None,
    **ranges: str | None,
) -> Starts:
    """Start from a search for words, with its filters; `ranges` are `bpm`, `duration`, `created`, and `limit` bounds
    the results that are kept. Raises SeedError.
    """
    wanted = {"q": " ".join(words), "genres": ",".join(genres), "tags": ",".join(tags), **ranges}
    address = search(what, {name: text for name, text in wanted.items() if text}).address
    options = dict(given)
    if limit is not None:
        options["cap"] = {**(parse_caps(options["cap"]) if options.get("cap") else {}), f"found-{what}": limit}
    return starts([address], options)


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
