"""How a thing of the file is named by somebody who asks for it."""

from __future__ import annotations

import pytest

from harvest.api.urns import LARGEST_ID
from harvest.errors import SeedError
from harvest.store.entities import Sighting, merge_tracks
from harvest.store.provenance import find

from .conftest import NOW, a_track

SLUG = "https://soundcloud.com/somebody/a-track"


@pytest.mark.parametrize("number", [1, 10**17, 1234567890123456789, LARGEST_ID])
def test_a_thing_is_found_by_an_id_of_any_length(db, number):
    merge_tracks(db.conn, [a_track(number, title="this one")], Sighting(1, NOW))
    for spelling in (f"{number}", f"soundcloud:tracks:{number}", f" {number}\n", f"0{number}"[-19:]):
        assert find(db.conn, "track", spelling)[:2] == (number, "this one")


@pytest.mark.parametrize(
    "spelling", [str(LARGEST_ID + 1), "9" * 19, "1" * 5000, "٣", "²", "-1", "", "soundcloud:tracks:"]
)
def test_what_no_id_can_be_is_an_address_that_is_not_there(db, spelling):
    with pytest.raises(SeedError):
        find(db.conn, "track", spelling)


def test_a_page_is_found_by_its_address_without_the_scheme(db):
    merge_tracks(db.conn, [a_track(5, permalink_url=SLUG)], Sighting(1, NOW))
    assert find(db.conn, "track", SLUG.removeprefix("https://"))[0] == 5
