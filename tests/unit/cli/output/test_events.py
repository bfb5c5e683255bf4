"""A crawl told in events."""

import pytest
import structlog
from structlog.testing import LogCapture

from harvest.cli.output.events import EventWitness
from harvest.errors import ApiError, Forbidden, Gone, ServerTrouble
from harvest.lists import BY_NAME, LOOKUP
from harvest.models import Outcome, Task

PERSON = Task(7, LOOKUP.name, 3, about="soundcloud:users:41")
LIKES = Task(8, BY_NAME["likes"].name, 41)


@pytest.mark.parametrize(
    ("task", "error", "outcome", "level", "subject"),
    [
        (PERSON, Gone("no such thing", status=404), Outcome.GONE, "debug", "soundcloud:users:41"),
        (PERSON, Forbidden("not for us", status=403), Outcome.FORBIDDEN, "debug", "soundcloud:users:41"),
        (PERSON, ServerTrouble("down", status=500), Outcome.FAILED, "warning", "soundcloud:users:41"),
        (LIKES, Gone("no such thing", status=404), Outcome.GONE, "info", 41),
        (LIKES, ServerTrouble("down", status=500), Outcome.FAILED, "warning", 41),
    ],
)
def test_a_look_up_that_finds_nothing_is_an_answer(
    task: Task, error: ApiError, outcome: Outcome, level: str, subject: object
) -> None:
    told = LogCapture()
    log = structlog.wrap_logger(None, processors=[told], wrapper_class=structlog.make_filtering_bound_logger(0))
    EventWitness(log).list_failed(task, error, outcome)
    assert [(line["log_level"], line["subject"], line["outcome"]) for line in told.entries] == [
        (level, subject, outcome.value)
    ]
