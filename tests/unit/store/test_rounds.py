from hashlib import blake2b

import pytest

from harvest.errors import BadRequest, Gone, ServerTrouble
from harvest.models import Comment, Limits, Page, SeenAs
from harvest.store import rounds

from .conftest import NOW, SEED, a_user, tracks_page, users_page

LIKERS, REPOSTERS = "track_likers", "track_reposters"


def answer(books, kind, subject, page):
    return books.keep(books.claim(kind, subject), page)


def spill(books, track, likers=(), reposters=()):
    """Answer both lists of a track."""
    answer(books, LIKERS, track, users_page(*likers))
    answer(books, REPOSTERS, track, users_page(*reposters))


def visits(books, thing, columns="thing_id, round, depth, place, chance"):
    return books.rows(f"SELECT {columns} FROM visits WHERE thing = ? ORDER BY round, place IS NULL, place", thing)


def test_the_seed_is_visited_first_with_its_own_counts_as_claims(open_books):
    books = open_books(limits=Limits(max_listed=30))
    books.resolve(1, likes_count=5)
    assert books.rows(
        "SELECT t.kind, t.subject_id, r.claimed, w.depth, w.cap, o.kind FROM tasks t"
        " JOIN readings r ON r.task_id = t.id"
        " JOIN harvest_tasks w ON w.task_id = t.id JOIN tasks o ON o.id = w.parent_task_id ORDER BY t.id"
    ) == [(LIKERS, 1, 5, 1, 30, "resolve"), (REPOSTERS, 1, None, 1, 30, "resolve")]


def test_a_list_that_a_killed_run_was_reading_is_the_next_to_be_read(open_books):
    books = open_books()
    books.resolve(1)
    taken = books.frontier.claim()
    again = open_books()
    assert again.frontier.claim() == taken


def test_nobody_is_chosen_before_all_lists_of_the_round_have_ended(open_books):
    books = open_books(limits=Limits(max_users=4))
    books.resolve(1)
    answer(books, REPOSTERS, 1, users_page(20, 11, 21, 22))
    assert books.followed() == []
    answer(books, LIKERS, 1, users_page(10, 11))
    assert books.followed() == []
    assert books.next_round()
    assert books.followed() == [10, 11, 20, 21]


def test_the_bound_is_for_likers_and_reposters_together(open_books):
    """The predecessor took up to twice as many."""
    books = open_books(limits=Limits(max_users=2))
    books.resolve(1)
    spill(books, 1, (10, 11, 12), (20, 21))
    books.next_round()
    assert books.followed() == [10, 11]


def test_the_artist_is_followed_like_anybody_else_when_among_the_likers(open_books):
    """The predecessor marked the artist as done before reading."""
    books = open_books()
    books.resolve(1)
    spill(books, 1, (9000, 10))
    books.next_round()
    assert books.followed() == [9000, 10]


def test_commenters_count_after_likers_and_reposters_where_comments_are_read(open_books):
    books = open_books(limits=Limits(read=("likers", "reposters", "comments", "likes"), max_users=3))
    books.resolve(1)
    spill(books, 1, (10,), (20,))
    comments = {c: Comment(c, 1, user, NOW, None, "!") for c, user in ((90, 20), (91, 30), (92, 31), (93, None))}
    answer(
        books,
        "track_comments",
        1,
        Page("/c", tuple(comments), 4, comments=comments, users={i: a_user(i) for i in (20, 30, 31)}, fetched_at=NOW),
    )
    books.next_round()
    assert books.followed() == [10, 20, 30]


def test_one_thing_is_one_seed_whatever_its_addresses(open_books):
    books = open_books({SEED: Limits(max_users=5), SEED + "-alias": Limits(max_users=1)})
    one, two = books.harvest_ids
    books.resolve(1)
    books.resolve(1)  # the second address leads to the same track
    assert books.rows("SELECT address, aliases, thing, thing_id FROM seeds") == [
        (SEED, f'["{SEED}-alias"]', "track", 1)
    ]
    assert books.rows("SELECT id, options ->> 'max_users' FROM harvests") == [(one, 1)]  # asked for last
    assert books.rows("SELECT count(*) FROM pages p JOIN tasks t ON t.id = p.task_id AND t.kind = 'resolve'") == [(2,)]
    assert books.rows("PRAGMA foreign_key_check") == []
    spill(books, 1, (10, 11))
    books.next_round()
    assert books.followed(one) == [10]
    assert books.followed(two) == []


