"""What changed between two moments of a world, and why: told from the lists of both, not from how they were made.

Rules:

1. What a reader of both whole lists finds in the later one alone came; what it finds in the earlier one alone went.
2. Of what went the reason is `gone` where either end is not there at the later moment: the thing whose list it is, what
   is listed, who wrote a comment. Else it is `withdrawn`.
3. What is in both but has another time was done `again`. A list is `moved` where what is in both stands in another
   order, or something not as often.
4. A thing went when it was there before and is not after. One that is there after and was not before is back when it
   had been made by then, else new.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from harvest.simulator.service.objects import objects_of
from harvest.simulator.world.facts import COMMENTS
from harvest.simulator.world.lists import KINDS
from harvest.simulator.world.made_ids import SERVICES
from harvest.simulator.world.world import World

Reason = Literal["withdrawn", "gone"]
_PLACED = ("playlist_tracks", "station_tracks")  # where one thing may stand twice, and the order is its maker's


@dataclass(frozen=True, slots=True)
class ListChange:
    """What changed in one list, by id: `came` in the order of the later list, `went` with its reason in that of the
    earlier one, `again` what was withdrawn and done again, `moved` whether what stayed has another order.
    """

    came: tuple[int, ...] = ()
    went: dict[int, Reason] = field(default_factory=dict)
    again: tuple[int, ...] = ()
    moved: bool = False

    def __bool__(self) -> bool:
        """Say whether anything changed."""
        return bool(self.came or self.went or self.again or self.moved)


@dataclass(frozen=True, slots=True)
class ThingChange:
    """What changed among users, tracks or playlists, by id: `renamed` gives the name or title before and after."""

    went: frozenset[int]
    back: frozenset[int]
    new: frozenset[int]
    renamed: dict[int, tuple[str | None, str | None]]


class Changes:
    """Tells what changed in a world between two moments, the later one second."""

    def __init__(self, before: World, after: World) -> None:
        if before.name != after.name or before.moment > after.moment:
            raise ValueError("these are not two moments of one world, the earlier one first")
        self.before, self.after = before, after
        self._objects = objects_of(before), objects_of(after)

    def of_list(self, kind: str, subject_id: int) -> ListChange:
        """Return what changed in a list; raise KeyError when there has never been such a thing."""
        earlier = self._listing(self.before, kind, subject_id)
        later = self.after.listing(kind, subject_id)
        old, new = dict.fromkeys(earlier), dict.fromkeys(later)
        went = {item: self._reason(kind, subject_id, item) for item in old if item not in new}
        stayed = [item for item in new if item in old]
        again: tuple[int, ...] = ()
        if stayed and kind not in _PLACED:
            before, after = (self._times(world, kind, subject_id) for world in (self.before, self.after))
            again = tuple(item for item in stayed if before[item] != after[item])
        came = tuple(item for item in new if item not in old)
        return ListChange(came, went, again, [i for i in earlier if i in new] != [i for i in later if i in old])

    def of_things(self, thing: str, ids: Iterable[int] | None = None) -> ThingChange:
        """Return what changed among some users, tracks or playlists; among all by default, which takes its time."""
        known = self.after.facts.ids[thing]
        indices = range(known.count) if ids is None else [self.after.index(thing, number) for number in ids]
        was, now = ({i for i in indices if self._there(world, thing, i)} for world in (self.before, self.after))
        came = {known.id(i): self._has_been(thing, i) for i in now - was}
        earlier, later = self._objects
        names = {known.id(i): (earlier.called(thing, i), later.called(thing, i)) for i in was & now}
        return ThingChange(
            frozenset(known.id(i) for i in was - now),
            frozenset(number for number, before in came.items() if before),
            frozenset(number for number, before in came.items() if not before),
            {number: told for number, told in names.items() if told[0] != told[1]},
        )

    def _has_been(self, thing: str, index: int) -> bool:
        """Say whether what was not there before had been made by then."""
        facts = self.after.facts
        if index < facts.ids[thing].first:
            return True
        made = facts.track_created(index) if thing == "track" else facts.playlist_created(index)
        return made <= self.before.now_ms

    def _listing(self, world: World, kind: str, subject_id: int) -> tuple[int, ...]:
        """Return a list as it was, empty where its subject was still to come."""
        known = world.facts.ids[KINDS[kind].subject].index(subject_id)
        return () if known is None else world.listing(kind, subject_id)

    def _times(self, world: World, kind: str, subject_id: int) -> dict[int, int]:
        declared = KINDS[kind]
        entries = world.deeds.entries(kind, world.index(declared.subject, subject_id))
        return {world.id(declared.item, item): time for item, time in zip(entries.items, entries.times, strict=True)}

    def _reason(self, kind: str, subject_id: int, item_id: int) -> Reason:
        declared, world = KINDS[kind], self.after
        ends = [(declared.subject, world.index(declared.subject, subject_id))]
        item = world.index(declared.item, item_id)
        if declared.item == "comment":
            ends += [("user", world.deeds.commenter(item)), ("track", item // COMMENTS)]
        elif declared.item == "link":
            ends.append(("user", item // len(SERVICES)))
        else:
            ends.append((declared.item, item))
        return "withdrawn" if all(self._there(world, thing, index) for thing, index in ends) else "gone"

    def _there(self, world: World, thing: str, index: int) -> bool:
        facts = world.facts
        if index >= facts.ids[thing].count:
            return False
        return facts.station(index) if thing == "station" else facts.there(thing, index)
