import dataclasses

import pytest

from harvest.api.cursors import canonical
from harvest.errors import Forbidden, Gone, ServerTrouble, UnexpectedReply
from harvest.models import Limits, Page, Playlist
from harvest.store import readings
from harvest.store.commit import PageCommitter

from .conftest import NOW, a_user, tracks_page, users_page


def engagements(books, where="true"):
    return books.rows(
        "SELECT user_id, track_id, engagement_type, user_list_rank, track_list_rank"
        f" FROM user_engagements WHERE {where} ORDER BY coalesce(track_list_rank, user_list_rank), user_id"
    )


def ledger(books, task):
    return books.rows(
        "SELECT state, outcome, next_cursor, collected, skipped, pages_read FROM readings"
        " WHERE task_id = ? AND number = ?",
        task.id,
        task.reading,
    )[0]


def test_a_page_brings_edges_with_ranks_and_moves_the_cursor(open_books):
    books = open_books()
    books.resolve(1)
    task = books.claim("track_likers")
    receipt = books.keep(task, users_page(12, 11, next_cursor="/page/next", skipped=3))
    assert engagements(books) == [(12, 1, "like", None, 0), (11, 1, "like", None, 1)]
    assert ledger(books, task) == ("doing", None, "/page/next", 2, 3, 1)
    assert (receipt.kept, receipt.outcome, receipt.task.cursor, receipt.task.page_number) == (2, None, "/page/next", 1)


def test_repeated_entries_take_no_rank_within_a_page_and_across_pages(open_books):
    books = open_books()
    books.resolve(1)
    on = books.keep(books.claim("track_likers"), users_page(10, 11, 10, next_cursor="/2")).task
    books.keep(on, users_page(11, 12, 10, 13))
    assert [(e[0], e[4]) for e in engagements(books)] == [(10, 0), (11, 1), (12, 2), (13, 3)]


def test_an_edge_known_from_the_other_side_gets_the_missing_rank(open_books):
    books = open_books()
    books.resolve(1)
    books.follow(10)
    books.keep(books.claim("user_likes", 10), tracks_page(5, 1))
    assert engagements(books, "track_id = 1") == [(10, 1, "like", 1, 0)]


def test_a_repost_is_not_a_like(open_books):
    """The predecessor stored every reposter as a liker."""
    books = open_books()
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(10))
    books.keep(books.claim("track_reposters"), users_page(10, 11))
    assert engagements(books) == [(10, 1, "like", None, 0), (10, 1, "repost", None, 0), (11, 1, "repost", None, 1)]


@pytest.mark.parametrize(
    ("cap", "outcome", "kept", "cursor"),
    [
        (1, "capped", 1, None),  # the page is cut: it is asked again when the cap is raised
        (2, "complete", 2, None),
        (3, "complete", 2, None),
    ],
)
def test_a_cap_is_exact_to_the_item_on_a_last_page(open_books, cap, outcome, kept, cursor):
    books = open_books(limits=Limits(max_user_likes=cap))
    books.resolve(1)
    books.follow(10)
    task = books.claim("user_likes", 10)
    books.keep(task, tracks_page(5, 6))
    assert ledger(books, task)[:4] == ("ended", outcome, cursor, kept)


def test_a_full_list_that_goes_on_is_capped_and_keeps_its_cursor(open_books):
    books = open_books(limits=Limits(max_user_likes=2))
    books.resolve(1)
    books.follow(10)
    task = books.claim("user_likes", 10)
    books.keep(task, tracks_page(5, 6, next_cursor="/2"))
    assert ledger(books, task)[:4] == ("ended", "capped", "/2", 2)


def test_nothing_beyond_the_cap_is_stored(open_books):
    books = open_books(limits=Limits(max_user_likes=2))
    books.resolve(1)
    books.follow(10)
    page = tracks_page(5, 6, 7)
    page = dataclasses.replace(
        page,
        tracks={**page.tracks, 7: page.tracks[7]._replace(uploader_id=9001)},
        users={**page.users, 9001: page.users[9000]._replace(id=9001)},
        tags={6: ("kept",), 7: ("left out",)},
    )
    books.keep(books.claim("user_likes", 10), page)
    assert books.rows("SELECT id FROM tracks ORDER BY id") == [(1,), (5,), (6,)]
    assert books.rows("SELECT id FROM users ORDER BY id") == [(10,), (9000,)]
    assert books.rows("SELECT name FROM tags") == [("kept",)]


