"""One harvest in rounds: what each visits, and the people and things that the lists of a round lead to.

Rules:

1. Round 0 visits the seeds, in the order in which they were given, at depth 0. When all lists of a round have ended,
   what they say chooses the next round. Depth rises by one whenever people are chosen.
2. A track leads to people: likers in list order, then reposters, then commenters, each once; `max_users` of them, by
   the order of the harvest. Other orders than `newest` take the same people by lot (BLAKE2b of `seed:user`, eight
   bytes, smallest first), by most followers, or by fewest; unknown numbers last, ties by lower id.
3. All people visited so far lead together to the tracks that most of them name in the lists of `via`, a person
   counting once per track, ties by lower id; `max_tracks` of them per round. By followings and followers they lead
   likewise to people, `max_users` of them in all. By the playlists they made, like or reposted they lead to playlists,
   `max_playlists` per round, however deep they are: opening these takes no step.
4. A playlist leads to its tracks in order; the playlists of a round to `max_tracks` together. So do stations and
   searches; those for playlists to `max_playlists`, those for people as a track to its likers.
5. What is visited already is not visited again; among the people of a track, and the first tracks of a playlist, it
   counts towards the bound. A person chosen by several is chosen by the first.
6. Other options choose everything again. What was visited before and is not chosen any more is asked for nothing new;
   only what is cut of its lists goes on, where a cap was raised.
7. With `until_new`, people are drawn around the seeds 50 by 50: when those drawn have been read, and less than that
   share of what the next person likes would be new around each seed (`truth/novelty.py`), or all are read, no more
   are drawn.
8. People drawn around a track by lot have the chance n / N; where all were taken it is 1, else it is unknown. Of the
   people that an order other than by lot leaves out around a seed, `control` come behind the chosen ones, by lot: their
   chance is that number over all who are left out, and the others' is 1.
9. A walk draws people around the seeds by lot. From depth 1 on each person leads to one track of those that the lists
   of `via` name, each track to one person of those whose list of `via` it stands in, smallest BLAKE2b of
   `seed:from:to` first; what is visited is passed over, and those who come to the same place go on as one, in the place
   of the first. Over followings and followers people lead to people likewise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from math import inf

from harvest.simulator.truth.content import Content, Visit
from harvest.simulator.truth.novelty import is_little
from harvest.simulator.truth.options import LISTS, TruthOptions

Thing = tuple[str, int]
_AROUND_TRACKS = ["likers", "reposters", "comments"]
_BY_LOT = ("random", "walk")
_BACK = {"likes": "likers", "reposts": "reposters"}


def _lot(*numbers: int) -> bytes:
    return blake2b(b":".join(b"%d" % n for n in numbers), digest_size=8).digest()


class Rounds:
    """The rounds of one harvest."""

    def __init__(self, seeds: Iterable[Thing], content: Content) -> None:
        self.options = TruthOptions()
        self.visits: dict[Thing, Visit] = {}
        self._seeds = tuple(seeds)
        self._content = content
        self._number = -1
        self._mark: int | None = None
        self._earlier: dict[Thing, Visit] = {}

    @property
    def tracks(self) -> list[int]:
        """Return the seeds that are tracks."""
        return [thing_id for thing, thing_id in self._seeds if thing == "track"]

    def begin(self, options: TruthOptions) -> None:
        """Take these options from now on."""
        if self.options == options:
            return
        self.options = options
        self._earlier |= self.visits
        self.visits, self._number = {}, -1
        self._mark = 50 if options.until_new is not None and options.order == "random" else None
        for visit in self._earlier.values():
            for line in self._lists(visit):
                if self._content.is_read(*line[:2]):
                    self._content.want(*line)

    def advance(self) -> bool:
        """Go to the next round that has anything to read, and want its lists; False when there is none."""
        while True:
            if self._number == 1 and self._draws_on():
                self._number = 0
                self.visits = {thing: visit for thing, visit in self.visits.items() if visit.round == 0}
            chosen = self._chosen() if self._number >= 0 else self._first()
            self._number += 1
            if not chosen:
                return False
            self.visits.update(chosen)
            wanted = [self._content.want(*line) for visit in chosen.values() for line in self._lists(visit)]
            if any(wanted):
                return True

    def _draws_on(self) -> bool:
        """Say whether more people are to be drawn around the seeds; then the mark up to which lies further."""
        mark = self._mark
        if mark is None or mark >= self.options.max_users:
            return False
        read = self.options.reads("user")
        for track in (visit for visit in self.visits.values() if visit.round == 0 and visit.thing == "track"):
            people = self._in_order(self._named(track, _AROUND_TRACKS))
            likes = [self._content.listed("user_likes", p, read["likes"]) for p in people[:mark] if "likes" in read]
            if len(people) > mark and not is_little(likes, len(people), self.options.until_new or 0):
                self._mark = mark + 50
                return True
        return False

    def _first(self) -> dict[Thing, Visit]:
        return {seed: Visit(0, *seed, place, 0) for place, seed in enumerate(self._seeds)}

    def _lists(self, visit: Visit) -> Iterator[tuple[str, int, int]]:
        """Yield kind, subject and cap of the lists that a visit reads."""
        for name, cap in self.options.reads(visit.thing, seed=visit.round == 0).items():
            yield LISTS[name].kind, visit.id, cap

    def _chosen(self) -> dict[Thing, Visit]:
        """Return what this round leads to, what is visited already left out; the first choice of a thing counts."""
        chosen: dict[Thing, Visit] = {}
        for visit in (
            *self._from_lists(self._leading("playlist"), "playlist-tracks"),
            *self._from_lists(self._leading("search_for_playlists"), "found-playlists", "playlist"),
            *self._from_lists(self._leading("search_for_tracks"), "found-tracks"),
            *self._to_people(self._leading("search_for_users"), ["found-users"]),
            *self._from_lists(self._leading("station"), "station-tracks"),
            *self._to_people(self._leading("track", self._ends), _AROUND_TRACKS),
            *self._from_people("track", self._leading("user", self._ends)),
            *self._from_people("user", self._leading("user", self._ends)),
            *self._steps(),
            *self._opened(),
        ):
            if (visit.thing, visit.id) not in self.visits:
                chosen.setdefault((visit.thing, visit.id), visit)
        return chosen

    @property
    def _ends(self) -> float:
        """Return the depth from which on steps are taken, and nothing else leads on."""
        return 1 if self.options.order == "walk" else inf

    def _leading(self, thing: str, ends: float = inf) -> list[Visit]:
        """Return the visits of this round that are not as deep yet as the harvest goes, or as that, in order."""
        deepest = min(self.options.deepest(thing), ends)
        found = (v for v in self.visits.values() if v.thing == thing and v.round == self._number and v.depth < deepest)
        return sorted(found, key=lambda visit: (visit.place, visit.id))

    def _named(self, visit: Visit, names: Iterable[str]) -> dict[int, None]:
        """Return what some lists of a thing name, each once, in order."""
        reads = self.options.reads(visit.thing, seed=visit.round == 0)
        lists = [(LISTS[name].kind, visit.id, reads[name]) for name in names if name in reads]
        return dict.fromkeys(item for line in lists for item in self._content.listed(*line))

    def _steps(self) -> Iterator[Visit]:
        """Return where the walkers of this round go, one step each."""
        if self.options.order != "walk":
            return
        for thing in ("track", "user"):
            beyond = [visit for visit in self._leading(thing) if visit.depth > 0]
            ways = [("user", _BACK)] if thing == "track" else [("track", None), ("user", None)]
            for to, back in ways:
                if not self.options.goes_to(to):
                    continue
                names = self.options.leads(to) if back is None else [back[n] for n in self.options.via if n in back]
                taken: set[int] = set()
                for turn, visit in enumerate(beyond):
                    there = [item for item in self._named(visit, names) if (to, item) not in self.visits]
                    if there:
                        item = min(there, key=lambda one: (_lot(self.options.sample_seed, visit.id, one), one))
                        if item not in taken:
                            taken.add(item)
                            yield Visit(self._number + 1, to, item, turn, visit.depth + (to == "user"))

    def _from_lists(self, things: Sequence[Visit], name: str, to: str = "track") -> Iterator[Visit]:
        if not self.options.goes_to(to):
            return
        room = self.options.max_tracks if to == "track" else self.options.max_playlists
        taken: set[int] = set()
        for visit in things:
            for place, item in enumerate(list(self._named(visit, [name]))[:room]):
                if item not in taken and (to, item) not in self.visits and len(taken) < room:
                    taken.add(item)
                    yield Visit(self._number + 1, to, item, place, visit.depth)

    def _to_people(self, things: Sequence[Visit], names: list[str]) -> Iterator[Visit]:
        if not self.options.goes_to("user"):
            return
        most = self.options.max_users
        if names == _AROUND_TRACKS and self._number == 0 and self._mark is not None:
            most = min(most, self._mark)
        for visit in things:
            people = self._in_order(self._named(visit, names))
            drawn = most / len(people) if people and self.options.order in _BY_LOT else None
            others: list[int] = []
            if names == _AROUND_TRACKS and self._number == 0 and self.options.order not in _BY_LOT:
                others = self._by_lot(people[most:])[: self.options.control]
            sure = len(people) <= most + len(others)
            for place, person in enumerate([*people[:most], *others]):
                of_rest = len(others) / (len(people) - most) if place >= most else 1.0
                chance = 1.0 if sure else of_rest if others else drawn
                yield Visit(self._number + 1, "user", person, place, visit.depth + 1, chance)

    def _from_people(self, thing: str, leading: Sequence[Visit]) -> Iterator[Visit]:
        names = self.options.leads(thing)
        if not leading or not names or not self.options.goes_to(thing):
            return
        deepest = self.options.deepest("user")
        voters = [visit for visit in self.visits.values() if visit.thing == "user" and visit.depth < deepest]
        votes = Counter(item for visit in voters for item in self._named(visit, names))
        best = sorted(
            (item for item in votes if (thing, item) not in self.visits), key=lambda item: (-votes[item], item)
        )
        depth = max(visit.depth for visit in leading) + (thing == "user")
        for place, item in enumerate(best[: self._room(thing)]):
            yield Visit(self._number + 1, thing, item, place, depth)

    def _opened(self) -> Iterator[Visit]:
        people = [visit for visit in self.visits.values() if visit.thing == "user"]
        now = [visit.depth for visit in people if visit.round == self._number]
        if not now or not self.options.goes_to("playlist"):
            return
        names = ("playlists", "liked-playlists", "reposted-playlists")
        votes = Counter(item for visit in people for item in self._named(visit, names))
        best = sorted(
            (item for item in votes if ("playlist", item) not in self.visits), key=lambda item: (-votes[item], item)
        )
        for place, item in enumerate(best[: self.options.max_playlists]):
            yield Visit(self._number + 1, "playlist", item, place, max(now))

    def _room(self, thing: str) -> int:
        """Return how many things people may lead to now."""
        if thing == "track":
            return self.options.max_tracks
        followed = sum(visit.thing == "user" and visit.round > 0 for visit in self.visits.values())
        return max(0, self.options.max_users - followed)

    def _by_lot(self, people: Iterable[int]) -> list[int]:
        return sorted(people, key=lambda p: (_lot(self.options.sample_seed, p), p))

    def _in_order(self, people: Iterable[int]) -> list[int]:
        """Put the people of a track into the order in which they are followed."""
        order = self.options.order
        if order == "newest":
            return list(people)
        if order in _BY_LOT:
            return self._by_lot(people)
        sign = -1 if order == "popular" else 1
        fame = {person: self._content.truth.users[person]["followers_count"] for person in people}
        return sorted(fame, key=lambda p: (fame[p] is None, sign * (fame[p] or 0), p))
