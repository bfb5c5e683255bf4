"""The file holds exactly the graph the service has."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.models import ORDERS, Limits
from harvest.simulator import World
from tests.crawling import assert_exact, crawl_world


def test_a_crawl_with_every_quirk_equals_the_truth(tmp_path):
    world = World(7, users=300, tracks=1500, likes_per_user=60, null_entries=0.03, gone=0.05, forbidden=0.03)
    crawl_world(tmp_path / "t.db", world, server_options={"gzip": True})
    assert_exact(tmp_path / "t.db", world)


def test_a_deeper_crawl_equals_the_truth(tmp_path):
    world = World(3, users=200, tracks=800, likes_per_user=25)
    limits = Limits(max_users=15, max_user_likes=40, max_tracks=4, depth=3)
    crawl_world(tmp_path / "t.db", world, limits=limits, page_size=20)
    assert_exact(tmp_path / "t.db", world, limits=limits, page_size=20)


worlds = st.builds(
    World,
    seed=st.integers(1, 10_000),
    users=st.integers(5, 120),
    tracks=st.integers(5, 400),
    likes_per_user=st.floats(1, 40),
    null_entries=st.sampled_from([0.0, 0.05, 0.3]),
    gone=st.sampled_from([0.0, 0.1]),
    forbidden=st.sampled_from([0.0, 0.05]),
    blocked=st.sampled_from([0.05, 0.5]),
    hidden_stats=st.sampled_from([0.0, 0.3]),
    numeric_ids=st.booleans(),
)
limits_ = st.builds(
    Limits,
    max_users=st.integers(0, 80),
    max_user_likes=st.integers(1, 60),
    max_listed=st.integers(1, 100),
    max_tracks=st.integers(1, 4),
    depth=st.integers(1, 3),
    order=st.sampled_from(ORDERS),
    sample_seed=st.integers(0, 3),
)


@given(world=worlds, limits=limits_, page_size=st.sampled_from([1, 3, 10, 50, 200]), in_flight=st.integers(1, 16))
@settings(max_examples=14, deadline=None)
def test_any_world_under_any_options_equals_its_truth(world, limits, page_size, in_flight):
    equals_its_truth(world, limits, page_size, in_flight)


@pytest.mark.slow
@given(world=worlds, limits=limits_, page_size=st.sampled_from([1, 7, 200]), in_flight=st.integers(1, 32))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_same_thirty_worlds_equal_their_truth(world, limits, page_size, in_flight):
    equals_its_truth(world, limits, page_size, in_flight)


@pytest.mark.soak
@given(world=worlds, limits=limits_, page_size=st.sampled_from([1, 7, 200]), in_flight=st.integers(1, 32))
@settings(max_examples=150, deadline=None)
@pytest.mark.timeout(3600)
def test_many_more_worlds_equal_their_truth(world, limits, page_size, in_flight):
    equals_its_truth(world, limits, page_size, in_flight)


def equals_its_truth(world, limits, page_size, in_flight):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        crawl_world(path, world, limits=limits, page_size=page_size, max_in_flight=in_flight)
        assert_exact(path, world, limits=limits, page_size=page_size)
