"""Things named by what they are called."""

from __future__ import annotations

import pytest

from harvest.errors import SeedError
from harvest.explore.names import named


@pytest.fixture
def people(db):
    seen = "'2026-01-01T00:00:00Z', '2026-01-01'"
    for number, name, url in (
        (1, "Solo", "https://soundcloud.com/one"),
        (2, "Twin", "https://soundcloud.com/two"),
        (3, "TWIN", None),
        (4, "1", "https://soundcloud.com/four"),
        (5, "50%_", None),
    ):
        db.conn.execute(
            "INSERT INTO users (id, username, permalink_url, seen_as, first_seen_at, last_seen_on)"
            f" VALUES (?, ?, ?, 'full', {seen})",
            (number, name, url),
        )
    return db.conn


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("1", 1),
        ("https://soundcloud.com/four", 4),
        ("soundcloud:users:2", 2),
        ("Solo", 1),
        (" solo ", 1),
        ("50%_", 5),
    ],
)
def test_what_is_an_id_or_address_is_taken_as_one_and_else_a_whole_name(people, wanted, number):
    assert named(people, "user", wanted) == number


def test_a_name_of_several_lists_them_and_one_of_nobody_says_so(people):
    with pytest.raises(SeedError) as several:
        named(people, "user", "twin")
    assert str(several.value) == (
        "There is more than one user called twin: 2 (https://soundcloud.com/two), 3; name one by its id or address."
    )
    for wanted in ("Sol", "50%", "%"):
        with pytest.raises(SeedError, match="There is no user"):
            named(people, "user", wanted)
