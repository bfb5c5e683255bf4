"""What the judge makes of lists that are refused, whatever order they come in and however they are spread over runs."""

import asyncio
from contextlib import suppress
from itertools import permutations
from types import SimpleNamespace

import pytest

from harvest.crawler.judge import Docket, Judge
from harvest.crawler.verdicts import MANY
from harvest.errors import Blocked, Forbidden, Gone, Halted, ServerTrouble
from harvest.models import Task
from harvest.store.doubts import Emptied

PEOPLE = range(1, MANY + 1)
NOT_FOR_YOU = Forbidden("Not allowed (403).", status=403)


class Service:
    """Refuses what people like; shows people who are not `gone` and the other lists of those who are not `closed`.

    It counts what is asked. `lists` says what control lists come back with. While `halted` nothing is asked.
    """

    def __init__(self, gone=(), lists=(), closed=(), halted=False):
        self.lists = dict(lists)
        self.gone = {f"soundcloud:users:{one}" for one in gone}
        self.closed = closed
        self.halted = halted
        self.asked = []

    async def fetch(self, task):
        self.asked.append(task.about or task.subject_id)
        said = self.lists.get(task.subject_id)
        if isinstance(said, int):
            return SimpleNamespace(received=said)
        if said is not None:
            raise said
        if task.kind == "user_likes" or task.about in self.gone:
            raise Gone(status=404)
        if task.subject_id in self.closed:
            raise NOT_FOR_YOU
        return SimpleNamespace(received=0)

    async def answers(self):
        if self.halted:
            raise Halted


def judge(service, before=(), emptied=(), withdrawn_before=()):
    withdrawn = []
    docket = Docket(
        answered_before=lambda kind, most: (
            [Task(person, kind, person) for person in service.lists][:most] if kind == "user_likes" else []
        ),
        emptied=lambda: emptied,
        put_back_empty=lambda kind: 0,
        withdraw=lambda error, tasks: withdrawn.extend(task.subject_id for task in tasks),
        take_back=lambda of_the_app: None,
        refused_before=lambda: before,
        withdrawn_before=lambda: withdrawn_before,
    )
    return Judge(service, docket), withdrawn


def weigh(who, people, error):
    """Refuse these lists one after the other, and end the round; give the people who are blamed."""

    async def run():
        blamed = []
        for person in people:
            blamed += await who.weigh(Task(person, "user_likes", person), error)
        return sorted(one.task.subject_id for one in blamed + await who.close_the_round())

    return asyncio.run(run())


@pytest.mark.parametrize("gone", [(), (1,), (1, 2), (1, 2, 3, 4)])
def test_people_who_are_gone_do_not_hide_that_an_endpoint_is(gone):
    for order in permutations(PEOPLE):
        who, withdrawn = judge(Service(gone))
        assert weigh(who, order, Gone(status=404)) == []
        assert sorted(withdrawn) == list(PEOPLE)


@pytest.mark.parametrize(
    ("service", "error"), [(Service(gone=PEOPLE), Gone(status=404)), (Service(closed=PEOPLE), NOT_FOR_YOU)]
)
def test_people_who_are_all_gone_or_closed_are_to_blame_themselves(service, error):
    for order in permutations(PEOPLE):
        who, withdrawn = judge(service)
        assert weigh(who, order, error) == list(PEOPLE)
        assert withdrawn == []


@pytest.mark.parametrize(
    ("service", "error"), [(Service(gone=[1, 2, 3, 5]), Gone(status=404)), (Service(closed=[1, 2, 3, 5]), NOT_FOR_YOU)]
)
def test_one_person_who_shows_other_lists_tells_that_this_kind_is_withdrawn(service, error):
    who, withdrawn = judge(service)
    assert weigh(who, PEOPLE, error) == []
    assert sorted(withdrawn) == list(PEOPLE)


@pytest.mark.parametrize(("said", "is_withdrawn"), [("Not allowed (403).", True), ("Not for you (403).", False)])
def test_a_kind_that_an_earlier_run_found_withdrawn_stays_so_for_what_is_refused_alike(said, is_withdrawn):
    before = [("user_likes", 403, "No list of tracks the user likes is answered any more: Not allowed (403).")]
    who, withdrawn = judge(Service(), withdrawn_before=before)
    assert weigh(who, [1], Forbidden(said, status=403)) == ([] if is_withdrawn else [1])
    assert withdrawn == ([1] if is_withdrawn else [])


def test_an_answer_ends_what_an_earlier_run_found():
    before = [("user_likes", 403, "No list of tracks the user likes is answered any more: Not allowed (403).")]
    who, withdrawn = judge(Service(), withdrawn_before=before)
    who.answered("user_likes", who.turn())
    assert weigh(who, [1], NOT_FOR_YOU) == [1]
    assert withdrawn == []


@pytest.mark.parametrize("rounds", [(1, 4), (4, 1), (2, 2, 1), (1, 1, 1, 1, 1)])
@pytest.mark.parametrize("error", [Gone(status=404), NOT_FOR_YOU])
def test_few_refusals_in_each_of_many_rounds_are_many(rounds, error):
    who, withdrawn = judge(Service())
    people = iter(PEOPLE)
    blamed = [weigh(who, [next(people) for _ in range(n)], error) for n in rounds]
    assert blamed[-1] == []
    assert sorted(withdrawn) == list(PEOPLE)


