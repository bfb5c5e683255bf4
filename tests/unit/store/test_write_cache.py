from harvest.store.write_cache import Recent

from .conftest import a_track, a_user, tracks_page


def test_the_same_row_on_the_same_day_is_no_news():
    recent = Recent()
    row = a_user(1)
    assert recent.news({1: row}, day="a") == {1: row}
    recent.settle()
    assert recent.news({1: row}, day="a") == {}
    assert recent.news({1: row}, day="b") == {1: row}


def test_a_row_is_compared_with_the_one_last_written():
    recent = Recent()
    one, other = a_user(1, username="one"), a_user(1, username="other")
    for row in (one, other, one):
        assert recent.news({1: row}, day="a") == {1: row}
        recent.settle()


def test_what_stands_beside_a_row_counts():
    recent = Recent()
    row = a_track(1)
    recent.news({1: row}, day="a", beside={1: ("techno",)})
    recent.settle()
    assert recent.news({1: row}, day="a", beside={1: ("techno",)}) == {}
    assert recent.news({1: row}, day="a", beside={1: ("techno", "dub")}) == {1: row}


def test_what_was_not_committed_is_still_news():
    recent = Recent()
    recent.news({1: a_user(1)}, day="a")
    assert recent.news({1: a_user(1)}, day="a") == {1: a_user(1)}


def test_memory_is_bounded():
    recent = Recent(remembered=10)
    for i in range(100):
        recent.news({i: a_user(i)}, day="a")
        recent.settle()
    assert len(recent._written) <= 10


def test_a_known_track_on_a_second_page_is_not_written_again_and_a_changed_one_is(open_books):
    books = open_books()
    books.resolve(1)
    books.follow(10, 11, 12)
    books.keep(books.claim("user_likes", 10), tracks_page(5, 6))
    seen = []
    books.db.conn.set_trace_callback(lambda sql: seen.append("INTO tracks" in sql))
    books.keep(books.claim("user_likes", 11), tracks_page(5, 6))
    assert not any(seen)
    page = tracks_page(5)
    page.tracks[5] = page.tracks[5]._replace(title="renamed")
    books.keep(books.claim("user_likes", 12), page)
    assert any(seen)
    assert books.rows("SELECT title FROM tracks WHERE id = 5") == [("renamed",)]
