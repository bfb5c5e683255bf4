from hashlib import blake2b

import pytest

from harvest.errors import BadRequest, Gone, ServerTrouble
from harvest.models import Limits, SeenAs
from harvest.store import drawing, harvests

from .conftest import NOW, SEED, a_user, tracks_page, users_page


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


def test_a_sample_is_drawn_when_all_lists_have_ended_whichever_ends_first(open_books):
    for last in ("track_likers", "track_reposters"):
        books = open_books({f"{SEED}-{last}": Limits(max_users=3, order="random", sample_seed=5)})
        track = 1 if last == "track_likers" else 2
        books.resolve(track)
        pages = {"track_likers": users_page(10, 11, 12), "track_reposters": users_page(20, 11, 21)}
        first = next(kind for kind in pages if kind != last)
        books.keep(books.claim(first, track), pages[first])
        assert books.followed() == []
        books.keep(books.claim(last, track), pages[last])
        lots = sorted((10, 11, 12, 20, 21), key=lambda user: drawing.lot(5, user))
        assert set(books.followed()) == set(lots[:3])
        assert books.rows("SELECT DISTINCT chance FROM harvest_tasks WHERE chance IS NOT NULL") == [(3 / 5,)]


def test_a_sample_waits_for_a_list_that_may_be_retried_and_not_for_one_that_may_not(open_books):
    for error, expected in ((ServerTrouble(status=503), 0), (BadRequest(status=400), 2)):
        books = open_books({f"{SEED}-{error.status}": Limits(max_users=3, order="random")})
        books.resolve(error.status)
        books.keep(books.claim("track_likers", error.status), users_page(10, 11))
        books.committer.fail(books.claim("track_reposters", error.status), error, NOW, {})
        assert len(books.followed()) == expected


def test_a_lot_is_the_same_for_ever():
    assert [drawing.lot(seed, user) for seed, user in ((0, 1), (0, 2), (1, 1))] == [
        int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1 for text in (b"0:1", b"0:2", b"1:1")
    ]


def test_a_sample_is_drawn_from_as_much_of_a_list_as_its_harvest_wants(open_books):
    """The other harvest has listed more people; they are none of ours."""
    books = open_books({SEED: Limits(), f"{SEED}-two": Limits(max_users=2, max_listed=3, order="random")})
    one, two = books.harvest_ids
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(*range(10, 50)))
    books.keep(books.claim("track_reposters"), users_page(11))
    books.resolve(1)
    assert len(books.followed(one)) == 40
    assert set(books.followed(two)) == set(sorted((10, 11, 12), key=lambda user: drawing.lot(0, user))[:2])
    assert books.rows("SELECT DISTINCT chance FROM harvest_tasks WHERE harvest_id = ? AND chance < 1", two) == [
        (2 / 3,)
    ]


def telling(claimed, page):
    """Let every entry of a page of users say so many likes."""
    page.users.update({i: user._replace(likes_given_count=claimed) for i, user in page.users.items()})
    return page


@pytest.mark.parametrize("likers_end_first", [True, False])
def test_a_list_claims_what_the_entry_said_that_led_to_it_whatever_is_heard_in_between(open_books, likers_end_first):
    """The reposter is named with 1 like; as an uploader, before or after the likers' end, with 50."""
    books = open_books()
    books.resolve(1)
    books.keep(books.claim("track_reposters"), users_page(20))
    on = books.keep(books.claim("track_likers"), users_page(10, next_cursor="/2")).task
    heard = tracks_page(7)
    heard.users[20] = a_user(20, seen_as=SeenAs.EMBEDDED, likes_given_count=50)
    heard.tracks[7] = heard.tracks[7]._replace(uploader_id=20)
    if likers_end_first:
        books.keep(on, users_page())
    books.keep(books.claim("user_likes", 10), heard)
    if not likers_end_first:
        books.keep(on, users_page())
    books.keep(books.claim("user_likes", 20), tracks_page(5))
    assert books.rows("SELECT claimed, claimed_at, outcome FROM tasks WHERE subject_id = 20") == [(1, NOW, "complete")]


