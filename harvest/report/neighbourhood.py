"""Gather what lies around a seed: the tracks that most people who like it like as well, and the groups among them.

In: a connection opened to read. Out: a Neighbourhood for each seed. Never: more than PEOPLE people's likes looked
through for the groups, so that a large file takes no longer than a small one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvest.analysis.methods import COMMUNITIES
from harvest.analysis.quality import quality
from harvest.analysis.run import check_extra
from harvest.errors import ExtraMissing
from harvest.report.rows import NearTrack, SeedRow
from harvest.report.statements import query

if TYPE_CHECKING:
    from harvest.analysis.groups import Grouped

DOTS = 300  # tracks drawn around a seed; more of them cannot be told apart
LEAST_COMMON = 3  # people who like both of two that are joined: one or two may be chance
PEOPLE = 2_000  # whose likes are compared; more of them change little


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The tracks around one seed. `people` of `listed` like it and had their likes read; `near` count among them.

    `groups` says where those of `near` stand that are joined to another one; None where none is, or where
    `extra_missing`: what compares them is not installed. `as_analysed`: the communities are those of `harvest analyze`.
    """

    seed: SeedRow
    people: int
    listed: int
    near: list[NearTrack]
    groups: Grouped | None
    as_analysed: bool
    extra_missing: bool


def neighbourhood(connection: sqlite3.Connection, seed: SeedRow) -> Neighbourhood | None:
    """Give what lies around a seed track, None where the likes of none of its likers were read."""
    people, listed = connection.execute(query("readers_of_seed"), {"seed": seed.seed_id}).fetchone()
    (readers,) = connection.execute(query("readers")).fetchone()
    near = list(_near(connection, seed, of_most=2 * people > readers))
    if not near:
        return None
    given = _given(connection, near)
    try:
        check_extra()
    except ExtraMissing:
        return Neighbourhood(seed, people, listed, near, None, as_analysed=False, extra_missing=True)
    from harvest.analysis.groups import grouped  # needs the extra, and half a second

    tracks = [track.track_id for track in near]
    wanted = {"seed": seed.seed_id, "tracks": json.dumps(tracks), "people": PEOPLE}
    likes = connection.execute(query("likes_of_fans"), wanted).fetchall()
    groups = grouped(tracks, [track.common for track in near], likes, LEAST_COMMON, given)
    return Neighbourhood(seed, people, listed, near, groups, as_analysed=given is not None, extra_missing=False)


def _near(connection: sqlite3.Connection, seed: SeedRow, *, of_most: bool) -> Iterator[NearTrack]:
    """Give the nearest tracks; both ways give the same, the one by what those like who do not like the seed."""
    which = query("near_of_most" if of_most else "near")
    return (NearTrack(*row) for row in connection.execute(which, {"seed": seed.seed_id, "rows": DOTS}))


def _given(connection: sqlite3.Connection, near: list[NearTrack]) -> dict[int, int] | None:
    """Give the communities that stand in the file, None where there are none of the file as it is."""
    found = quality(connection, COMMUNITIES[0])
    if found is None or not found.current:
        return None
    tracks = json.dumps([track.track_id for track in near])
    return dict(connection.execute(query("given_communities"), {"tracks": tracks}).fetchall()) or None
