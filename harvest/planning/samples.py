"""Where a sample that is to end early may end (`--until-new`): nobody knows, so at any of its marks alike. Pure."""

from __future__ import annotations

from collections.abc import Iterator
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
    """Count the people listed around the seeds, as far as their lists say it; 0 where they do not."""
    tracks = outlook.rounds[0].get("track", Group(()))
    return sum(listed.claim or listed.least for visit in tracks.visits for listed in visit.values())


def _cut(outlook: Outlook, mark: int) -> Outlook:
    """Leave out who is drawn beyond a mark around the seeds, of those who are known."""
    return replace(outlook, rounds=list(_rounds(outlook, mark)))


def _rounds(outlook: Outlook, mark: int) -> Iterator[dict[str, Group]]:
    for number, groups in enumerate(outlook.rounds):
        cut = {"user": replace(groups["user"], visits=groups["user"].visits[:mark])} if "user" in groups else {}
        yield {**groups, **(cut if number == 1 else {})}
