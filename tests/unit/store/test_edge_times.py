"""What the cursors of pages say about the times of likes, page by page."""

from harvest.models import Limits

from .conftest import NOW, tracks_page, users_page

FETCHED_BY = "2026-11-20T10:00:01Z"  # NOW and the second it stands for
TEN, NINE, EIGHT = (f"2026-11-10T{hour}:00:00Z" for hour in ("10", "09", "08"))


def read_likers(books, *pages):
    """Let the list of likers come in these pages, given as (people, cursor time); give the bounds by person."""
    books.resolve(1)
    task = books.claim("track_likers")
    for number, (people, cursor_time) in enumerate(pages, start=1):
        more = f"/page-{number}" if number < len(pages) or cursor_time else None
        task = books.keep(task, users_page(*people, next_cursor=more, cursor_time=cursor_time)).task
    return bounds(books)


def bounds(books):
    rows = books.rows("SELECT user_id, engaged_after, engaged_before FROM edge_times_estimate")
    return {row[0]: row[1:] for row in rows}


def test_an_edge_lies_between_the_cursors_around_its_page_and_the_second_counts_whole(open_books):
    assert read_likers(open_books(), ((10,), TEN), ((11,), NINE), ((12,), None)) == {
        10: (TEN, FETCHED_BY),
        11: (NINE, "2026-11-10T10:00:01Z"),
        12: (None, "2026-11-10T09:00:01Z"),
    }


def test_a_page_whose_cursor_is_no_time_is_bounded_by_the_one_before_it(open_books):
    assert read_likers(open_books(), ((10,), TEN), ((11,), None), ((12,), EIGHT)) == {
        10: (TEN, FETCHED_BY),
        11: (None, "2026-11-10T10:00:01Z"),
        12: (EIGHT, "2026-11-10T10:00:01Z"),
    }


def test_a_cursor_that_leads_forward_in_time_bounds_nothing(open_books):
    assert read_likers(open_books(), ((10,), NINE), ((11,), TEN), ((12,), EIGHT)) == {
        10: (NINE, FETCHED_BY),
        11: (None, None),
        12: (EIGHT, "2026-11-10T09:00:01Z"),
    }


def test_a_cursor_of_the_future_bounds_nothing(open_books):
    assert read_likers(open_books(), ((10,), "2026-11-21T09:00:00Z"), ((11,), NINE))[10] == (None, None)


def test_a_page_that_our_cap_cut_is_bounded_from_above_alone(open_books):
    books = open_books(limits=Limits(max_listed=2))
    assert read_likers(books, ((10,), TEN), ((11, 12), NINE)) == {
        10: (TEN, FETCHED_BY),
        11: (None, "2026-11-10T10:00:01Z"),
    }
    again = open_books(limits=Limits(max_listed=5))
    again.keep(again.claim("track_likers"), users_page(11, 12, next_cursor="/page-9", cursor_time=NINE))
    assert bounds(again)[12] == (NINE, "2026-11-10T10:00:01Z")
    assert bounds(again)[11] == (None, "2026-11-10T10:00:01Z")


def test_the_list_that_brought_the_edge_first_tells_its_time(open_books):
    books = open_books()
    read_likers(books, ((10,), TEN), ((11,), None))
    books.keep(books.claim("track_reposters"), users_page())
    books.next_round()
    books.keep(books.claim("user_likes", 10), tracks_page(1, next_cursor="/2", cursor_time=EIGHT))
    assert bounds(books)[10] == (TEN, FETCHED_BY)
    assert books.rows("SELECT DISTINCT list_kind FROM edge_times_estimate WHERE track_id = 1") == [("track_likers",)]
    assert NOW < FETCHED_BY