def test_a_list_of_repeats_beyond_the_cap_is_whole(open_books):
    """`capped` only if there was, or may have been, more."""
    books = open_books(limits=Limits(max_user_likes=2))
    books.resolve(1)
    books.follow(10)
    task = books.claim("user_likes", 10)
    books.keep(task, tracks_page(5, 6, 5, 6))
    assert ledger(books, task)[1] == "complete"


def test_a_cut_page_asked_again_goes_on_where_it_was_cut(open_books):
    books = open_books(limits=Limits(max_user_likes=3))
    books.resolve(1)
    books.follow(10)
    on = books.keep(books.claim("user_likes", 10), tracks_page(5, 6, next_cursor="/2", request="/1")).task
    cut = books.keep(on, tracks_page(7, 8, 9, next_cursor="/3", request="/2", cursor_time=NOW)).task
    assert cut.cursor == "/2"
    assert books.rows("SELECT next_cursor, cursor_time FROM pages WHERE task_id = ? AND number = 1", on.id) == [
        ("/2", None)
    ]
    readings.reopen(books.db.conn, [(on.id, on.reading)])
    books.keep(dataclasses.replace(cut, cap=10), tracks_page(7, 8, 9, next_cursor=None, request="/2"))
    rows = books.rows("SELECT track_id, user_list_rank FROM user_engagements WHERE user_id = 10 AND track_id > 1")
    assert rows == [(5, 0), (6, 1), (7, 2), (8, 3), (9, 4)]
    assert ledger(books, on)[1] == "complete"


def test_a_short_page_does_not_end_a_list_and_neither_does_an_empty_one(open_books):
    """The predecessor took a page of 48 for the last one."""
    books = open_books()
    books.resolve(1)
    task = books.claim("track_likers")
    on = books.keep(task, users_page(10, next_cursor="/2")).task
    on = books.keep(on, users_page(next_cursor="/3")).task
    books.keep(on, users_page(11))
    assert ledger(books, task)[:4] == ("ended", "complete", None, 2)


@pytest.mark.parametrize("back_to", ["/1", "/2", "/3"])
def test_a_list_that_names_a_page_it_asked_before_is_a_loop_even_if_the_count_fits(open_books, back_to):
    books = open_books()
    books.resolve(1, likes_count=3)
    task = books.claim("track_likers")
    on = books.keep(task, users_page(10, request="/1", next_cursor="/2")).task
    on = books.keep(on, users_page(11, request="/2", next_cursor="/3")).task
    books.keep(on, users_page(12, request="/3", next_cursor=back_to))
    assert ledger(books, task)[1] == "loop"


def test_a_list_that_goes_round_in_pages_of_another_size_is_a_loop(open_books):
    books = open_books()
    books.resolve(1)
    committer = PageCommitter(books.db, books.run_id, canonical=canonical)
    task = books.claim("track_likers")
    on = committer.keep(task, users_page(10, request="/l?cursor=1&limit=100", next_cursor="/l?cursor=2&limit=200"), {})
    committer.keep(on.task, users_page(11, request="/l?cursor=2&limit=50", next_cursor="/l?cursor=1&limit=200"), {})
    assert ledger(books, task)[1] == "loop"


def test_twenty_pages_without_news_are_a_loop(open_books):
    books = open_books()
    books.resolve(1)
    task = on = books.claim("track_likers")
    for number in range(19):
        on = books.keep(on, users_page(next_cursor=f"/n/{number}")).task
    assert ledger(books, task)[1] is None
    books.keep(on, users_page(next_cursor="/n/19"))
    assert ledger(books, task)[1] == "loop"


def test_what_the_service_claimed_decides_whether_a_list_is_short(open_books):
    books = open_books()
    books.resolve(1, likes_count=50, reposts_count=2)
    likers, reposters = books.claim("track_likers"), books.claim("track_reposters")
    books.keep(likers, users_page(*range(10, 54)))
    books.keep(reposters, users_page())
    assert (ledger(books, likers)[1], ledger(books, reposters)[1]) == ("short", "complete")


