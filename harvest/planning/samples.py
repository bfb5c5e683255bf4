"""Where a sample that is to end early may end (`--until-new`): unknown, so at any of its marks alike. Pure."""

from __future__ import annotations

from dataclasses import replace

from harvest.models import Limits
from harvest.planning.outlook import Group, Outlook
from harvest.store.marks import STEP, first

_MOST = 16  # ends that are thought of, evenly spread


def ends(outlook: Outlook, limits: Limits) -> list[tuple[Outlook, Limits]]:
    """Give the harvest as it would be with each of these ends; as it is where nothing ends its sample early."""
    if first(limits) is None:
        return [(outlook, limits)]
    marks = list(range(STEP, min(limits.max_users, _listed(outlook) or limits.max_users), STEP))
    some = [marks[place * len(marks) // _MOST] for place in range(_MOST)] if len(marks) > _MOST else marks
    return [(_cut(outlook, mark), replace(limits, max_users=mark)) for mark in some] + [(outlook, limits)]


def _listed(outlook: Outlook) -> int:
    """Count the people listed around the seed that has most of them, as far as lists say it; 0 where they do not."""
    tracks = outlook.rounds[0].get("track", Group(()))
    return max((sum(one.claim or one.least for one in visit.values()) for visit in tracks.visits), default=0)


def _cut(outlook: Outlook, mark: int) -> Outlook:
    """Leave out who is drawn beyond a mark around each seed, of those who are known; the first of each come first."""
    if len(outlook.rounds) < 2 or "user" not in outlook.rounds[1]:
        return outlook
    seeds, around, *others = outlook.rounds
    n = mark * seeds["track"].n if "track" in seeds else mark
    people = replace(around["user"], visits=around["user"].visits[:n])
    return replace(outlook, rounds=[seeds, {**around, "user": people}, *others])
