"""What a crawl would cost, as far as a few replies tell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harvest.models import Limits
from harvest.planning.cost import Conditions, Outlook, Person, estimate, pages_of


def people(*claims):
    return [Person(claim) for claim in claims]


def test_people_who_are_seen_are_counted_and_not_guessed():
    seen = Outlook(3, 0, people(10, 390, 2000), listed_all=True)
    plan = estimate([seen], [Limits()], Conditions())
    assert plan.requests.likely == 2 + 1 + 1 + (1 + 2 + 3) + 1  # seed, two lists, their likes, a token
    assert plan.requests.low >= plan.requests.likely - 2
    assert plan.requests.high <= plan.requests.likely + 5  # a token more, a list that goes on, something repeated


def test_a_list_of_likes_takes_a_page_per_200_up_to_the_cap_and_at_least_one():
    assert [pages_of(Person(claim), 500, 200) for claim in (None, 0, 200, 201, 450, 9999)] == [1, 1, 1, 2, 3, 3]
    assert pages_of(Person(500, collected=400), 500, 200) == 1
    assert pages_of(Person(500, read=True), 500, 200) == 0


def test_who_is_not_seen_is_taken_to_be_like_those_who_are():
    seen = Outlook(2000, 0, people(*[100] * 100, *[500] * 100))
    plan = estimate([seen], [Limits(max_users=2000)], Conditions())
    assert 3800 < plan.requests.likely < 4200  # two requests on average
    assert plan.requests.low < 3800 < 4200 < plan.requests.high
    assert plan.requests.high < 1.5 * plan.requests.low


def test_time_is_requests_at_the_pace_and_caps_bound_all_of_it():
    seen = Outlook(10**6, 10**5, people(*[10**5] * 200))
    plan = estimate([seen], [Limits()], Conditions(interval=0.5))
    assert abs(plan.seconds.likely - plan.requests.likely / 2) < 1
    assert plan.requests.high < 1.05 * (200 + 3 * 1000) + 10
    assert plan.rows["likes and reposts"].high <= 1000 * 500 + 2 * 20_000


def test_it_says_which_caps_bite_and_what_newest_first_means():
    seen = Outlook(50_000, 10, people(*[100] * 150, *[900] * 50))
    bites = estimate([seen], [Limits()], Conditions()).bites
    assert len(bites) == 3
    assert "20,000 of 50,000 likers" in bites[0]
    assert "5%" in bites[1]
    assert "newest likers" in bites[1]
    assert "25%" in bites[2]
    drawn = estimate([seen], [Limits(order="random")], Conditions()).bites
    assert "random 5%" in drawn[1]
    assert "newest likers" not in drawn[1]
    assert estimate([Outlook(2, 0, people(1, 2), listed_all=True)], [Limits()], Conditions()).bites == []


def test_nothing_is_asked_for_what_the_file_holds():
    held = [Person(100, 100, read=True)] * 50 + [Person(450, 200), Person(20)]
    plan = estimate([Outlook(52, 0, held, True, 2, chosen=True)], [Limits()], Conditions())
    assert plan.requests.likely == 2 + 1 + 1  # two pages of one, one of the other, a token
    nothing = estimate([Outlook(50, 0, held[:50], True, 2, chosen=True)], [Limits()], Conditions())
    assert nothing.requests.high == 0


def test_a_second_level_is_a_wide_guess_and_is_told_apart():
    seen = Outlook(100, 10, people(*[100] * 100), listed_all=True)
    flat, deep = (estimate([seen], [Limits(depth=depth)], Conditions()) for depth in (1, 2))
    assert flat.deep.high == 0
    assert deep.deep.low == 200
    assert deep.requests.high > 100 * flat.requests.high


claims = st.lists(st.one_of(st.none(), st.integers(0, 10**7)), max_size=200)
counts = st.one_of(st.none(), st.integers(0, 10**7))
limits = st.builds(
    Limits,
    max_users=st.integers(0, 10**5),
    max_user_likes=st.integers(1, 10**5),
    max_listed=st.integers(1, 10**5),
    depth=st.integers(1, 3),
    order=st.sampled_from(["newest", "random", "popular"]),
)


@given(claims, counts, counts, limits, st.booleans(), st.sampled_from([0.0, 0.5]), st.floats(0, 1))
def test_whatever_the_replies_say_low_is_at_most_likely_is_at_most_high(
    seen, likes, reposts, caps, listed_all, delay, skipped
):
    outlook = Outlook(likes, reposts, people(*seen), listed_all, skipped=skipped)
    plan = estimate([outlook], [caps], Conditions(interval=delay))
    for number in (plan.requests, plan.seconds, plan.size_bytes, *plan.rows.values()):
        assert 0 <= number.low <= number.likely + 1e-6 <= number.high + 2e-6
