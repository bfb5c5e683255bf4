import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvest.models import SeenAs
from harvest.store.entities import Sighting, fold_tag, merge_tags, merge_tracks, merge_users

from .conftest import NOW, a_track, a_user

LATER = "2026-11-21T10:00:00Z"


@pytest.fixture
def graph(db, open_books):
    books = open_books()
    for number in range(2):
        db.conn.execute(
            "INSERT INTO pages (task_id, reading, number, run_id, request, first_rank, received, skipped, kept,"
            " fetched_at, elapsed_ms, bytes) VALUES (1, 0, ?, ?, '', 0, 0, 0, 0, '', 0, 0)",
            (number, books.run_id),
        )
    return db.conn


def see_user(conn, user, at=NOW, page=1):
    merge_users(conn, [user], Sighting(page, at))


def user_row(conn, *columns):
    return conn.execute(f"SELECT {', '.join(columns)} FROM users").fetchone()


def test_an_embedded_user_never_damages_a_full_one(graph):
    full = a_user(
        7, seen_as=SeenAs.FULL, username="Ada", followers_count=12, likes_given_count=40, avatar_url="https://a/1.jpg"
    )
    see_user(graph, full)
    see_user(graph, a_user(7, seen_as=SeenAs.EMBEDDED, username="Ada", followers_count=0, likes_given_count=0), LATER)
    columns = ("username", "followers_count", "likes_given_count", "avatar_url", "seen_as")
    assert tuple(user_row(graph, *columns)) == ("Ada", 12, 40, "https://a/1.jpg", "full")


def test_a_newer_name_replaces_an_older_one_and_null_replaces_nothing(graph):
    see_user(graph, a_user(7, username="Ada", city="Turin"))
    see_user(graph, a_user(7, username="Ada L.", city=None), LATER)
    assert tuple(user_row(graph, "username", "city")) == ("Ada L.", "Turin")


def test_an_older_sighting_fills_gaps_only(graph):
    see_user(graph, a_user(7, username="new", followers_count=5), LATER, 1)
    see_user(graph, a_user(7, username="old", followers_count=3, avatar_url="x"), NOW, 2)
    assert tuple(user_row(graph, "username", "followers_count", "avatar_url")) == ("new", 5, "x")


def test_unknown_counts_stay_null_and_unseen(graph):
    see_user(graph, a_user(7, seen_as=SeenAs.EMBEDDED))
    assert tuple(user_row(graph, "followers_count", "counts_seen_at", "counts_page_id")) == (None, None, None)
    see_user(graph, a_user(7, followers_count=0), LATER)
    assert tuple(user_row(graph, "followers_count", "counts_seen_at", "seen_as")) == (0, LATER, "list")


def test_counts_get_rows_only_when_they_change_and_the_first_sighting_is_the_first(graph):
    track = a_track(3, likes_count=10, playback_count=100)
    merge_tracks(graph, [a_track(3)], Sighting(1, NOW))
    merge_tracks(graph, [track], Sighting(1, NOW))
    merge_tracks(graph, [track], Sighting(2, NOW))
    assert graph.execute("SELECT count(*) FROM track_counts").fetchone()[0] == 0
    merge_tracks(graph, [track._replace(likes_count=11)], Sighting(2, LATER))
    assert [tuple(r) for r in graph.execute("SELECT id, page_id, playback_count, likes_count FROM track_counts")] == [
        (3, 1, 100, 10),
        (3, 2, 100, 11),
    ]


def test_the_history_of_a_person_begins_with_the_first_sighting(graph):
    for page, followers in ((1, 100), (2, 777), (2, 777)):
        see_user(graph, a_user(7, followers_count=followers), NOW, page)
    assert [tuple(row) for row in graph.execute("SELECT id, page_id, followers_count FROM user_counts")] == [
        (7, 1, 100),
        (7, 2, 777),
    ]


