"""Whom many lists that come back alike speak against."""

import pytest

from harvest.crawler.verdicts import in_doubt, is_outage
from harvest.store.doubts import Emptied


@pytest.mark.parametrize(
    ("against", "hidden", "answered", "cleared", "doubtful"),
    [
        (4, 0, 0, 0, False),  # few are believed
        (5, 0, 0, 0, True),
        (5, 0, 500, 0, True),  # an outage may begin late
        (0, 5, 4, 0, True),  # most of what came back says nothing of its length
        (0, 5, 5, 0, False),
        (3, 2, 4, 0, True),
        (3, 2, 5, 0, False),
        (9, 0, 0, 5, False),  # five of them are known to be empty
        (10, 0, 0, 5, True),
    ],
)
def test_many_empty_lists_of_a_kind_are_doubted(against, hidden, answered, cleared, doubtful):
    assert in_doubt(Emptied("user_likes", against, hidden, answered), cleared) is doubtful


@pytest.mark.parametrize(
    ("against", "brings", "outage"),
    [(9, True, False), (9, False, True), (0, False, True), (9, None, True), (0, None, False)],
)
def test_a_list_that_brought_something_before_tells_an_outage_from_empty_lists(against, brings, outage):
    assert is_outage(Emptied("user_likes", against, 9, 1), brings) is outage
