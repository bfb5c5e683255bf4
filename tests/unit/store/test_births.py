from harvest.errors import Gone, ServerTrouble
from harvest.models import Limits
from harvest.store import harvests

from .conftest import NOW, SEED, tracks_page, users_page


def test_the_seed_gives_birth_to_likers_and_reposters_with_its_own_counts_as_claims(open_books):
    books = open_books(limits=Limits(max_listed=30))
    books.resolve(1, likes_count=5)
    assert books.rows(
        "SELECT t.kind, t.subject_id, t.claimed, w.depth, w.cap, o.kind FROM tasks t"
        " JOIN harvest_tasks w ON w.task_id = t.id JOIN tasks o ON o.id = w.parent_task_id ORDER BY t.id"
    ) == [("track_likers", 1, 5, 1, 30, "resolve"), ("track_reposters", 1, None, 1, 30, "resolve")]


def test_likers_are_followed_as_their_page_arrives_up_to_the_bound(open_books):
    books = open_books(limits=Limits(max_users=3))
    books.resolve(1)
    on = books.keep(books.claim("track_likers"), users_page(12, 11, next_cursor="/2")).task
    assert books.followed() == [12, 11]
    books.keep(on, users_page(14, 13))
    assert books.followed() == [12, 11, 14]


def test_reposters_come_after_likers_and_those_who_are_both_count_once(open_books):
    books = open_books(limits=Limits(max_users=4))
    books.resolve(1)
    likers, reposters = books.claim("track_likers"), books.claim("track_reposters")
    books.keep(reposters, users_page(20, 11, 21, 22))  # arrives first, waits for the likers
    assert books.followed() == []
    books.keep(likers, users_page(10, 11))
    assert books.followed() == [10, 11, 20, 21]


def test_who_is_chosen_does_not_depend_on_what_arrives_first(open_books):
    books = open_books(limits=Limits(max_users=4))
    books.resolve(1)
    likers, reposters = books.claim("track_likers"), books.claim("track_reposters")
    books.keep(likers, users_page(10, 11))
    on = books.keep(reposters, users_page(20, 11, next_cursor="/2")).task
    books.keep(on, users_page(21, 22))
    assert books.followed() == [10, 11, 20, 21]


def test_the_bound_is_for_likers_and_reposters_together(open_books):
    """The predecessor took up to twice as many (peers.md D.2, 16)."""
    books = open_books(limits=Limits(max_users=2))
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(10, 11, 12))
    books.keep(books.claim("track_reposters"), users_page(20, 21))
    assert books.followed() == [10, 11]


def test_reposters_wait_while_the_likers_may_still_be_retried(open_books):
    books = open_books(limits=Limits(max_users=4))
    books.resolve(1)
    likers, reposters = books.claim("track_likers"), books.claim("track_reposters")
    on = books.keep(likers, users_page(10, next_cursor="/2")).task
    books.keep(reposters, users_page(20))
    books.committer.fail(on, ServerTrouble(status=503), NOW, {})
    assert books.followed() == [10]


def test_the_artist_is_followed_like_anybody_else_when_among_the_likers(open_books):
    """The predecessor marked the artist as done before reading (peers.md D.2, 15)."""
    books = open_books()
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(9000, 10))
    assert books.followed() == [9000, 10]


def test_a_list_read_for_one_seed_serves_another_at_once(open_books):
    first, second = SEED, SEED + "-two"
    books = open_books({first: Limits(), second: Limits(max_users=1)})
    one, two = books.harvest_ids
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(10, 11))
    books.resolve(1)  # the second address is the same track
    assert books.followed(one) == [10, 11]
    assert books.followed(two) == [10]
    assert books.rows("SELECT count(*) FROM tasks WHERE kind = 'track_likers'") == [(1,)]


