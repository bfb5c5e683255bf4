import pytest

from harvest.models import Outcome
from harvest.store.outcomes import BARREN_PAGES, ListStanding, outcome_of

ENDED = ListStanding(
    collected=100,
    claimed=100,
    cut=False,
    full=False,
    goes_on=False,
    asked_before=False,
    barren_pages=0,
    ends_when_empty=False,
)


def standing(**changes: object) -> ListStanding:
    return ListStanding(**{name: changes.get(name, getattr(ENDED, name)) for name in ListStanding.__slots__})


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.COMPLETE),
        ({"claimed": None}, Outcome.COMPLETE),
        ({"collected": 0, "claimed": 0}, Outcome.COMPLETE),
        ({"collected": 0, "claimed": 2}, Outcome.COMPLETE),
        ({"collected": 0, "claimed": 3}, Outcome.SHORT),
        ({"collected": 90}, Outcome.COMPLETE),
        ({"collected": 89}, Outcome.SHORT),
        ({"collected": 130}, Outcome.COMPLETE),
        ({"goes_on": True}, None),
        ({"goes_on": True, "full": True}, Outcome.CAPPED),
        ({"full": True}, Outcome.COMPLETE),
        ({"cut": True}, Outcome.CAPPED),
        ({"goes_on": True, "asked_before": True}, Outcome.LOOP),
        ({"goes_on": True, "barren_pages": BARREN_PAGES - 1}, None),
        ({"goes_on": True, "barren_pages": BARREN_PAGES}, Outcome.LOOP),
        ({"barren_pages": BARREN_PAGES}, Outcome.COMPLETE),
        ({"goes_on": True, "ends_when_empty": True}, Outcome.COMPLETE),
        ({"goes_on": True, "ends_when_empty": True, "collected": 3}, Outcome.SHORT),
    ],
)
def test_a_list_stands_as_the_rules_say(changes, outcome):
    assert outcome_of(standing(**changes)) == outcome
