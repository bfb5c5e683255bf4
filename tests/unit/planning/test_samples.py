"""A sample that is to end early may end at any of its marks; what is planned lies between the first and the last."""

from __future__ import annotations

from harvest.models import Limits
from harvest.planning.cost import Speed, estimate
from harvest.planning.outlook import Group, Listed, Outlook
from harvest.planning.samples import ends

LIMITS = Limits(max_users=400, order="random", until_new=0.05)
SEED = {"track": Group([{"track_likers": Listed(claim=330), "track_reposters": Listed(claim=20)}])}
PEOPLE = [{"user_likes": Listed(claim=100)}] * 350


def test_a_sample_may_end_at_every_mark_before_its_bound_and_there():
    found = ends(Outlook([SEED, {"user": Group(PEOPLE, 1)}]), LIMITS)
    assert [limits.max_users for _, limits in found] == [50, 100, 150, 200, 250, 300, 400]
    assert [outlook.rounds[1]["user"].n for outlook, _ in found] == [50, 100, 150, 200, 250, 300, 350]


def test_around_several_seeds_a_mark_is_of_each():
    two = {"track": Group([{"track_likers": Listed(claim=120)}, {"track_likers": Listed(claim=230)}])}
    found = ends(Outlook([two, {"user": Group(PEOPLE, 1)}]), LIMITS)
    assert [limits.max_users for _, limits in found] == [50, 100, 150, 200, 400]
    assert [outlook.rounds[1]["user"].n for outlook, _ in found] == [100, 200, 300, 350, 350]


def test_of_many_marks_some_are_thought_of():
    found = ends(Outlook([{"track": Group([{}])}]), Limits(max_users=100_000, order="random", until_new=0.05))
    assert len(found) == 17
    assert (found[0][1].max_users, found[-1][1].max_users) == (50, 100_000)


def test_without_it_there_is_one_end():
    outlook = Outlook([SEED])
    assert ends(outlook, Limits(order="random")) == [(outlook, Limits(order="random"))]


def test_a_plan_lies_between_the_first_mark_and_the_last():
    outlook = Outlook([SEED], [{"user": PEOPLE}])
    early = estimate([(outlook, LIMITS)], Speed()).requests
    whole = estimate([(outlook, Limits(max_users=400, order="random"))], Speed()).requests
    first = estimate([(outlook, Limits(max_users=50, order="random"))], Speed()).requests
    assert first.likely < early.low < early.likely < whole.low
    assert early.high > 0.75 * whole.likely