@pytest.mark.parametrize(
    ("error", "outcome", "retryable"),
    [
        (Gone(status=404), "gone", 0),
        (Forbidden(status=403), "forbidden", 0),
        (UnexpectedReply(status=200, reply="[1]"), "unreadable", 0),
        (ServerTrouble(status=503), "failed", 1),
    ],
)
def test_a_failure_ends_its_list_alone_with_the_evidence(open_books, error, outcome, retryable):
    books = open_books()
    books.resolve(1)
    on = books.keep(books.claim("track_likers"), users_page(10, next_cursor="/2")).task
    books.committer.fail(on, error, NOW, {error.status: 1})
    assert ledger(books, on)[:4] == ("ended", outcome, "/2", 1)
    assert books.rows("SELECT class, status, reply, retryable FROM failures") == [
        (error.name, error.status, error.reply or None, retryable)
    ]


def test_a_gone_user_is_marked_gone(open_books):
    books = open_books()
    books.resolve(1)
    books.follow(10)
    books.committer.fail(books.claim("user_likes", 10), Gone(status=404), NOW, {404: 1})
    assert books.rows("SELECT status FROM users WHERE id = 10") == [("gone",)]


def test_an_identifier_without_a_number_is_a_failure_and_no_row(open_books):
    books = open_books()
    books.resolve(1)
    page = users_page(10, unsupported_urns=("soundcloud:users:abc",), skipped=1)
    books.keep(books.claim("track_likers"), page)
    assert books.rows("SELECT class, retryable, message LIKE '%soundcloud:users:abc%' FROM failures") == [
        ("unsupported_urn", 0, 1)
    ]


def test_requests_are_counted_with_the_page_that_they_brought(open_books):
    books = open_books()
    books.resolve(1)
    books.committer.keep(books.claim("track_likers"), users_page(10), {200: 1, 503: 2, 0: 1})
    assert books.rows("SELECT status, n FROM run_requests ORDER BY status") == [(0, 1), (200, 2), (503, 2)]


def test_a_page_that_cannot_be_committed_leaves_nothing(open_books):
    books = open_books()
    books.resolve(1)
    task = books.claim("track_likers")
    before = list(books.db.conn.iterdump())
    broken = users_page(10, 11)
    broken.users[11] = broken.users[11]._replace(username=object())
    with pytest.raises(Exception, match="object"):
        books.keep(task, broken)
    assert list(books.db.conn.iterdump()) == before


def test_a_cut_page_of_playlists_keeps_nobody_for_having_the_number_of_a_playlist(open_books):
    books = open_books(limits=Limits(read=("likers", "reposters", "playlists"), caps=(("playlists", 1),)))
    books.resolve(1)
    books.follow(10)
    playlists = {i: Playlist(i, owner, *[None] * 12) for i, owner in ((70, 10), (71, 72))}
    page = Page("/p", (70, 71), 2, playlists=playlists, users={i: a_user(i) for i in (10, 70, 72)}, fetched_at=NOW)
    books.keep(books.claim("user_playlists", 10), page)
    assert books.rows("SELECT id FROM playlists") == [(70,)]
    assert books.rows("SELECT id FROM users WHERE id IN (70, 72)") == []


@pytest.mark.parametrize(("tracks", "status"), [((5,), "ok"), ((), "gone")])
def test_a_thing_whose_other_list_names_something_is_there_whichever_comes_first(open_books, tracks, status):
    """One list's 404 says nothing of a person when another list of theirs is shown, and an empty one shows nothing."""
    books = open_books(limits=Limits(read=("likers", "reposters", "likes", "reposts")))
    books.resolve(1)
    books.follow(10, 11)
    for user, order in ((10, ("user_likes", "user_reposts")), (11, ("user_reposts", "user_likes"))):
        for kind in order:
            if kind == "user_likes":
                books.keep(books.claim(kind, user), tracks_page(*tracks))
            else:
                books.committer.fail(books.claim(kind, user), Gone(status=404), NOW, {})
    assert books.rows("SELECT id, status FROM users WHERE id IN (10, 11)") == [(10, status), (11, status)]
