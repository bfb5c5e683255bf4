"""Each measure of docs/analysis.md as somebody computes it on paper."""

from __future__ import annotations

from math import log, sqrt

import pytest

from harvest.analysis.formulas import is_defined, score, together


def test_two_tracks_that_four_and_two_of_eight_people_like_two_of_them_both():
    """c = 2, a = 4, b = 2, N = 8: 2 / sqrt(8), 2 / 4, 2 * 8 / 8, and ln 2 by -ln(2 / 8) = 2 ln 2."""
    expected = {"cosine": sqrt(0.5), "jaccard": 0.5, "lift": 2.0, "npmi": 0.5}
    assert {name: score(name, 2, 4, 2, 8) for name in expected} == pytest.approx(expected)
    assert score("npmi", 1, 4, 2, 8) == 0  # as many as by chance
    assert score("npmi", 1, 4, 4, 8) == pytest.approx(log(1 / 2) / log(8))
    assert is_defined("npmi", 7, 8)
    assert not is_defined("npmi", 8, 8)
    assert is_defined("lift", 8, 8)


def test_a_frame_is_measured_with_the_counts_of_the_service():
    """Of six people read who like the frame, which 100 like, three like the other: 50, or all who like that."""
    assert together(3, 6, 100, 80) == 50
    assert together(3, 6, 100, 40) == 40