def test_an_entry_that_says_nothing_claims_nothing_whatever_others_say(open_books):
    books = open_books()
    books.resolve(1)
    books.keep(books.claim("track_reposters"), users_page(10))
    silent = users_page(10)
    silent.users[10] = a_user(10)
    books.keep(books.claim("track_likers"), silent)
    assert books.rows("SELECT claimed, claimed_at FROM tasks WHERE subject_id = 10") == [(None, None)]


@pytest.mark.parametrize("arrivals", [(5, 6), (6, 5)])
def test_who_is_found_around_two_tracks_belongs_to_the_better_one_whichever_comes_first(open_books, arrivals):
    """Tracks 5 and 6 of the second level, 5 before 6, name person 30, in other places and with other claims."""
    books = open_books(limits=Limits(depth=2))
    books.resolve(1)
    books.keep(books.claim("track_likers", 1), users_page(10, 11))
    books.keep(books.claim("track_reposters", 1), users_page())
    books.keep(books.claim("user_likes", 10), tracks_page(5, 6))
    books.keep(books.claim("user_likes", 11), tracks_page(5))
    with books.db.atomic():
        assert harvests.spread_levels(books.db.conn, books.run_id, NOW)
    pages = {5: users_page(40, 41, 30), 6: users_page(30)}
    pages[5].users[30] = a_user(30, likes_given_count=9)
    for track in arrivals:
        books.keep(books.claim("track_likers", track), pages[track])
        books.keep(books.claim("track_reposters", track), users_page())
    books.keep(books.claim("user_likes", 30), tracks_page(50))
    assert books.rows(
        "SELECT w.listed_rank, w.chance, o.subject_id, t.claimed, t.outcome FROM harvest_tasks w"
        " JOIN tasks t ON t.id = w.task_id JOIN tasks o ON o.id = w.parent_task_id WHERE t.subject_id = 30"
    ) == [(2, 1.0, 5, 9, "short")]


def test_the_claim_of_a_list_that_is_being_read_may_change_meanwhile(open_books):
    books = open_books({SEED: Limits(), f"{SEED}-two": Limits()})
    books.resolve(1)
    books.resolve(2)
    books.keep(books.claim("track_likers", 2), users_page(10))
    on = books.keep(books.claim("user_likes", 10), tracks_page(5, next_cursor="/2")).task
    books.keep(books.claim("track_likers", 1), telling(9, users_page(10)))
    receipt = books.keep(on, tracks_page(6))
    assert (receipt.outcome, receipt.task.claimed) == ("short", 9)


def test_a_list_that_has_ended_is_judged_again_when_the_entry_comes_that_counts(open_books):
    books = open_books({SEED: Limits(), f"{SEED}-two": Limits()})
    books.resolve(1)
    books.resolve(2)
    books.keep(books.claim("track_likers", 2), users_page(10))
    books.keep(books.claim("user_likes", 10), tracks_page(5))
    assert books.rows("SELECT claimed, outcome FROM tasks WHERE subject_id = 10") == [(1, "complete")]
    books.keep(books.claim("track_likers", 1), telling(9, users_page(10)))
    assert books.rows("SELECT claimed, outcome FROM tasks WHERE subject_id = 10") == [(9, "short")]


def test_who_moves_up_to_a_lesser_depth_is_wanted_there(open_books):
    """Followed around a track of the second level first, around the seed when the bound is raised."""
    books = open_books(limits=Limits(depth=2, max_users=1))
    books.resolve(1)
    books.keep(books.claim("track_likers", 1), users_page(10, 11))
    books.keep(books.claim("track_reposters", 1), users_page())
    books.keep(books.claim("user_likes", 10), tracks_page(5))
    with books.db.atomic():
        assert harvests.spread_levels(books.db.conn, books.run_id, NOW)
    books.keep(books.claim("track_likers", 5), users_page(11))
    wish = "SELECT w.depth, w.listed_rank FROM harvest_tasks w JOIN tasks t ON t.id = w.task_id WHERE t.subject_id = 11"
    assert books.rows(wish) == [(2, 0)]
    assert open_books(limits=Limits(depth=2, max_users=2)).rows(wish) == [(1, 1)]