def test_an_answer_ends_the_count():
    who, withdrawn = judge(Service())
    assert weigh(who, [1, 2, 3, 4], Gone(status=404)) == [1, 2, 3, 4]
    who.answered("user_followings", who.turn())
    who.answered("user_likes", who.turn())
    assert weigh(who, [5, 6, 7, 8], Gone(status=404)) == [5, 6, 7, 8]
    assert withdrawn == []


def test_what_earlier_runs_have_been_refused_counts_once():
    before = [(Task(person, "user_likes", person), 404, str(Gone())) for person in (1, 2, 3)]
    who, withdrawn = judge(Service(), before)
    assert weigh(who, [3, 4], Gone(status=404)) == [3, 4]
    assert weigh(who, [5], Gone(status=404)) == []
    assert sorted(withdrawn) == list(PEOPLE)


def test_refusals_that_say_something_else_do_not_count():
    before = [(Task(person, "user_likes", person), 403, "Not allowed (403).") for person in (1, 2, 3)]
    who, withdrawn = judge(Service(), before)
    assert weigh(who, [4, 5], Gone(status=404)) == [4, 5]
    assert withdrawn == []


def test_those_who_were_found_to_be_gone_are_asked_for_once():
    service = Service(PEOPLE)
    who, _ = judge(service)
    weigh(who, PEOPLE, Gone(status=404))
    asked = len(service.asked)
    assert weigh(who, [6], Gone(status=404)) == [6]
    assert len(service.asked) == asked


@pytest.mark.parametrize("error", [Gone(status=404), NOT_FOR_YOU])
def test_many_refusals_tell_at_once_and_nobody_of_the_round_is_asked_for_nothing(error):
    who, withdrawn = judge(Service())

    async def refuse():
        for person in PEOPLE:
            assert withdrawn == []
            assert await who.weigh(Task(person, "user_likes", person), error) == []

    asyncio.run(refuse())
    assert sorted(withdrawn) == list(PEOPLE)


def test_an_answer_proves_only_what_was_refused_before_it_was_asked_for():
    who, withdrawn = judge(Service())

    async def run():
        in_flight = who.turn()
        for person in (1, 2, 3, 4):
            await who.weigh(Task(person, "user_likes", person), Gone(status=404))
        assert who.answered("user_likes", in_flight) == []
        assert await who.weigh(Task(5, "user_likes", 5), Gone(status=404)) == []
        assert sorted(withdrawn) == list(PEOPLE)
        await who.weigh(Task(6, "user_followings", 6), Gone(status=404))
        (blamed,) = who.answered("user_followings", who.turn())
        assert blamed.task.subject_id == 6
        assert who.take_open(at_a_bound=True) == ([], [])

    asyncio.run(run())


@pytest.mark.parametrize(
    ("lists", "is_withdrawn"),
    [
        ([(11, NOT_FOR_YOU)], True),
        ([(11, Gone(status=404)), (12, NOT_FOR_YOU)], True),
        ([(11, NOT_FOR_YOU), (12, 0)], False),  # answered, if with nothing
        ([(11, Gone(status=404))], False),
        ([(11, ServerTrouble(status=500))], False),
        ([], False),
    ],
)
def test_one_who_is_gone_by_now_says_nothing_of_the_endpoint(lists, is_withdrawn):
    who, withdrawn = judge(Service(lists=lists))
    assert weigh(who, [1], NOT_FOR_YOU) == ([] if is_withdrawn else [1])
    assert withdrawn == ([1] if is_withdrawn else [])


@pytest.mark.parametrize(
    ("lists", "is_outage"),
    [
        ([(11, 0), (12, 0)], True),
        ([(11, 0), (12, Gone(status=404)), (13, 0)], True),
        ([(11, 0), (12, 3)], False),  # one person who has taken all likes back makes no outage
        ([(11, 0), (12, ServerTrouble(status=500)), (13, 3)], False),
    ],
)
def test_lists_that_were_emptied_themselves_make_no_outage(lists, is_outage):
    who, _ = judge(Service(lists=lists), emptied=[Emptied("user_likes", MANY, 0, 9)])
    if is_outage:
        with pytest.raises(Blocked, match="an outage"):
            asyncio.run(who.close_the_round())
    else:
        assert asyncio.run(who.close_the_round()) == []
        assert not who.in_doubt


def open_at_the_end(who, people, *, at_a_bound):
    """Refuse these lists by a service that is asked nothing more; return those believed and those to be asked again."""

    async def run():
        for person in people:
            with suppress(Halted):
                await who.weigh(Task(person, "user_likes", person), NOT_FOR_YOU)

    asyncio.run(run())
    return tuple([one.task.subject_id for one in ended] for ended in who.take_open(at_a_bound=at_a_bound))


@pytest.mark.parametrize(
    ("before", "people", "at_a_bound", "ended"),
    [
        ([], PEOPLE, False, ([], [*PEOPLE])),
        ([], [1, 2, 3, 4], True, ([1, 2, 3, 4], [])),
        ([], PEOPLE, True, ([1, 2, 3, 4], [5])),  # the next run begins with the fifth, and asks
        ([1, 2, 3], [4, 5, 6], True, ([4, 5], [6])),
        ([1, 2, 3, 4], [5], True, ([5], [])),  # a run that came to nothing else would come to nothing else again
    ],
)
def test_at_a_bound_few_are_believed_and_of_many_one_is_asked_again(before, people, at_a_bound, ended):
    refused = [(Task(person, "user_likes", person), 403, str(NOT_FOR_YOU)) for person in before]
    who, withdrawn = judge(Service(halted=True), refused)
    assert open_at_the_end(who, people, at_a_bound=at_a_bound) == ended
    assert withdrawn == []
