from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harvest.simulator.world.prng import Ids, Shuffle, threshold


@given(size=st.integers(1, 400), chance=st.integers(0, 2**64 - 1))
def test_a_shuffle_visits_every_place_once_and_can_be_undone(size, chance):
    shuffle = Shuffle(size, chance)
    places = [shuffle.to(value) for value in range(size)]
    assert sorted(places) == list(range(size))
    assert [shuffle.back(place) for place in places] == list(range(size))


@given(count=st.integers(1, 10**9), chance=st.integers(0, 2**64 - 1), data=st.data())
def test_an_id_leads_back_to_its_thing(count, chance, data):
    index = data.draw(st.integers(0, count - 1))
    ids = Ids(count, chance)
    assert ids.index(ids.id(index)) == index


def test_ids_are_scattered_and_some_need_more_than_32_bits():
    ids = Ids(1000, 7)
    found = [ids.id(index) for index in range(1000)]
    assert max(found) > 2**31
    assert min(found) < 2**30
    assert ids.index(min(found) - 1) is None
    assert ids.index(0) is None


def test_a_share_becomes_the_bound_of_a_hash():
    assert (threshold(0), threshold(0.5), threshold(1)) == (0, 2**63, 2**64)
