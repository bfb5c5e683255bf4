from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.simulator.world.bipartite import Bipartite, Habit, Ownership, Popularity, first_place, members

SIZES = st.integers(1, 60)
CHANCES = st.integers(0, 2**64 - 1)


@settings(max_examples=60, deadline=None)
@given(
    left=SIZES,
    right=SIZES,
    mean=st.floats(0.1, 12),
    spread=st.sampled_from([0.0, 0.5, 1.0]),
    local=st.sampled_from([0.0, 0.7, 1.0]),
    communities=st.integers(1, 5),
    hit=st.none() | st.integers(0, 60),
    chance=CHANCES,
)
def test_both_ends_of_a_graph_tell_the_same_edges(left, right, mean, spread, local, communities, hit, chance):
    communities = min(communities, right)
    graph = Bipartite(left, right, Habit(mean, spread, local), chance, communities=communities, hit=hit)
    from_left = {(user, track) for user in range(left) for track in graph.rights(user)}
    from_right = {(user, track) for track in range(right) for user in graph.lefts(track)}
    assert from_left == from_right
    if hit is not None:
        assert len(graph.lefts(0)) == min(hit, left)


@settings(max_examples=60, deadline=None)
@given(left=SIZES, right=SIZES, communities=st.integers(1, 5), artists=st.floats(0.1, 1), chance=CHANCES)
def test_both_ends_of_ownership_agree(left, right, communities, artists, chance):
    communities = min(communities, right)
    graph = Ownership(left, right, chance, communities=communities, artists=artists)
    from_left = {(track, graph.owner(track)) for track in range(left)}
    from_right = {(track, user) for user in range(right) for track in graph.owned(user)}
    assert from_left == from_right
    assert all(track % communities == user % communities for track, user in from_left)


@given(size=st.integers(1, 300), places=st.integers(1, 300), phase=st.floats(0, 0.999), top=st.floats(0.001, 0.9))
def test_every_place_has_the_owner_whose_stretch_it_lies_in(size, places, phase, top):
    curve = Popularity(size, top)
    starts = [first_place(curve.share(rank), places, phase) for rank in range(size + 1)]
    assert (starts[0], starts[-1]) == (0, places)
    assert starts == sorted(starts)
    for place in range(places):
        owner = curve.owner(place, places, phase)
        assert starts[owner] <= place < starts[owner + 1]


def test_the_mean_is_about_what_was_asked_for_and_unequal():
    graph = Bipartite(3000, 10_000, Habit(40, 1.0, 0.7), 5, communities=8)
    degrees = sorted(len(graph.rights(user)) for user in range(0, 3000, 3))
    assert 33 < sum(degrees) / len(degrees) < 44
    assert degrees[len(degrees) // 2] < 30
    assert degrees[-1] > 300


def test_without_spread_all_like_about_as_much():
    graph = Bipartite(500, 5000, Habit(100, 0.0), 5)
    degrees = [len(graph.rights(user)) for user in range(500)]
    assert min(degrees) > 80
    assert max(degrees) <= 100


def test_popularity_falls_as_a_power_law():
    graph = Bipartite(5000, 2000, Habit(20), 9)
    sizes = [len(graph.lefts(track)) for track in range(2000)]
    assert sum(sizes[:20]) > 20 * sum(sizes[-200:]) / 200 * 5
    assert sizes[0] < 5000 * 0.4


def test_people_like_their_own_community_best():
    graph = Bipartite(800, 4000, Habit(30, 1.0, 0.7), 9, communities=8)
    picks = [(user, track) for user in range(800) for track in graph.rights(user)]
    own = sum(user % 8 == track % 8 for user, track in picks)
    assert own / len(picks) > 0.6


@given(total=st.integers(0, 100), communities=st.integers(1, 9))
def test_members_of_all_communities_add_up(total, communities):
    assert sum(members(total, own, communities) for own in range(communities)) == total
