"""How a harvest goes on: what a visit to each kind of thing reads, and where it leads. One declaration each. Pure.

A harvest goes in rounds. Round 0 visits the seeds, whatever they are. A visit reads the lists of its thing that the
recipe names. When all lists of a round have ended, the leads of its things choose what the next round visits,
from what is stored alone.

To start from another kind of thing, or to go another way, add a declaration here. docs/adr/0001-rounds.md says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from harvest.errors import PluginError, SettingsError
from harvest.lists import BY_NAME, KINDS, STAND_INS, ListKind, every_kind
from harvest.models import Limits
from harvest.things import THINGS


@dataclass(frozen=True, slots=True)
class Lead:
    """A way from the things of one kind to the items of some of their lists.

    `of` names the lists in the order in which they count. `most` is the bound, a field of `Limits`. Without `in_common`
    each thing leads to so many items of its own, as its lists name them, or in the harvest's order; with it, all things
    visited so far lead together to the items that most of them name, ties by id. `in_all` bounds the harvest, not the
    round. `chosen` lists count only where `--via` names them. What a lead `opens` belongs to what is read of the things
    themselves: it takes no step deeper, so it is taken however deep they lie. By a `step` each thing leads to one of
    its own items, drawn by lot among those not visited yet.
    """

    to: str
    of: tuple[str, ...]
    most: str
    in_common: bool = False
    in_all: bool = False
    chosen: bool = False
    opens: bool = False
    step: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What visits to one kind of thing may lead to, and what a seed of that kind is read with besides the recipe."""

    leads: tuple[Lead, ...]
    seed_read: tuple[str, ...] = ()


RULES: dict[str, Rule] = {
    "track": Rule((Lead("user", ("track_likers", "track_reposters", "track_comments"), "max_users"),)),
    "user": Rule(
        (
            Lead("track", ("user_likes", "user_reposts", "user_tracks"), "max_tracks", in_common=True, chosen=True),
            Lead("user", ("user_followings", "user_followers"), "max_users", in_common=True, in_all=True, chosen=True),
            Lead(
                "playlist",
                ("user_playlists", "user_playlist_likes", "user_playlist_reposts"),
                "max_playlists",
                in_common=True,
                opens=True,
            ),
        ),
        seed_read=("uploads", "likes", "reposts", "playlists"),
    ),
    "playlist": Rule(
        (Lead("track", ("playlist_tracks",), "max_tracks"),),
        seed_read=("playlist-tracks", "playlist-reposters"),
    ),
    "station": Rule((Lead("track", ("station_tracks",), "max_tracks"),), seed_read=("station-tracks",)),
    "search_for_tracks": Rule((Lead("track", ("found_tracks",), "max_tracks"),), seed_read=("found-tracks",)),
    "search_for_users": Rule((Lead("user", ("found_users",), "max_users"),), seed_read=("found-users",)),
    "search_for_playlists": Rule(
        (Lead("playlist", ("found_playlists",), "max_playlists"),), seed_read=("found-playlists",)
    ),
}


class Reach(IntEnum):
    """What a list is read of: of all that is visited, of seeds alone, of the person who is signed in alone."""

    ALL = 0
    SEEDS = 1
    OURSELVES = 2


@dataclass(frozen=True, slots=True)
class RecipeLine:
    """One line of a recipe: a kind of list, what it is read of (`Reach`), and how much of each list is kept."""

    kind: ListKind
    reach: Reach
    cap: int

    @property
    def seeds_only(self) -> bool:
        """Whether visits on the way do not read it."""
        return self.reach > Reach.ALL


def recipe(limits: Limits) -> list[RecipeLine]:
    """Say what a harvest reads of what it visits. A list with a cap of 0 is off.

    Raises SettingsError for a name that no list has.
    """
    wanted = {_stored(name).name for name in (*limits.read, *limits.via)}
    usual = (name for name in _usual_of_seeds() if name not in limits.without)
    of_seeds = {_stored(name).name for name in (usual if limits.seed_read is None else limits.seed_read)}
    return [
        RecipeLine(kind, Reach.OURSELVES if kind.own else Reach.ALL if kind.name in wanted else Reach.SEEDS, cap)
        for kind in every_kind()
        if kind.name in wanted | of_seeds and (cap := cap_of(kind, limits)) > 0
    ]


def cap_of(kind: ListKind, limits: Limits) -> int:
    """Say how many edges of each list of a kind are kept at most."""
    caps = dict(limits.caps)
    if kind.name in ("track_likers", "track_reposters"):
        return caps.get(kind.option, limits.max_listed)
    return caps.get(kind.option, limits.max_user_likes if kind.name == "user_likes" else kind.cap)


def leads_of(thing: str, limits: Limits, depth: int = -1) -> Iterator[tuple[Lead, tuple[ListKind, ...]]]:
    """Give the ways on from a kind of thing, each with the lists that count, as far as they are read.

    A way to things of which nothing would be read is none. From a `depth` where the harvest ends, nothing but what a
    lead opens. Beyond the seeds a walk takes steps, and goes back from a track by the same edges only by which people
    go on: so each edge is as likely to be taken from either end.
    """
    ends = depth >= depth_of(thing, limits)
    lines = recipe(limits)
    read, visited = {line.kind.name for line in lines}, {line.kind.subject for line in lines if not line.seeds_only}
    via = {_stored(name).name for name in limits.via}
    walks = limits.order == "walk" and depth > 0 and thing in ("track", "user")
    for declared in RULES[thing].leads:
        lead = replace(declared, in_common=False, in_all=False, step=True) if walks and not declared.opens else declared
        lists = tuple(KINDS[name] for name in lead.of if name in read and (not lead.chosen or name in via))
        if lead.step and not lead.chosen:
            lists = tuple(kind for kind in lists if kind.other_side is not None and kind.other_side.name in via)
        if lists and lead.to in visited and (lead.opens or not ends):
            yield lead, lists


def depth_of(thing: str, limits: Limits) -> int:
    """Say how deep a harvest goes on from things of this kind: seeds, and whatever lies no deeper than they do."""
    return THINGS[thing].depth if limits.depth is None else limits.depth


def kind_named(name: str) -> ListKind:
    """Give the kind of list that options call by this name. Raises SettingsError when there is none."""
    plugin, dash, _ = name.partition("-")
    if name not in BY_NAME and dash and not any(ours.startswith(f"{plugin}-") for ours in BY_NAME):
        raise PluginError(
            f"There is no list {name!r} while no plug-in {plugin!r} is loaded: install it, or leave out"
            " HARVEST_PLUGINS=0."
        )
    if name not in BY_NAME:
        raise SettingsError(f"There is no list {name!r}; there are {', '.join(BY_NAME)}.")
    return BY_NAME[name]


def _stored(name: str) -> ListKind:
    """Give the kind that stored options call by this name, or what stands in for it. Raises as `kind_named`."""
    return next((kind for kind in STAND_INS.values() if kind.option == name), None) or kind_named(name)


def _usual_of_seeds() -> tuple[str, ...]:
    return tuple(name for rule in RULES.values() for name in rule.seed_read)
