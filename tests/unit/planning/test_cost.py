"""What a crawl would cost, as far as a few replies tell."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.models import Limits
from harvest.planning import cost
from harvest.planning.cost import Speed, estimate
from harvest.planning.outlook import Group, Listed, Outlook, outlook_of
from harvest.store.database import open_for_crawl
from harvest.store.schema import apply_schema

FULL = {
    kind: Listed(n)
    for kind, n in {"user_tracks": 30, "user_likes": 450, "user_reposts": 1, "user_playlists": 0}.items()
}


def people(*claims):
    return [{"user_likes": Listed(claim)} for claim in claims]


def track(likes, reposts, *, counted=False, **held):
    return {"track_likers": Listed(likes, counted=counted), "track_reposters": Listed(reposts), **held}


def around(likes, reposts, followed=(), *, counted=False, **known):
    """A track that was looked up, with those seen on the first page of its likers."""
    seeds = {"track": Group([track(likes, reposts, counted=counted)])}
    return Outlook([seeds], [{"user": followed}] if followed else [], look_ups=1, **known)


def planned(outlook, limits=None, **speed):
    return estimate([(outlook, limits or Limits())], Speed(**speed))


def test_people_who_are_seen_are_counted_and_not_guessed():
    plan = planned(around(3, 0, people(10, 390, 2000), counted=True))
    assert round(plan.requests.likely) == 2 + 1 + 1 + (1 + 2 + 3) + 2  # seed, two lists, their likes, artist, token
    assert plan.requests.low >= plan.requests.likely - 2
    assert plan.requests.high <= plan.requests.likely + 5  # a token more, a list that goes on, something repeated


def test_a_list_of_likes_takes_a_page_per_200_up_to_the_cap_and_at_least_one():
    def pages(listed):
        return round(planned(Outlook([{}, {"user": Group([{"user_likes": listed}], 1)}])).requests.likely)

    assert [pages(Listed(claim)) for claim in (None, 0, 200, 206, 450, 9999)] == [2, 2, 2, 2, 4, 4]  # with a token
    assert pages(Listed(520, collected=400)) == 2
    assert pages(Listed(500, collected=500, read=True)) == 0


def test_who_is_not_seen_is_taken_to_be_like_those_who_are():
    plan = planned(around(2000, 0, people(*[100] * 100, *[500] * 100)), Limits(max_users=2000))
    assert 3800 < plan.requests.likely < 4200  # two requests on average
    assert plan.requests.low < 3800 < 4200 < plan.requests.high
    assert plan.requests.high < 1.5 * plan.requests.low


def test_time_is_requests_at_the_pace_and_caps_bound_all_of_it():
    plan = planned(around(10**6, 10**5, people(*[10**5] * 200)), interval=0.5)
    assert abs(plan.seconds.likely - plan.requests.likely / 2) < 1
    assert plan.requests.high < 1.05 * (200 + 3 * 1000) + 10
    assert plan.rows["likes and reposts"].high <= 1.03 * (1000 * 500 + 2 * 20_000)


def test_it_says_which_caps_bite_and_what_newest_first_means():
    seen = around(50_000, 10, people(*[100] * 150, *[900] * 50))
    bites = planned(seen).bites
    assert len(bites) == 3
    assert "20,000 of 50,000 likers" in bites[0]
    assert "5%" in bites[1]
    assert "newest likers" in bites[1]
    assert "25%" in bites[2]
    drawn = planned(seen, Limits(order="random")).bites
    assert "random 5%" in drawn[1]
    assert "newest likers" not in drawn[1]
    assert planned(around(2, 0, people(1, 2), counted=True)).bites == []


def test_nothing_is_asked_for_what_the_file_holds():
    read = Listed(100, collected=100, read=True)
    seed = {"track": Group([{"track_likers": read, "track_reposters": read}])}
    held = [{"user_likes": read}] * 50
    rest = [{"user_likes": Listed(450, collected=200)}, *people(20)]
    assert (
        round(planned(Outlook([seed, {"user": Group([*held, *rest], 1)}])).requests.likely) == 2 + 1 + 1
    )  # and a token
    assert planned(Outlook([seed, {"user": Group(held, 1)}])).requests.high == 0


def test_a_second_level_is_a_guess_of_use_and_is_told_apart():
    seen = around(100, 10, people(*[100] * 100), counted=True)
    flat, deep = (planned(seen, Limits(depth=depth)) for depth in (1, 2))
    assert flat.deep.high == 0
    assert deep.deep.low >= 200
    assert deep.requests.low > 2 * flat.requests.high
    assert deep.requests.high <= 3 * deep.requests.low


def test_a_persons_lists_are_counted_and_lead_nowhere_unless_asked_to():
    seed = Outlook([{"user": Group([FULL])}], look_ups=1)
    still, going = planned(seed), planned(seed, Limits(depth=1))
    assert round(still.requests.likely) == 2 + (1 + 3 + 1 + 1) + 1
    assert still.requests.high <= still.requests.likely + 3
    assert going.requests.low >= 2 + 6 + 2 * 100  # a hundred tracks, two lists each
    assert "--max-tracks 100 goes on from" in going.bites[0]


def test_what_leads_to_people_is_bounded_in_all():
    seed = Outlook([{"user": Group([{**FULL, "user_followings": Listed(800)}])}], [{"user": people(*[10] * 200)}])
    plan = planned(seed, Limits(depth=3, max_users=50, via=("followings",), read=("likes", "followings")))
    assert plan.requests.high < 1.1 * (7 + 50 * (3 + 10)) + 10  # each with likes and, at most, ten pages of followings


def test_a_cap_of_nothing_is_no_list_and_lists_only_of_seeds_are_of_no_other():
    seed = around(100, 10, people(*[100] * 100), counted=True)
    assert planned(seed, Limits(caps=(("reposters", 0),))).requests.likely < planned(seed).requests.likely
    assert round(planned(seed, Limits(read=("likers",), via=())).requests.likely) == 2 + 1 + 2


def test_seeds_of_one_harvest_are_put_together():
    one = around(3, 0, people(10, 390, 2000), counted=True)
    person = Outlook([{"user": Group([FULL])}], look_ups=1, skipped=0.1)
    both = outlook_of([one, person], of=2, look_ups=2)
    assert (both.look_ups, both.skipped) == (2, 0.1)
    assert {thing: len(group.visits) for thing, group in both.rounds[0].items()} == {"track": 1, "user": 1}
    assert round(planned(both).requests.likely) == 12 + 8


def test_many_seeds_are_taken_to_be_like_the_few_that_were_asked_about():
    some = [Outlook([{"user": Group([{"user_likes": Listed(n)}])}]) for n in (100, 300, 500, 700)]
    plan = planned(outlook_of(some, of=1000, look_ups=996), Limits(seed_read=("likes",)))
    assert abs(plan.requests.likely - (2 * 996 + 1000 * (1 + 2 + 3 + 3) / 4)) < 60
    assert plan.requests.low < plan.requests.likely * 0.9


def test_the_deepest_walk_takes_no_time():
    plan = planned(
        around(100, 10, people(*[100] * 100)),
        Limits(depth=1000, via=("likes", "followers"), read=("likers", "likes", "followers")),
    )
    assert plan.deep.high > plan.deep.likely > 0


def test_those_seen_are_judged_once_however_many_rounds_follow():
    looks = 0

    class Looked(dict):
        def get(self, *which):
            nonlocal looks
            looks += 1
            return super().get(*which)

    def looks_of(depth):
        nonlocal looks
        looks = 0
        followed = [Looked(user_likes=Listed(claim), user_followers=Listed(7)) for claim in (100, 250, 900)]
        planned(
            around(100, 10, followed),
            Limits(depth=depth, via=("likes", "followers"), read=("likers", "likes", "followers")),
        )
        return looks

    assert looks_of(30) == looks_of(3) > 0


claims = st.lists(st.one_of(st.none(), st.integers(0, 10**7)), max_size=50)
counts = st.one_of(st.none(), st.integers(0, 10**7))
names = st.lists(st.sampled_from(["likers", "reposters", "comments", "likes", "uploads", "followers", "followings"]))
limits = st.builds(
    Limits,
    max_users=st.integers(0, 10**5),
    max_user_likes=st.integers(1, 10**5),
    max_listed=st.integers(1, 10**5),
    depth=st.one_of(st.none(), st.integers(0, 3)),
    order=st.sampled_from(["newest", "random", "popular"]),
    read=names.map(tuple),
    via=st.sampled_from([(), ("likes",), ("followings",), ("uploads", "followers")]),
)


@settings(max_examples=15, deadline=None)
@given(claims, counts, counts, limits, st.booleans(), st.sampled_from([0.0, 0.5]), st.floats(0, 1), st.booleans())
def test_whatever_the_replies_say_low_is_at_most_likely_is_at_most_high(
    seen, likes, reposts, caps, counted, delay, skipped, person
):
    outlook = around(likes, reposts, people(*seen), counted=counted and likes is not None, skipped=skipped)
    if person:
        outlook = outlook_of(
            [outlook, Outlook([{"user": Group([{**FULL, "user_followers": Listed(likes)}])}])], of=5, look_ups=5
        )
    plan = planned(outlook, caps, interval=delay)
    for number in (plan.requests, plan.seconds, plan.size_bytes, plan.deep, *plan.rows.values()):
        assert 0 <= number.low <= number.likely + 1e-6 <= number.high * (1 + 1e-9) + 2e-6


def test_an_empty_file_has_the_size_that_is_planned_for(tmp_path):
    """Tables and indexes take a page each, so a schema that grows shows here."""
    db = open_for_crawl(tmp_path / "t.db")
    apply_schema(db)
    db.conn.execute("VACUUM")
    db.conn.close()
    assert (tmp_path / "t.db").stat().st_size == pytest.approx(cost._EMPTY_BYTES, rel=0.1)


def test_replies_that_are_kept_count_in_what_it_takes_on_the_disk_and_in_nothing_else():
    harvests = [(around(300, 20, people(100, 500)), Limits())]
    plain, kept = (estimate(harvests, Speed(), keeps_replies=keeps) for keeps in (False, True))
    assert (plain.requests, plain.rows, plain.bites) == (kept.requests, kept.rows, kept.bites)
    assert kept.size_bytes.low > 1.5 * plain.size_bytes.low
    assert kept.size_bytes.high < 10 * plain.size_bytes.high
