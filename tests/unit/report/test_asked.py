import pytest

from harvest.report.asked import Asked, between


@pytest.mark.parametrize(
    ("interval", "told"),
    [
        ((0.005, 0.021), "0.5–2.1%"),
        ((0.268, 0.274), "26.8–27.4%"),
        ((0.2701, 0.2702), "27.0%"),
        ((0.25, 0.25), "25%"),
        ((0.0, 0.161), "0–16%"),
        ((0.98, 0.9999), "98–99.9%"),
        ((0.0000001, 0.02), "0.0001–2.0%"),
    ],
)
def test_an_interval_has_as_many_digits_as_tell_its_ends_apart(interval, told):
    assert between(interval) == told


def test_of_nobody_and_of_what_is_not_known_nothing_is_said():
    assert Asked(0, None, "rule").of_people(0) == "–"
    assert Asked(5, 10, "lot").of_likes(1, 0, 0.1) == Asked(5, 10, "lot").of_likes(1, 9, None) == "–"
    assert Asked(5, 5, "all").of_people(2) == "40%"