def test_an_address_that_is_found_late_leads_to_the_harvest_that_is_there(open_books):
    """The older harvest could not look its address up; the newer one has drained by another address since."""
    books = open_books({f"{SEED}-alias": Limits(max_users=5)})
    books.committer.fail(books.claim("resolve"), ServerTrouble(status=503), NOW, {})
    (lost,) = books.harvest_ids
    other = open_books({SEED: Limits(max_users=2)})
    other.resolve(1)
    spill(other, 1, (10, 11, 12))
    other.next_round()
    again = open_books({f"{SEED}-alias": Limits(max_users=5)})
    again.resolve(1)
    while again.next_round() and again.rows("SELECT count(*) FROM visits WHERE thing = 'user'") != [(3,)]:
        pass
    assert again.rows("SELECT id, options ->> 'max_users' FROM harvests") == [(other.harvest_ids[0], 5)]
    assert lost not in other.harvest_ids
    assert again.rows("PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("stopped_at", ["unread", "failed"])
def test_a_harvest_taken_up_by_another_address_keeps_the_round_it_is_in(open_books, stopped_at):
    """It was stopped with lists of its round unread, or when one had failed that may be tried again."""
    books = open_books({SEED: Limits(max_users=5)})
    books.resolve(1)
    if stopped_at == "failed":
        books.committer.fail(books.claim(LIKERS), ServerTrouble(status=503), NOW, {})
        answer(books, REPOSTERS, 1, users_page(20))
    alias = open_books({f"{SEED}-alias": Limits(max_users=5)})
    alias.resolve(1)
    assert alias.rows("SELECT id, round, state FROM harvests") == [(books.harvest_ids[0], 0, "running")]
    answer(alias, LIKERS, 1, users_page(10))
    if stopped_at == "unread":
        answer(alias, REPOSTERS, 1, users_page(20))
    assert alias.next_round()
    assert visits(alias, "user") == [(10, 1, 1, 0, 1.0), (20, 1, 1, 1, 1.0)]
    assert alias.rows("SELECT round FROM rounds") == [(0,)]


@pytest.mark.parametrize("begun", [False, True])
def test_harvests_that_run_together_and_become_one_go_one_round_on(open_books, begun):
    """Whichever of them is older, and whether or not the one that stays has begun."""
    alias = {f"{SEED}-alias": Limits(max_users=5)}
    if begun:
        books = open_books(alias)
        books.committer.fail(books.claim("resolve"), Gone(status=404), NOW, {})
        assert not books.next_round()
        before = open_books({SEED: Limits(max_users=5)})
        before.resolve(1)
        spill(before, 1, (10,), (20,))
    books = open_books({SEED: Limits(max_users=5), **alias})
    for _ in range(1 if begun else 2):
        books.resolve(1)
    assert books.rows("SELECT id, round FROM harvests") == [(books.harvest_ids[0], int(begun))]
    if not begun:
        spill(books, 1, (10,), (20,))
        assert books.next_round()
    assert visits(books, "user") == [(10, 1, 1, 0, 1.0), (20, 1, 1, 1, 1.0)]
    assert {task.subject_id for task in iter(books.frontier.claim, None)} == {10, 20}
    assert books.rows("SELECT round FROM rounds") == [(0,)]


def test_what_the_harvest_that_goes_has_visited_and_read_stays_visited(open_books):
    """It had a seed more, which turns out to be the other's own."""
    two_seeds = f"{SEED} {SEED}-alias"
    books = open_books({two_seeds: Limits(max_users=2)})
    books.committer.fail(books.claim("resolve", 2), Gone(status=404), NOW, {})
    books.resolve(1)
    spill(books, 1, (10, 11, 12))
    books.next_round()
    for user in (10, 11):
        answer(books, "user_likes", user, tracks_page(5))
    assert not books.next_round()
    other = open_books({SEED: Limits(max_users=1)})
    assert not other.next_round()
    again = open_books({two_seeds: Limits(max_users=1)})
    again.resolve(1)
    while again.next_round():
        pass
    assert again.rows("SELECT id, state FROM harvests") == [(other.harvest_ids[0], "drained")]
    assert visits(again, "user") == [(10, 1, 1, 0, None), (11, 1, 1, None, None)]
    assert again.rows("PRAGMA foreign_key_check") == []


def test_two_addresses_of_one_thing_in_one_command_are_one_seed(open_books):
    books = open_books({f"{SEED} {SEED}-alias": Limits()})
    books.resolve(1)
    books.resolve(1)
    assert books.rows("SELECT seed_url, seed_kind, seed_id FROM harvests") == [(SEED, "track", 1)]
    assert visits(books, "track") == [(1, 0, 0, 0, None)]


def test_a_list_read_for_one_harvest_serves_another(open_books):
    books = open_books({SEED: Limits(), f"{SEED} {SEED}-two": Limits(max_users=1)})
    one, two = books.harvest_ids
    books.resolve(1)
    books.resolve(2)
    spill(books, 1, (10, 11))
    spill(books, 2, (12,))
    books.next_round()
    assert books.followed(one) == [10, 11]
    assert books.followed(two) == [10, 12]
    assert books.rows("SELECT count(*) FROM tasks WHERE kind = 'track_likers'") == [(2,)]


def test_deeper_rounds_take_the_most_co_liked_tracks_ties_by_id(open_books):
    books = open_books(limits=Limits(depth=2, max_tracks=2))
    books.resolve(1)
    spill(books, 1, (10, 11))
    books.next_round()
    answer(books, "user_likes", 10, tracks_page(7, 6, 5, 1))
    answer(books, "user_likes", 11, tracks_page(7, 1, 9))
    assert books.next_round()
    assert visits(books, "track") == [(1, 0, 0, 0, None), (7, 2, 1, 0, None), (5, 2, 1, 1, None)]
    parents = books.rows(
        "SELECT v.thing_id, o.subject_id FROM visits v JOIN tasks o ON o.id = v.parent_task_id"
        " WHERE v.round = 2 ORDER BY 1"
    )
    assert parents == [(5, 10), (7, 10)]
    assert books.rows("SELECT level, round FROM harvests") == [(2, 2)]


def test_a_harvest_ends_with_the_people_of_its_last_depth(open_books):
    books = open_books(limits=Limits(depth=1))
    books.resolve(1)
    spill(books, 1, (10,))
    assert books.next_round()
    answer(books, "user_likes", 10, tracks_page(5))
    assert not books.next_round()
    assert books.rows("SELECT state, round FROM harvests") == [("drained", 1)]
    assert books.rows("SELECT round, page_id IS NOT NULL FROM rounds ORDER BY round") == [(0, 1), (1, 1)]


def test_depth_nothing_reads_the_seed_alone(open_books):
    books = open_books(limits=Limits(depth=0))
    books.resolve(1)
    spill(books, 1, (10,))
    assert not books.next_round()
    assert books.followed() == []


def test_a_step_whose_visits_would_read_nothing_is_not_taken(open_books):
    books = open_books(limits=Limits(caps=(("likes", 0),)))
    books.resolve(1)
    spill(books, 1, (10,))
    assert not books.next_round()
    assert books.followed() == []


def test_a_raised_cap_reopens_what_it_cut(open_books):
    books = open_books(limits=Limits(max_users=1, max_user_likes=1))
    books.resolve(1)
    spill(books, 1, (10, 11))
    books.next_round()
    task = books.claim("user_likes", 10)
    books.keep(task, tracks_page(5, 6))
    assert not books.next_round()
    again = open_books(limits=Limits(max_users=2, max_user_likes=2))
    claimed = again.claim("user_likes", 10)
    assert (claimed.id, claimed.cap, claimed.collected, claimed.cursor) == (task.id, 2, 1, None)
    again.keep(claimed, tracks_page(5, 6, request="/again"))
    again.next_round()
    assert again.followed() == [10, 11]


def test_a_list_turned_on_later_is_read_of_those_who_were_drawn(open_books):
    drawn = Limits(max_users=2, order="random", sample_seed=3)
    books = open_books(limits=drawn)
    books.resolve(1)
    spill(books, 1, (10, 11, 12, 13))
    books.next_round()
    chosen = books.followed()
    for user in chosen:
        answer(books, "user_likes", user, tracks_page(5))
    assert not books.next_round()
    again = open_books(
        limits=Limits(max_users=2, order="random", sample_seed=3, read=("likers", "reposters", "likes", "reposts"))
    )
    while again.next_round() and not again.rows("SELECT 1 FROM tasks WHERE kind = 'user_reposts'"):
        pass
    assert again.followed() == chosen
    assert again.rows("SELECT subject_id FROM tasks WHERE kind = 'user_reposts' ORDER BY id") == [(u,) for u in chosen]
    assert again.rows("SELECT DISTINCT chance FROM visits WHERE thing = 'user'") == [(0.5,)]


def test_lowered_bounds_drop_unread_people_and_keep_rows(open_books):
    books = open_books(limits=Limits(max_users=3))
    books.resolve(1)
    spill(books, 1, (10, 11, 12))
    books.next_round()
    answer(books, "user_likes", 12, tracks_page(5, next_cursor="/2"))
    again = open_books(limits=Limits(max_users=1))
    books.keep(again.claim("user_likes", 12), tracks_page(6))
    again.next_round()
    assert visits(again, "user") == [(10, 1, 1, 0, None), (12, 1, 1, None, None)]  # 11 was never begun
    assert again.rows("SELECT count(*) FROM users") == [(4,)]
    answer(again, "user_likes", 10, tracks_page(5))
    assert not again.next_round()
    assert again.rows("SELECT count(*) FROM tasks WHERE kind = 'user_likes'") == [(2,)]


def test_what_failed_for_a_passing_reason_gets_one_more_chance_before_its_round_closes(open_books):
    books = open_books(limits=Limits(max_users=5))
    books.resolve(1)
    answer(books, REPOSTERS, 1, users_page(20))
    on = answer(books, LIKERS, 1, users_page(10, next_cursor="/2")).task
    books.committer.fail(on, ServerTrouble(status=503), NOW, {})
    assert books.next_round()
    again = books.claim(LIKERS)
    assert (again.cursor, again.collected) == ("/2", 1)  # from where it stopped
    assert books.followed() == []
    books.committer.fail(again, ServerTrouble(status=503), NOW, {})
    assert books.next_round()
    assert visits(books, "user") == [
        (10, 1, 1, 0, None),
        (20, 1, 1, 1, None),
    ]  # a pool cut short
    assert books.rows("SELECT outcome, attempts FROM readings WHERE kind = 'track_likers'") == [("failed", 2)]


def test_what_is_gone_gets_no_second_chance(open_books):
    books = open_books()
    books.resolve(1)
    spill(books, 1, (10,))
    books.next_round()
    books.committer.fail(books.claim("user_likes", 10), Gone(status=404), NOW, {})
    assert not books.next_round()
    assert books.rows("SELECT status FROM users WHERE id = 10") == [("gone",)]


def test_failures_of_a_list_that_ends_well_after_all_are_resolved(open_books):
    books = open_books()
    books.resolve(1)
    books.committer.fail(books.claim(LIKERS), ServerTrouble(status=503), NOW, {})
    answer(books, REPOSTERS, 1, users_page())
    books.next_round()
    answer(books, LIKERS, 1, users_page(10))
    assert books.rows("SELECT class, resolved_at FROM failures") == [("server", NOW)]


def test_a_sample_is_drawn_by_lot_with_the_chance_of_everybody(open_books):
    books = open_books(limits=Limits(max_users=3, order="random", sample_seed=5))
    books.resolve(1)
    spill(books, 1, (10, 11, 12), (20, 11, 21))
    books.next_round()
    lots = sorted((10, 11, 12, 20, 21), key=lambda user: rounds.lot(5, user))
    assert visits(books, "user") == [(user, 1, 1, place, 3 / 5) for place, user in enumerate(lots[:3])]


def test_a_lot_is_the_same_for_ever():
    assert [rounds.lot(seed, user) for seed, user in ((0, 1), (0, 2), (1, 1))] == [
        int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1 for text in (b"0:1", b"0:2", b"1:1")
    ]


def test_a_sample_is_drawn_from_as_much_of_a_list_as_its_harvest_wants(open_books):
    """The other harvest has listed more people; they are none of ours."""
    two_seeds = f"{SEED} {SEED}-two"
    books = open_books({SEED: Limits(), two_seeds: Limits(max_users=2, max_listed=3, order="random")})
    one, two = books.harvest_ids
    books.resolve(1)
    books.resolve(2)
    spill(books, 1, range(10, 50), (11,))
    spill(books, 2)
    books.next_round()
    assert len(books.followed(one)) == 40
    assert set(books.followed(two)) == set(sorted((10, 11, 12), key=lambda user: rounds.lot(0, user))[:2])
    assert books.rows("SELECT DISTINCT chance FROM visits WHERE harvest_id = ? AND chance < 1", two) == [(2 / 3,)]


@pytest.mark.parametrize("arrivals", [(5, 6), (6, 5)])
def test_who_is_found_around_two_tracks_belongs_to_the_better_one_whichever_comes_first(open_books, arrivals):
    """Tracks 5 and 6 of the second level, 5 before 6, name person 30, in other places."""
    books = open_books(limits=Limits(depth=2))
    books.resolve(1)
    spill(books, 1, (10, 11))
    books.next_round()
    answer(books, "user_likes", 10, tracks_page(5, 6))
    answer(books, "user_likes", 11, tracks_page(5))
    books.next_round()
    pages = {5: (40, 41, 30), 6: (30,)}
    for track in arrivals:
        spill(books, track, pages[track])
    books.next_round()
    assert books.rows(
        "SELECT v.place, v.chance, o.subject_id, v.claims FROM visits v JOIN tasks o ON o.id = v.parent_task_id"
        " WHERE v.thing = 'user' AND v.thing_id = 30"
    ) == [(2, 1.0, 5, '{"user_likes":1}')]


def test_claims_stand_as_they_were_when_the_round_was_chosen(open_books):
    """Person 20 is named with 1 like; then, as an uploader, with 50."""
    books = open_books()
    books.resolve(1)
    spill(books, 1, (10,), (20,))
    books.next_round()
    heard = tracks_page(7)
    heard.users[20] = a_user(20, seen_as=SeenAs.EMBEDDED, likes_given_count=50)
    heard.tracks[7] = heard.tracks[7]._replace(uploader_id=20)
    answer(books, "user_likes", 10, heard)
    answer(books, "user_likes", 20, tracks_page(5))
    assert books.rows("SELECT claimed, outcome FROM tasks WHERE kind = 'user_likes' AND subject_id = 20") == [
        (1, "complete")
    ]


def test_who_moves_up_to_a_lesser_depth_is_visited_there(open_books):
    """Followed around a track of the second level first, around the seed when the bound is raised."""
    books = open_books(limits=Limits(depth=2, max_users=1))
    books.resolve(1)
    spill(books, 1, (10, 11))
    books.next_round()
    answer(books, "user_likes", 10, tracks_page(5))
    books.next_round()
    spill(books, 5, (11,))
    books.next_round()
    answer(books, "user_likes", 11, tracks_page(5))
    assert visits(books, "user", "thing_id, depth, place") == [(10, 1, 0), (11, 2, 0)]
    assert not books.next_round()
    again = open_books(limits=Limits(depth=2, max_users=2))
    while again.next_round():
        pass
    assert visits(again, "user", "thing_id, depth, place") == [(10, 1, 0), (11, 1, 1)]


def test_lists_of_a_harvest_that_is_not_at_work_are_left_alone(open_books):
    books = open_books({SEED: Limits(), f"{SEED}-two": Limits()})
    books.resolve(1)
    books.resolve(2)
    again = open_books({SEED: Limits()})
    assert {task.subject_id for task in iter(again.frontier.claim, None)} == {1}


def test_a_seed_that_is_found_in_the_end_is_visited_and_all_rounds_are_chosen_again(open_books):
    found, lost = "https://soundcloud.com/a/found", "https://soundcloud.com/a/lost"
    both = {f"{found} {lost}": Limits(max_users=2)}
    books = open_books(both)
    books.committer.fail(books.claim("resolve", 2), Gone("no such track", status=404), NOW, {})
    books.resolve(1)
    assert books.rows("SELECT reason FROM seeds ORDER BY id") == [(None,), ("no such track",)]
    spill(books, 1, (10, 11))
    books.next_round()
    books.keep(books.claim("user_likes", 10), tracks_page(5))

    later = open_books(both)  # still not found
    later.committer.fail(later.claim("resolve", 2), Gone(status=404), NOW, {})
    assert later.next_round()
    later.keep(later.claim("user_likes", 11), tracks_page(5))
    assert not later.next_round()
    assert visits(later, "user") == [(10, 1, 1, 0, 1.0), (11, 1, 1, 1, 1.0)]

    at_last = open_books(both)
    at_last.resolve(2)
    spill(at_last, 2, (11, 12))
    assert at_last.next_round()
    assert at_last.rows("SELECT DISTINCT reason FROM seeds") == [(None,)]
    assert visits(at_last, "track") == [(1, 0, 0, 0, None), (2, 0, 0, 1, None)]
    assert visits(at_last, "user") == [(10, 1, 1, 0, 1.0), (11, 1, 1, 1, 1.0), (12, 1, 1, 1, 1.0)]


def test_a_harvest_whose_address_leads_to_another_ones_seed_knows_its_seed(open_books):
    books = open_books({f"{SEED} https://soundcloud.com/a/other": Limits(depth=0)})
    books.resolve(1)
    books.resolve(2)
    spill(books, 1)
    spill(books, 2)
    books.next_round()
    alias = open_books({"https://on.soundcloud.com/AbC": Limits(depth=0)})
    alias.resolve(1)
    assert alias.rows("SELECT seed_kind, seed_id FROM harvests WHERE seed_url IS NOT NULL") == [("track", 1)]


def test_a_list_that_failed_beyond_what_a_harvest_wants_leaves_its_chances_known(open_books):
    drawn = {SEED: Limits(max_users=1, max_listed=2, order="random")}
    books = open_books(drawn)
    books.resolve(1)
    spill(books, 1, (10, 11, 12))
    books.next_round()
    other = open_books({f"{SEED} https://soundcloud.com/a/other": Limits(depth=0)})
    other.resolve(2)
    other.committer.fail(other.claim(LIKERS, 1), BadRequest("no", status=400), NOW, {})
    again = open_books({SEED: Limits(max_users=1, max_listed=2, order="random", sample_seed=1)})
    again.next_round()
    assert [row[-1] for row in visits(again, "user")] == [0.5]


def test_seeds_that_bring_nothing_are_told_however_absurd_their_claims(open_books):
    """A file of somebody else's may hold what no service says: the sum has no end of its own."""
    books = open_books({f"{SEED} {SEED}-2": Limits(read=("likers",))})
    books.resolve(1, likes_count=5)
    books.resolve(2, likes_count=5)
    for track in (1, 2):
        answer(books, LIKERS, track, users_page())
    books.db.conn.execute("UPDATE readings SET doubted = 2")
    books.db.conn.execute("UPDATE tasks SET claimed = ? WHERE kind = ?", (2**63 - 1, LIKERS))
    (barren,) = rounds.barren_seeds(books.db.conn, books.harvest_ids[0])
    assert barren[:2] == (LIKERS, 2)
    assert barren[2] >= 2**63 - 1
