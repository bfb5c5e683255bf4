"""A file is of one service; one into which nothing was fetched can go."""

from __future__ import annotations

import pytest

from harvest.errors import StoreError
from harvest.store.runs import start_run
from tests.unit.store.conftest import NOW


def test_another_service_is_refused_and_told_whether_anything_would_be_lost(db, open_books):
    def refused():
        with pytest.raises(StoreError) as caught:
            start_run(db.conn, now=NOW, options={}, api_url="https://api.soundcloud.com", credential_kind="none")
        return str(caught.value)

    books = open_books()  # of http://test
    lost_nothing = "This file was started for http://test, not for https://api.soundcloud.com, and nothing was fetched"
    assert refused() == f"{lost_nothing} into it: delete it, or name another file with --cache-path."
    books.resolve(1)
    assert refused() == (
        "This file was crawled from http://test, not from https://api.soundcloud.com: one file holds one service. "
        "Name another file with --cache-path."
    )
    assert db.conn.execute("SELECT api_url FROM runs").fetchall() == [("http://test",)]
