"""Ask something else before a list is blamed for what the service does (verdicts.py has the rules).

A refusal that may be one of a whole kind of list, or of the app, is written down only when it is known to be neither:
a list of that kind was answered that was asked for later, or asking something else has told. Until then the list counts
as being read, so that a kill forgets it and the next run asks again.

In: what lists came back with. Out: verdicts in the file, or the error that ends the crawl. Never: SQL of its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from harvest.client.client import Client
from harvest.crawler.verdicts import MANY, Verdict, alike, in_doubt, is_outage, is_plain, speaks_of_a_kind, who
from harvest.errors import ApiError, AppRefused, Blocked, Forbidden, PermanentError, Withdrawn
from harvest.lists import KINDS, RESOLVE
from harvest.models import Task
from harvest.store.doubts import Emptied
from harvest.things import THINGS

_CONTROLS = 3  # lists or things asked at most: one may be gone by now
_OTHERS = 2  # kinds of lists asked at most of a thing: one may be withdrawn as well


def _end_of(kind: str, error: ApiError) -> Withdrawn:
    """Return what is wrong with a kind of list where this is what each of its lists is refused with."""
    said = str(error).removesuffix(".")
    return Withdrawn(
        f"No list of {KINDS[kind].title} is answered any more: {said}.", status=error.status, reply=error.reply
    )


@dataclass(frozen=True, slots=True)
class Refused:
    """A list that was refused, and when in the order of all that was asked."""

    task: Task
    error: ApiError
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Docket:
    """What the judge asks of the store, and has written."""

    answered_before: Callable[[str, int], Sequence[Task]]
    emptied: Callable[[], Sequence[Emptied]]
    put_back_empty: Callable[[str], int]
    withdraw: Callable[[Withdrawn, Collection[Task]], None]
    refused_before: Callable[[], Iterable[tuple[Task, int, str]]]
    withdrawn_before: Callable[[], Iterable[tuple[str, int, str]]]
    take_back: Callable[[Callable[[int, str], bool]], None]


class Judge:
    """Clears up what is in doubt, one matter after the other."""

    def __init__(self, client: Client, docket: Docket) -> None:
        self._client = client
        self._docket = docket
        self._cleared: Counter[str] = Counter()
        self._refused: defaultdict[str, list[Refused]] = defaultdict(list)
        self._believed: defaultdict[str, dict[int, tuple[Task, int, str]]] = defaultdict(dict)
        for task, status, message in docket.refused_before():
            self._believed[task.kind][task.id] = task, status, message
        self._withdrawn: dict[str, Withdrawn] = {}
        self._withdrawn_before = {kind: alike(status, said) for kind, status, said in docket.withdrawn_before()}
        self._is_refused = False
        self._turn = 0
        self._heard = 0
        self._asking = asyncio.Lock()

    @property
    def in_doubt(self) -> bool:
        """Whether something has to be asked before the round may end."""
        return any(self._refused.values()) or bool(self._doubtful())

    @property
    def is_asking(self) -> bool:
        """Whether it is being found out who is to blame: nothing new should be asked meanwhile."""
        return self._asking.locked()

    def turn(self) -> int:
        """Give the number of a request that is about to be made."""
        self._turn += 1
        return self._turn

    def take_open(self, *, at_a_bound: bool) -> tuple[list[Refused], list[Refused]]:
        """Return, at the end of a crawl, the lists that are believed to be refused, and those to be asked for again.

        At a bound of our own they are believed, or a small bound would never get past them. Where MANY are alike, so
        that something else was to be asked, one of them stays open: the next run begins with it, and asks. If the
        whole run went by over that one, it is believed as well.
        """
        found = [one for refused in self._refused.values() for one in refused]
        self._refused.clear()
        if not at_a_bound:
            return [], found
        groups: defaultdict[tuple[str, tuple[int, str]], list[Refused]] = defaultdict(list)
        for one in found:
            groups[one.task.kind, alike(one.error.status, str(one.error))].append(one)
        open_ones = [
            same[-1]
            for (kind, like), same in groups.items()
            if self._heard > 1 and len({one.task.id for one in same} | self._alike_before(kind, like).keys()) >= MANY
        ]
        return [one for one in found if one not in open_ones], open_ones

    def answered(self, kind: str, turn: int) -> list[Refused]:
        """Hear that a list was answered; give the refused ones of its kind that are to blame themselves."""
        self._heard += 1
        self._believed.pop(kind, None)
        self._withdrawn_before.pop(kind, None)
        refused = self._refused[kind]
        if not refused:
            return []
        self._refused[kind] = [one for one in refused if one.turn > turn]
        return [one for one in refused if one.turn <= turn]

    async def weigh(self, task: Task, error: ApiError) -> list[Refused]:
        """Hear that a list failed; give the lists that have failed for good. Raises AppRefused."""
        self._heard += 1
        this = Refused(task, error, self.turn())
        if not speaks_of_a_kind(error):
            return [this]
        kind = task.kind
        if KINDS[kind].looks_up:
            await self._ask_for_the_app(error)
            return [this]
        self._refused[kind].append(this)
        async with self._asking:
            if self._is_refused:
                return []
            end = _end_of(kind, error)
            if self._withdrawn_before.get(kind) == alike(end.status, str(end)):
                self._withdrawn.setdefault(kind, end)
            if kind in self._withdrawn:
                self._withdraw(kind, self._withdrawn[kind])
                return []
            return await self._clear_up(kind, error)

    async def close_the_round(self) -> list[Refused]:
        """Clear up all that is in doubt; give the lists that have failed for good.

        Raises AppRefused, and Blocked where lists came back empty and the service is to blame.
        """
        failed: list[Refused] = []
        for kind in [kind for kind, refused in self._refused.items() if refused]:
            while self._refused[kind]:
                failed += await self._clear_up(kind, self._refused[kind][0].error, last=True)
        for seen in self._doubtful():
            if is_outage(seen, await self._still_answers(seen.kind)):
                lists = self._docket.put_back_empty(seen.kind)
                raise Blocked(
                    f"SoundCloud answers {lists:,} lists of {KINDS[seen.kind].title} with nothing, against what it"
                    " claims: an outage. They are to be read again: run `harvest resume` later."
                )
            self._cleared[seen.kind] = seen.against + seen.hidden
        return failed

    async def seed_refused(self, error: ApiError) -> None:
        """Raise AppRefused where it is not the seed that is refused."""
        if speaks_of_a_kind(error):
            await self._ask_for_the_app(error)

    async def _clear_up(self, kind: str, error: ApiError, *, last: bool = False) -> list[Refused]:
        """Find out who is to blame for the refusals of a kind that are like this one."""
        like = alike(error.status, str(error))
        same = [one for one in self._refused[kind] if alike(one.error.status, str(one.error)) == like]
        before = self._alike_before(kind, like)
        how_many = len({one.task.id for one in same} | before.keys())
        first = len(same) == 1 and is_plain(error)
        if not same or not (last or first or how_many >= MANY):  # none: it was cleared up with another one
            return []
        answers: bool | None = None
        public: ApiError | None = None
        is_open = False
        if error.status != 404 or how_many >= MANY:
            answers = await self._still_answers(kind, error.status, [one.task.subject_id for one in same])
            if not answers and error.status == 403:
                public = await self._client.answers()
            doubted = how_many >= MANY or answers is False
            if doubted and not (answers or isinstance(public, Forbidden) or is_plain(error)):
                is_open = await self._is_any_open([*(one.task for one in same), *before.values()])
        if any(one not in self._refused[kind] for one in same):  # an answer has come meanwhile
            return []
        verdict = who(error, how_many, answers, public, is_open=is_open, last=last)
        if verdict is Verdict.APP:
            self._refuse_the_app(error)
        if verdict is Verdict.KIND:
            self._withdrawn[kind] = _end_of(kind, error)
            self._withdraw(kind, self._withdrawn[kind], before.values())
        if verdict is not Verdict.LISTS:
            return []
        self._refused[kind] = [one for one in self._refused[kind] if one not in same]
        self._believe(same, before, for_good=how_many >= MANY or answers is not None)
        return same

    def _alike_before(self, kind: str, like: tuple[int, str]) -> dict[int, Task]:
        """Give the lists of a kind, by task, that were refused alike and believed, with none answered since."""
        return {
            key: task for key, (task, status, message) in self._believed[kind].items() if alike(status, message) == like
        }

    def _believe(self, same: Sequence[Refused], before: Collection[int], *, for_good: bool) -> None:
        """Remember lists that are blamed because they are few: more may come, in another round or run."""
        believed = self._believed[same[0].task.kind]
        if for_good:
            for task_id in before:
                believed.pop(task_id, None)
        else:
            believed.update({one.task.id: (one.task, one.error.status, str(one.error)) for one in same})

    def _withdraw(self, kind: str, error: Withdrawn, before: Iterable[Task] = ()) -> None:
        self._believed.pop(kind, None)
        if refused := self._refused.pop(kind, []):
            self._docket.withdraw(error, [*(one.task for one in refused), *before])

    async def _ask_for_the_app(self, error: ApiError) -> None:
        if error.status == 403:
            async with self._asking:
                if not self._is_refused and isinstance(await self._client.answers(), Forbidden):
                    self._refuse_the_app(error)

    def _refuse_the_app(self, error: ApiError) -> None:
        """Take back what was written down of people and tracks, and end the crawl."""
        self._is_refused = True
        like = alike(error.status, str(error))
        self._docket.take_back(lambda status, message: alike(status, message) == like)
        raise AppRefused(
            f"SoundCloud refuses this app for every request: {error} No list in the file caused this, and nothing is"
            " lost: check the app and its plan on soundcloud.com/you/apps, then run `harvest resume`."
        )

    def _doubtful(self) -> list[Emptied]:
        return [seen for seen in self._docket.emptied() if in_doubt(seen, self._cleared[seen.kind])]

    async def _still_answers(self, kind: str, refused: int | None = None, but: Collection[int] = ()) -> bool | None:
        """Say whether a list that brought something before is answered now, where others are `refused` with that
        status, or else whether one still brings something; None when nothing can be said.
        """
        said: bool | None = None
        for task in self._docket.answered_before(kind, _CONTROLS + len(but)):
            if task.subject_id in but:
                continue
            try:
                page = await self._client.fetch(task)
            except ApiError as error:
                # With another status it is gone, or there is trouble: another one may be answered.
                if isinstance(error, PermanentError) and error.status == refused:
                    said = False
            else:
                if refused or page.received:
                    return True
                said = False  # people do take all their likes back
        return said

    async def _is_any_open(self, refused: Collection[Task]) -> bool:
        """Say whether one of the things whose lists are refused is shown and shows other lists, in whatever order they
        were refused.

        One is enough, and one that is gone or closed proves nothing: some people always are. A search is always there.
        """
        for task in sorted(refused, key=lambda one: one.subject_id)[:MANY]:
            if KINDS[task.kind].searches or (await self._is_shown(task) and await self._shows_others(task)):
                return True
        return False

    async def _is_shown(self, task: Task) -> bool:
        urn = task.about or f"{THINGS[KINDS[task.kind].subject].urn}{task.subject_id}"
        return await self._is_answered(Task(0, RESOLVE.name, 0, about=urn))

    async def _shows_others(self, task: Task) -> bool:
        """Say whether what this is a list of shows a list of another kind, if possible of one that others show."""
        kinds = [kind for kind in KINDS.values() if kind.subject == KINDS[task.kind].subject and not kind.own]
        others = [kind.name for kind in kinds if kind.name != task.kind]
        others.sort(key=lambda kind: not self._docket.answered_before(kind, 1))
        for kind in others[:_OTHERS]:
            if await self._is_answered(Task(0, kind, task.subject_id, about=task.about)):
                return True
        return not others

    async def _is_answered(self, task: Task) -> bool:
        try:
            await self._client.fetch(task)
        except ApiError:
            return False
        return True
