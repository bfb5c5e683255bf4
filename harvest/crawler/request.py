"""What is asked for: options given now, over those a file remembers, over the usual ones. The one place that says so.

A command is one harvest of all its seeds, known by the set of them; going on takes every harvest that is not done. What
the command line, the environment and Python call options is the same, and so is what is said of a bad one.

In: a path, addresses, options as they were given. Out: a Request. Never: a request to the service, a row.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harvest.crawler.bounds import Bounds, bounds, seconds_of
from harvest.crawler.engine import MAX_IN_FLIGHT
from harvest.crawler.recipes import OF_TRACKS_ALONE, in_order, parse_caps, parse_recipe, parse_via
from harvest.errors import SettingsError
from harvest.lists import BY_NAME
from harvest.models import BY_LOT, DEEPEST, LONGEST_DELAY, MOST, ORDERS, Limits
from harvest.profiles import LEVELS, USUAL
from harvest.rules import RULES
from harvest.store import absent, harvests, history, journal, levels, lookups, readings, refreshes, sweeps
from harvest.store.database import open_if_begun, open_to_read
from harvest.store.refreshes import Refresh
from harvest.store.sweeps import ALL_SHOWN, PARTS, Sweep
from harvest.system.shares import parse_share

_USUAL = Limits()
_PLAIN = (
    "max_users",
    "max_user_likes",
    "max_listed",
    "max_tracks",
    "max_playlists",
    "depth",
    "order",
    "sample_seed",
    "control",
)
_ANY = Limits(order="random")  # beside which an option is no contradiction yet
_USUAL_OF_SEEDS = [name for rule in RULES.values() for name in rule.seed_read]
_NUMBERS = {  # least and most
    "max_users": (0, MOST),
    "max_user_likes": (1, MOST),
    "max_listed": (1, MOST),
    "max_tracks": (1, MOST),
    "max_playlists": (0, MOST),
    "depth": (0, DEEPEST),
    "sample": (1, MOST),
    "sample_seed": (0, MOST),
    "control": (0, MOST),
    "delay": (0, LONGEST_DELAY),
    "concurrency": (1, 256),
    "page_size": (1, 200),
}
_SEVERAL = {  # bounds that stand for the caps of these lists
    "max_user_likes": ("likes",),
    "max_listed": ("likers", "reposters"),
}
_UNBOUNDED: dict[str, Any] = {
    **{one.name: MOST for one in fields(Limits) if one.name.startswith("max_")},
    "caps": tuple((name, MOST) for name in BY_NAME if not any(name in several for several in _SEVERAL.values())),
}
FOR_EVER = "forever"
_SOON = 0.8  # of the time for which things are kept: from then on they are about to expire
_OF_THE_FILE = ("keep_replies", "profiles", "retain")  # remembered whatever is crawled into it
_WORDS = {"order": ORDERS, "profiles": LEVELS}


@dataclass(frozen=True, slots=True)
class AskingOptions:
    """How is asked and what of people and things is kept; stored with each run."""

    delay: float = 0.5  # seconds between the starts of two requests
    concurrency: int | None = None  # requests in flight at most
    page_size: int = 200
    profiles: str = USUAL
    keep_replies: bool = False  # beside the file
    retain: str | None = None  # for how long what was shown is kept, as it was typed; None: for ever

    @property
    def max_in_flight(self) -> int:
        """Requests in flight at most."""
        return self.concurrency or MAX_IN_FLIGHT


@dataclass(frozen=True, slots=True)
class CrawlRequest:
    """What to crawl into which file: harvests as (addresses, limits), conditions, bounds of this run, a sweep, and the
    hash of the plan that is followed.
    """

    path: Path
    harvests: tuple[tuple[tuple[str, ...], Limits], ...]
    conditions: AskingOptions
    budget: Bounds = field(default_factory=Bounds)
    sweep: Sweep | None = None
    refresh: Refresh | None = None
    plan: str | None = None

    @property
    def addresses(self) -> list[str]:
        """The addresses of all harvests, each once."""
        return list(dict.fromkeys(address for addresses, _ in self.harvests for address in addresses))

    def options(self) -> dict[str, Any]:
        """Give what is stored with the run."""
        budget = self.budget.dump()
        plan = {"plan": self.plan} if self.plan else {}
        return {**asdict(self.conditions), **({"budget": budget} if budget else {}), **plan}


def parse_retention(value: str | float | None) -> float | None:
    """Read for how many seconds is kept what was shown, None for ever: 30d, or `forever`. Raises SettingsError."""
    return None if value == FOR_EVER else seconds_of("--retain", value)


def to_crawl(path: Path, addresses: Sequence[str], given: Mapping[str, Any]) -> CrawlRequest:
    """Ask for the harvest of these addresses. Raises SettingsError for an option that makes no sense, StoreError."""
    wanted = tuple(dict.fromkeys(addresses))
    _check(given)
    with open_if_begun(path) as connection:
        stored = harvests.stored_limits(connection, wanted) if connection else None
        last = _last_conditions(connection) if connection else {}
        if not stored:  # these seeds are new: of the file itself alone something is remembered
            last = {name: last[name] for name in _OF_THE_FILE if name in last}
    return _request(path, [(wanted, stored or _USUAL)], given, last)


def to_go_on(path: Path, given: Mapping[str, Any]) -> CrawlRequest:
    """Ask for every harvest of a file that is not done, each with its own options but for those given now.

    Raises SettingsError, and StoreError where there is no file.
    """
    _check(given)
    with open_to_read(path) as connection:
        stored = harvests.unfinished(connection)
        last = _last_conditions(connection)
    return _request(path, stored, given, last)


def to_count(path: Path, given: Mapping[str, Any]) -> CrawlRequest:
    """Ask for look-ups alone, `of` a part of what the file knows, or of what is `older_than` a length of time.

    The conditions are those of the last run but for those given now. Raises SettingsError, and StoreError where there
    is no file.
    """
    request = _without_harvests(path, given)
    of = given.get("of") or Sweep().of
    if of not in (*PARTS, ALL_SHOWN):
        raise SettingsError(f"{_flag('of')} is one of {', '.join(PARTS)}, not {of!r}.")
    age = seconds_of("--older-than", given.get("older_than"))
    return replace(request, sweep=Sweep(of, age, request.conditions.profiles))


def to_hydrate(path: Path, given: Mapping[str, Any]) -> CrawlRequest:
    """Ask for the look-ups that a file waits for which was made of a dehydrated folder, and keep what they show: as
    much as is asked for, else as before, and the usual where that was nothing.

    Raises SettingsError, and StoreError where there is no file.
    """
    request = _without_harvests(path, given)
    if given.get("profiles") is None and request.conditions.profiles == "none":
        request = replace(request, conditions=replace(request.conditions, profiles=USUAL))
    return request


def to_refresh(path: Path, given: Mapping[str, Any]) -> CrawlRequest:
    """Ask for lists to be read again: `full` all of them, `read` these alone, also those `older_than` a length of time.

    The conditions are those of the last run but for those given now. Raises SettingsError, and StoreError where there
    is no file.
    """
    request = _without_harvests(path, given)
    read = parse_recipe(given["read"], usual=list(BY_NAME)).names if given.get("read") is not None else ()
    age = seconds_of("--older-than", given.get("older_than"))
    return replace(request, refresh=Refresh(bool(given.get("full")), age, read))


def to_tend(path: Path, addresses: Sequence[str], given: Mapping[str, Any]) -> CrawlRequest:
    """Ask for everything that keeps a file true: harvests that are not done go on, that of these addresses is begun
    where it is new, and lists are read again. Raises SettingsError, StoreError.
    """
    _check(given)
    wanted = tuple(dict.fromkeys(addresses))
    with open_if_begun(path) if wanted else open_to_read(path) as connection:
        stored = harvests.unfinished(connection) if connection else []
        if wanted and wanted not in [of for of, _ in stored]:
            stored.append((wanted, (harvests.stored_limits(connection, wanted) if connection else None) or _USUAL))
        last = _last_conditions(connection) if connection else {}
    request = _request(path, stored, given, last)
    ages = [seconds_of("--older-than", given.get("older_than"))]
    kept = parse_retention(request.conditions.retain)
    ages.append(None if kept is None else _SOON * kept)  # what is about to expire is read again first
    older_than = min((age for age in ages if age is not None), default=None)
    return replace(request, refresh=Refresh(older_than=older_than))


def is_drained(request: CrawlRequest) -> bool:
    """Say whether nothing is left to do: every harvest is done, with these very options, nothing is to be looked up
    or read again, and replies are kept as long as they are to be.
    """
    with open_if_begun(request.path) as connection:
        if connection is None or lookups.are_open(connection):
            return False
        if levels.is_above(connection, request.conditions.profiles):
            return False
        if journal.is_kept(connection) and not request.conditions.keep_replies:
            return False
        if readings.are_open(connection) or history.is_pending(connection):
            return False
        if request.refresh or refreshes.is_open(connection):
            return False
        if request.sweep and any(sweeps.due(connection, request.sweep, datetime.now(UTC)).values()):
            return False
        return all(
            harvests.is_drained(connection, addresses, limits, profiles=request.conditions.profiles)
            for addresses, limits in request.harvests
        )


def limits_of(given: Mapping[str, Any], stored: Limits) -> Limits:
    """Put the options given now over the stored ones; a bound given beside `everything` is one all the same.

    Raises SettingsError where they contradict each other.
    """
    if given.get("everything"):
        stored = replace(stored, **_UNBOUNDED)
    changes: dict[str, Any] = {name: given[name] for name in _PLAIN if given.get(name) is not None}
    changes.update(_sampled(given))
    changes.update(_bounded(given, stored))
    changes.update(_read(given, stored))
    order = str(changes.get("order", stored.order))
    changes.update(_until_new(given, stored, order))
    changes.update(_control(given, order))
    return replace(stored, **changes)


def _without_harvests(path: Path, given: Mapping[str, Any]) -> CrawlRequest:
    """Ask a file that is there for nothing yet, under the conditions of its last run but for those given now."""
    _check(given)
    with open_to_read(path) as connection:
        last = _last_conditions(connection)
    return _request(path, (), given, last)


def _last_conditions(connection: sqlite3.Connection) -> dict[str, Any]:
    """Give what a file remembers: the conditions of the last run, and whether replies are kept.

    Raises PluginError where it cannot be crawled on.
    """
    absent.check(connection)
    return {**harvests.last_conditions(connection), "keep_replies": journal.is_kept(connection)}


def _request(
    path: Path, stored: Sequence[tuple[tuple[str, ...], Limits]], given: Mapping[str, Any], last: Mapping[str, Any]
) -> CrawlRequest:
    names = [one.name for one in fields(AskingOptions)]
    kept = {name: last[name] for name in names if name in last}
    now = {name: given[name] for name in names if given.get(name) is not None}
    conditions = AskingOptions(**{**kept, **now})
    if parse_retention(conditions.retain) is None:
        conditions = replace(conditions, retain=None)
    if conditions.profiles == "none" and conditions.keep_replies:
        raise SettingsError("Replies hold what --profiles none leaves out: add --no-keep-replies, or leave it out.")
    return CrawlRequest(
        path=path,
        harvests=tuple((addresses, limits_of(given, limits)) for addresses, limits in stored),
        conditions=conditions,
        budget=bounds(given, last.get("budget")),
    )


def _sampled(given: Mapping[str, Any]) -> dict[str, Any]:
    """A sample is a bound and an order."""
    sample = given.get("sample")
    if sample is None:
        return {}
    if given.get("order") not in (None, "random"):
        raise SettingsError(f"--sample draws at random: leave out --order {given['order']}.")
    if given.get("max_users") not in (None, sample):
        raise SettingsError(f"--sample {sample} follows so many: leave out --max-users {given['max_users']}.")
    return {"order": "random", "max_users": sample}


def _until_new(given: Mapping[str, Any], stored: Limits, order: str) -> dict[str, Any]:
    """What ends a sample early is dropped with the sample; 0 ends none."""
    if given.get("until_new") is None:
        return {"until_new": stored.until_new if order == "random" else None}
    try:
        share = parse_share(given["until_new"])
    except ValueError as error:
        raise SettingsError(f"--until-new: {error}.") from None
    if share and order != "random":
        raise SettingsError("--until-new judges people who are drawn by lot: add --sample N, or --order random.")
    return {"until_new": share or None}


def _control(given: Mapping[str, Any], order: str) -> dict[str, Any]:
    """A control sample is dropped where all are drawn by lot, and refused where both are asked for."""
    if order not in BY_LOT:
        return {}
    if given.get("control"):
        raise SettingsError(
            f"--order {order} already draws at random: leave out --control, which adds a random sample to a rule."
        )
    return {"control": 0}


def _bounded(given: Mapping[str, Any], stored: Limits) -> dict[str, Any]:
    """Caps of single lists: what is given now for one list counts, then what is for several, then what is stored."""
    now = parse_caps(given["cap"]) if given.get("cap") else {}
    caps = dict(stored.caps)
    if given.get("max_listed") is not None:
        caps = {name: most for name, most in caps.items() if name not in _SEVERAL["max_listed"]}
    likes = {"max_user_likes": now.pop("likes")} if "likes" in now else {}
    caps.update(now)
    return {**likes, "caps": tuple((name, caps[name]) for name in in_order(caps))}


def _read(given: Mapping[str, Any], stored: Limits) -> dict[str, Any]:
    """Which lists are read, resolved: the recipe holds what `--via` needs; the usual way on is one if it is read."""
    read, without = stored.read, stored.without
    if given.get("read") is not None:
        read, without = parse_recipe(given["read"], usual=_USUAL.read)
    seed_read = stored.seed_read
    if given.get("seed_read") is not None:
        seed_read = parse_recipe(given["seed_read"], usual=_USUAL_OF_SEEDS).names
        without = tuple(name for name in without if name not in seed_read)
    if given.get("via") is not None:
        via = parse_via(given["via"])
        refused = [name for name in via if name in without]
        if refused:
            raise SettingsError(f"--via {','.join(via)} reads {', '.join(refused)}: leave out -{refused[0]}.")
    elif given.get("depth") and given.get("read") is None and _one_list(stored):
        via = _USUAL.via
    elif set(stored.via) <= set(_USUAL.via):
        via = tuple(name for name in _USUAL.via if name in read)
    else:
        via = tuple(name for name in stored.via if name not in without)
    return {"read": in_order((*read, *via)), "without": without, "seed_read": seed_read, "via": via}


def _one_list(stored: Limits) -> bool:
    """Say whether the page of one list of a person was all that was asked for, which leads nowhere."""
    return stored.seed_read is not None and stored.read == OF_TRACKS_ALONE and not stored.via


def _check(given: Mapping[str, Any]) -> None:
    """Refuse what no crawl can be told. Raises SettingsError."""
    for name, (least, most) in _NUMBERS.items():
        value = given.get(name)
        if value is None:
            continue
        kinds = (int, float) if name == "delay" else (int,)
        if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most or math.isnan(value):
            raise SettingsError(f"{_flag(name)} must be a number from {least} to {most:,.0f}, not {value!r}.")
    for name, words in _WORDS.items():
        if given.get(name) is not None and given[name] not in words:
            raise SettingsError(f"{_flag(name)} is one of {', '.join(words)}, not {given[name]!r}.")
    limits_of(given, _USUAL if given.get("control") else _ANY)
    bounds(given, {"total": True, "max_requests": 1})


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
