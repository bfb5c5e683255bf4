import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.report.layout import Box, frame, overlap, place


def some(n, seed):
    rng = random.Random(seed)
    closeness = [1.0, *sorted((rng.random() for _ in range(n)), reverse=True)]
    links = {(i, j): rng.random() for i in range(1, n + 1) for j in range(i + 1, n + 1) if rng.random() < 0.1}
    boxes = [Box(rng.uniform(10, 90), rng.uniform(5, 25), rng.uniform(5, 60)) for _ in range(n + 1)]
    return closeness, links, boxes


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.integers(0, 10_000), st.floats(1, 500))
def test_nothing_covers_anything_however_crowded(n, seed, size):
    closeness, links, boxes = some(n, seed)
    points = place(closeness, links, boxes, stretch=1.4, size=size)
    for i in range(n + 1):
        for j in range(i):
            across, down = overlap(points[i], boxes[i], points[j], boxes[j])
            assert across <= 0 or down <= 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 20), st.integers(0, 1000))
def test_the_frame_holds_everything(n, seed):
    closeness, links, boxes = some(n, seed)
    points = place(closeness, links, boxes, stretch=1.4, size=200)
    left, top, wide, high = frame(points, boxes, 5)
    for (x, y), box in zip(points, boxes, strict=True):
        assert left + 5 <= x - box.half + 1e-6
        assert x + box.half <= left + wide - 5 + 1e-6
        assert top + 5 <= y - box.up + 1e-6
        assert y + box.down <= top + high - 5 + 1e-6


def test_the_same_graph_gives_the_same_picture_and_the_seed_stays_in_the_middle():
    closeness, links, boxes = some(20, 7)
    points = place(closeness, links, boxes, stretch=1.4, size=300)
    assert points == place(closeness, dict(reversed(links.items())), boxes, stretch=1.4, size=300)
    assert points[0] == (0.0, 0.0)


def test_what_belongs_nearer_stands_nearer():
    closeness = [1.0, 1.0, 0.5, 0.0]
    points = place(closeness, {}, [Box(1, 1, 1)] * 4, stretch=1.0, size=300)
    distances = [(x * x + y * y) ** 0.5 for x, y in points[1:]]
    assert distances == pytest.approx([102, 201, 300])


def test_two_groups_are_not_mixed():
    """Each group is linked within: around the middle, one comes after the other."""
    n = 12
    groups = [i % 2 for i in range(n)]
    links = {(i + 1, j + 1): 1.0 for i in range(n) for j in range(i + 1, n) if groups[i] == groups[j]}
    points = place([1.0] + [0.0] * n, links, [Box(1, 1, 1)] * (n + 1), stretch=1.0, size=300)
    import math

    around = sorted(range(n), key=lambda i: math.atan2(points[i + 1][1], points[i + 1][0]))
    changes = sum(groups[around[k]] != groups[around[k - 1]] for k in range(n))
    assert changes == 2