def test_a_deeper_level_takes_the_most_co_liked_tracks_ties_by_id(open_books):
    books = open_books(limits=Limits(depth=2, max_tracks=2))
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(10, 11))
    books.keep(books.claim("track_reposters"), users_page())
    books.keep(books.claim("user_likes", 10), tracks_page(7, 6, 5, 1))
    books.keep(books.claim("user_likes", 11), tracks_page(7, 1, 9))
    with books.db.atomic():
        assert harvests.spread_levels(books.db.conn, books.run_id, NOW)
    spilled = books.rows(
        "SELECT t.subject_id, w.listed_rank, o.subject_id FROM harvest_tasks w JOIN tasks t ON t.id = w.task_id"
        " JOIN tasks o ON o.id = w.parent_task_id WHERE w.depth = 2 AND t.kind = 'track_likers' ORDER BY 2"
    )
    assert spilled == [(7, 0, 10), (5, 1, 10)]


def test_a_deeper_level_waits_until_the_one_above_is_drained(open_books):
    books = open_books(limits=Limits(depth=2))
    books.resolve(1)
    with books.db.atomic():
        assert harvests.spread_levels(books.db.conn, books.run_id, NOW)
    assert books.rows("SELECT level FROM harvests") == [(1,)]


def test_a_raised_cap_reopens_what_it_cut(open_books, db):
    books = open_books(limits=Limits(max_users=1, max_user_likes=1))
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(10, 11))
    books.keep(books.claim("track_reposters"), users_page())
    task = books.claim("user_likes", 10)
    books.keep(task, tracks_page(5, 6))
    with db.atomic():
        assert not harvests.spread_levels(db.conn, books.run_id, NOW)
    again = open_books(limits=Limits(max_users=2, max_user_likes=2))
    assert again.followed() == [10, 11]
    claimed = again.claim("user_likes", 10)
    assert (claimed.id, claimed.cap, claimed.collected, claimed.cursor) == (task.id, 2, 1, None)


def test_lowered_bounds_drop_unread_lists_and_keep_rows(open_books):
    books = open_books(limits=Limits(max_users=3))
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(10, 11, 12))
    books.keep(books.claim("user_likes", 12), tracks_page(5, next_cursor="/2"))
    again = open_books(limits=Limits(max_users=1))
    assert again.followed() == [10, 12]  # 11 was never begun
    assert again.rows("SELECT count(*) FROM users") == [(4,)]


def test_what_failed_for_a_passing_reason_gets_one_more_round_in_a_run(open_books):
    books = open_books(limits=Limits(max_users=5))
    books.resolve(1)
    likers = books.claim("track_likers")
    books.keep(books.claim("track_reposters"), users_page(20))
    on = books.keep(likers, users_page(10, next_cursor="/2")).task
    books.committer.fail(on, ServerTrouble(status=503), NOW, {})
    books.committer.fail(books.claim("user_likes", 10), Gone(status=404), NOW, {})
    with books.db.atomic():
        assert harvests.spread_levels(books.db.conn, books.run_id, NOW)
    again = books.claim("track_likers")
    assert (again.cursor, again.collected) == ("/2", 1)  # from where it stopped
    assert books.rows("SELECT count(*) FROM tasks WHERE state = 'todo' AND kind = 'user_likes'") == [(0,)]
    books.committer.fail(again, ServerTrouble(status=503), NOW, {})
    with books.db.atomic():
        assert not harvests.spread_levels(books.db.conn, books.run_id, NOW)
    assert books.rows("SELECT state FROM harvests") == [("drained",)]
    assert books.rows("SELECT outcome, attempts FROM tasks WHERE kind = 'track_likers'") == [("failed", 2)]


def test_failures_of_a_list_that_ends_well_after_all_are_resolved(open_books):
    books = open_books()
    books.resolve(1)
    books.committer.fail(books.claim("track_likers"), ServerTrouble(status=503), NOW, {})
    books.keep(books.claim("track_reposters"), users_page())
    with books.db.atomic():
        harvests.spread_levels(books.db.conn, books.run_id, NOW)
    books.keep(books.claim("track_likers"), users_page(10))
    assert books.rows("SELECT class, resolved_at FROM failures") == [("server", NOW)]
