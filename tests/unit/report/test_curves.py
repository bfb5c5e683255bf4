import math
import random
import re
from itertools import pairwise

import pytest

from harvest.report.curves import LogAxis, axis_down_to, axis_up_to, middle, reaching, steps
from harvest.report.pictures import Curve, curves
from harvest.report.rows import Bucket


def two_digits(value):
    return int(f"{value:.20g}"[:2]) * 10 ** (len(str(value)) - 2) if value >= 100 else value


def bucketed(values):
    cut = sorted(map(two_digits, values))
    return [Bucket(value, cut.count(value)) for value in sorted(set(cut))]


def test_every_point_says_exactly_which_share_has_so_much_or_more():
    """Although the values are cut to two digits."""
    rng = random.Random(3)
    values = [int(rng.paretovariate(0.7)) - rng.randrange(2) for _ in range(3000)]
    points = reaching(bucketed(values))
    assert points == [(x, sum(v >= x for v in values) / len(values)) for x in sorted({*map(two_digits, values)} - {0})]


def test_who_has_nothing_counts_in_the_whole():
    assert reaching([Bucket(0, 3), Bucket(5, 1)]) == [(5, 0.25)]
    assert reaching([Bucket(0, 3)]) == []


def test_the_middle_is_the_median():
    assert [middle([]), middle([Bucket(7, 1)]), middle([Bucket(1, 5), Bucket(9, 4)])] == [0, 7, 1]
    assert middle([Bucket(1, 4), Bucket(9, 5)]) == 9


@pytest.mark.parametrize(("most", "high"), [(1, 1), (9, 1), (10, 1), (11, 2), (1000, 3), (1001, 4)])
def test_an_axis_ends_at_the_next_power_of_ten(most, high):
    assert axis_up_to(most, 0, 100).high == high


@pytest.mark.parametrize(("least", "low"), [(1.0, -1), (0.5, -1), (0.1, -1), (0.05, math.log10(0.05)), (0.001, -3)])
def test_an_axis_of_shares_begins_at_the_smallest_share(least, low):
    assert axis_down_to(least, 0, 100).low == low


def test_a_place_on_an_axis_is_logarithmic_and_inside():
    axis = LogAxis(0, 2, 10, 110)
    assert [axis.place(v) for v in (1, 10, 100, 1000, 0.1)] == [10, 60, 110, 110, 10]
    assert axis.decades == [0, 1, 2]


def test_a_curve_is_drawn_in_steps_down_to_its_last_point():
    path = steps([(1, 1.0), (10, 0.1)], LogAxis(0, 1, 0, 100), LogAxis(-2, 0, 50, 0))
    assert path == "M0.0 0.0H0.0H100.0V25.0"


@pytest.mark.parametrize(("people", "share"), [(1295, "0.08%"), (400, "0.2%"), (110, "0.9%"), (90, "1.1%"), (5, "10%")])
def test_one_person_ends_at_their_share_and_the_axis_says_which(people, share):
    """Of 1,295 people one is 0.08 %: neither the line nor the axis goes on to 0.01 %."""
    made = curves([Curve(reaching([Bucket(3, people - 1), Bucket(40, 1)]), "here")], "likes", "people")
    (path,) = [e for e in made.shapes if e.tag == "path"]
    lowest = max(float(down) for down in re.findall(r"V([\d.]+)", path.get("d")))
    ticks = {e.text: float(e.get("y")) - 4 for e in made.shapes if e.get("class") == "tick end"}
    top, bottom = ticks["100%"], max(ticks.values())
    assert ticks[share] == bottom
    assert lowest == pytest.approx(top + (bottom - top) * min(math.log10(people), 1), abs=0.1)
    gaps = [b - a for a, b in pairwise(sorted(ticks.values()))]
    assert min(gaps) > 12  # or their names would cover each other