def test_a_row_that_says_nothing_new_is_not_written(graph):
    user = a_user(7, followers_count=5)
    see_user(graph, user, "2026-11-20T10:00:00Z")
    before = graph.total_changes
    see_user(graph, user, "2026-11-20T23:00:00Z", 2)
    assert graph.total_changes == before
    see_user(graph, user, "2026-11-21T00:00:00Z", 2)
    assert user_row(graph, "last_seen_on")[0] == "2026-11-21"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(SeenAs)),
            st.sampled_from([None, 4]),
            st.sampled_from([None, "https://soundcloud.com/ada"]),
        ),
        min_size=1,
        max_size=5,
    ).flatmap(lambda seen: st.tuples(st.just(seen), st.permutations(seen)))
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_of_an_unchanging_user_the_order_of_sightings_does_not_matter(graph, both):
    results = []
    for order in both:
        graph.execute("DELETE FROM users")
        for seen_as, count, url in order:
            see_user(graph, a_user(7, seen_as=seen_as, permalink_url=url, followers_count=count))
        results.append(tuple(user_row(graph, "permalink_url", "followers_count", "seen_as")))
    assert results[0] == results[1]


def test_tags_are_kept_as_typed_and_folded(graph):
    merge_tracks(graph, [a_track(1), a_track(2)], Sighting(1, NOW))
    merge_tags(graph, {1: ("hip hop", "deep house"), 2: ("Hip-Hop",)}, Sighting(1, NOW))
    rows = graph.execute(
        "SELECT tt.track_id, t.name, t.folded FROM track_tags tt JOIN tags t ON t.id = tt.tag_id ORDER BY 1, 2"
    )
    assert [tuple(r) for r in rows] == [
        (1, "deep house", "deephouse"),
        (1, "hip hop", "hiphop"),
        (2, "Hip-Hop", "hiphop"),
    ]


OLDER, LATER = "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("sightings", "tags"),
    [
        ([(NOW, ("a", "b")), (LATER, ("b", "c"))], {"b", "c"}),
        ([(NOW, ("a", "b")), (NOW, ("b",))], {"b"}),  # of one day, the one that came in later
        ([(NOW, ("a", "b")), (LATER, ())], set()),  # known to have none
        ([(NOW, ("a", "b")), (LATER, None)], {"a", "b"}),  # not said
        ([(LATER, ("b", "c")), (NOW, ("a", "b"))], {"b", "c"}),
        ([(LATER, ()), (OLDER, ("a",))], set()),
        ([(NOW, ('say "x"', "é\U0001f600", "o'clock")), (LATER, ("é\U0001f600",))], {"é\U0001f600"}),
    ],
)
def test_the_tags_of_a_track_are_those_of_its_newest_sighting(graph, sightings, tags):
    for page, (seen_at, those) in enumerate(sightings, start=1):
        merge_tracks(graph, [a_track(1), a_track(2)], Sighting(page, seen_at))
        merge_tags(graph, {2: ("a", "b", "c"), **({} if those is None else {1: those})}, Sighting(page, seen_at))
    names = "SELECT t.name FROM track_tags AS c JOIN tags AS t ON t.id = c.tag_id WHERE c.track_id = ?"
    assert {row[0] for row in graph.execute(names, (1,))} == tags
    assert {row[0] for row in graph.execute(names, (2,))} == {"a", "b", "c"}


@pytest.mark.parametrize(
    "name", ["hip hop", "Hip-Hop", "hiphop", "HIP HOP", "hip_hop", "ｈｉｐ　ｈｏｐ", "ｈｉｐｈｏｐ"]
)
def test_spellings_fold_into_one(name):
    assert fold_tag(name) == "hiphop"


@pytest.mark.parametrize(
    "spellings",
    [
        ("Café", "Cafe\u0301", "CAFÉ", "CAFE\u0301"),
        ("ﬁre", "fire"),
        ("İ", "i\u0307"),
        ("Straße", "STRASSE"),
        ("①", "1"),
    ],
)
def test_the_same_letters_in_other_characters_fold_into_one(spellings):
    assert len({fold_tag(name) for name in spellings}) == 1
