"""Whom many lists that come back alike speak against."""

import pytest

from harvest.crawler.verdicts import Verdict, alike, in_doubt, is_outage, who
from harvest.errors import Forbidden, Gone
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


def refusals(n, status=403, words=""):
    return Forbidden(f"SoundCloud does not allow this ({status}{words}).", status=status), n


@pytest.mark.parametrize(
    ("refused", "answers", "public", "is_open", "last", "verdict"),
    [
        (refusals(5), True, None, False, False, Verdict.LISTS),
        (refusals(5), False, Forbidden(), False, False, Verdict.APP),
        (refusals(5), None, Forbidden(), False, False, Verdict.APP),
        (refusals(5), None, None, True, False, Verdict.KIND),
        (refusals(5), False, Gone(), True, False, Verdict.KIND),
        (refusals(5), None, None, False, False, Verdict.LISTS),  # the accounts are closed as well
        (refusals(1), False, None, False, True, Verdict.LISTS),
        (refusals(1), False, None, True, True, Verdict.KIND),
        (refusals(1, words=": a subscription is required"), None, Forbidden(), False, False, Verdict.APP),
        (refusals(1, words=": a subscription is required"), None, None, False, False, None),
        (refusals(1, words=": a subscription is required"), None, None, False, True, Verdict.KIND),
        (refusals(4), None, None, False, True, Verdict.LISTS),
        (refusals(1, 405), False, None, False, False, Verdict.KIND),
        (refusals(1, 405), None, None, False, True, Verdict.KIND),
        (refusals(5, 404), None, None, False, False, Verdict.LISTS),  # the things are gone as well
        (refusals(5, 404), None, None, True, False, Verdict.KIND),
    ],
)
def test_who_is_to_blame_for_refusals_that_are_alike(refused, answers, public, is_open, last, verdict):
    assert who(*refused, answers, public, is_open=is_open, last=last) is verdict


def test_refusals_are_alike_but_for_the_ids_in_them():
    of_one = alike(403, "soundcloud:users:7 is not for you (403).")
    assert of_one == alike(403, "soundcloud:users:81 is not for you (403).")
    assert of_one != alike(403, "soundcloud:users:7 is not for sale (403).")
    assert of_one != alike(400, "soundcloud:users:7 is not for you (403).")
