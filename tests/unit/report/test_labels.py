from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.report.labels import Box, placed

CIRCLES = st.tuples(st.floats(0, 800), st.floats(0, 800), st.floats(2, 20))


@settings(max_examples=50, deadline=None)
@given(st.lists(CIRCLES, max_size=40), st.integers(20, 160))
def test_no_label_covers_another_or_leaves_the_picture_however_crowded(circles, wide):
    found = [box for box in placed(circles, [(wide, 32.0)] * len(circles), circles, 800) if box]
    assert not any(one.covers(other) for one, other in combinations(found, 2))
    assert all(min(box.left, box.top) >= 0 and max(box.right, box.bottom) <= 800 for box in found)


def test_a_label_stands_below_unless_something_is_there():
    alone = (100.0, 100.0, 10.0)
    (below,) = placed([alone], [(40, 20)], [alone], 800)
    assert (below.left, below.top) == pytest.approx((80, 113))
    (above,) = placed([alone], [(40, 20)], [alone, (100, 125, 8)], 800)
    assert (above.left, above.bottom) == pytest.approx((80, 87))


def test_where_there_is_no_room_at_all_it_is_left_out():
    assert placed([(10.0, 10.0, 5.0)] * 2, [(30, 25)] * 2, [], 30) == [None, None]
    assert Box(0, 0, 10, 10).covers(Box(9, 9, 20, 20))
    assert not Box(0, 0, 10, 10).covers(Box(10, 0, 20, 10))
