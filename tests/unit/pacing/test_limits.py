"""Ten minutes against services with limits of their own: nearly all of a limit is used, hardly anything refused."""

from __future__ import annotations

import math

import pytest

from tests.limiting import Bucket, Sliding, Window, crawl
from tests.repetitions import slow_but

USED, REFUSED = 0.9, 0.05


def used_and_refused(service, rate, **options):
    """Give the shares from minute 1 to minute 11, the opening left out."""
    seen = crawl(service, 660, **options)
    return seen.used(rate, 60, 660), seen.share_refused(60, 660)


@pytest.mark.parametrize("seed", slow_but([1], [1, 2]))
@pytest.mark.parametrize(
    ("rate", "stock", "delay"),
    [
        (2, 5, 0.1),
        (3.3, 3.3, 0.1),
        (5, 5, 0.1),
        (5, 10, 0.1),
        (7, 7, 0.1),
        (9, 9, 0.1),
        (2, 60, 0.1),
        (5, 5, 0.0),
        (5, 10, 0.0),
        (8, 8, 0.0),
        (6, 6, 0.05),
        (1.5, 10, 0.5),
    ],
)
def test_with_holds_of_half_a_minute_the_rate_is_known_after_two_or_three(rate, stock, delay, seed):
    """A refusal costs a twentieth of the ten minutes."""
    used, refused = used_and_refused(Bucket(rate, stock), rate, delay=delay, seed=seed)
    assert used >= USED
    assert refused <= REFUSED


@pytest.mark.parametrize("hold", [1.0, 30.0])
@pytest.mark.parametrize(("rate", "delay"), [(10, 0.1), (4, 0.0)])
def test_a_limit_that_is_halved_under_way_is_used_again(rate, delay, hold):
    """From one minute after the change on, with holds of half a minute; at once where holds are short."""
    seen = crawl(Bucket(rate, rate), 1000, delay=delay, hold=hold, changes=((300.0, 0.5),))
    begin = 300 if hold == 1.0 else 390
    assert seen.used(rate / 2, begin, 990) >= USED
    assert seen.share_refused(300, 990) <= REFUSED


@pytest.mark.parametrize(
    ("kind", "size", "seconds"), [(Bucket, 2, 2), (Bucket, 5, 1), (Bucket, 8, 80), (Window, 50, 10), (Sliding, 20, 10)]
)
def test_a_service_that_says_how_long_is_used_nearly_in_full(kind, size, seconds):
    rate = size if kind is Bucket else size / seconds
    used, refused = used_and_refused(
        kind(size, seconds), rate, delay=0.1, says=lambda ready: float(max(1, math.ceil(ready)))
    )
    assert used >= 0.96
    assert refused <= REFUSED
