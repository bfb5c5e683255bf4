"""How pages are written: in the order of the table's key, with a log that is folded in rarely enough."""

import re

from .conftest import tracks_page


def test_likes_are_written_in_the_order_of_the_key_and_keep_the_ranks_of_the_list(open_books):
    books = open_books()
    books.resolve()
    books.follow(11)
    written = []
    books.db.conn.set_trace_callback(written.append)
    books.keep(books.claim("user_likes", 11), tracks_page(30, 20, 40, 10))
    books.db.conn.set_trace_callback(None)
    rows = [  # traced again around each trigger
        tuple(map(int, found.groups()))
        for statement in written
        if (found := re.search(r"INSERT INTO engagements .*\sVALUES \(11, (\d+), (\d+),", statement, re.S))
    ]
    assert list(dict.fromkeys(rows)) == [(10, 3), (20, 1), (30, 0), (40, 2)]


def test_the_log_is_folded_in_at_sixteen_megabytes(open_books):
    connection = open_books().db.conn
    (pages,), (size,) = (connection.execute(f"PRAGMA {p}").fetchone() for p in ("wal_autocheckpoint", "page_size"))
    assert pages * size == 4000 * 4096
