"""Real files, analysed; every pair of every table against brute force with plain sets."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvest.analysis.methods import RELATED, SIMILAR, Choices
from harvest.errors import CrawlBusy, SettingsError, StoreError
from tests.analysing import LikesFile, expected_artists, expected_related, expected_similar

CHOICES = Choices(neighbours=3, min_common=2, newest=6)
COMPARED = (*RELATED, *SIMILAR, "coliked", "shared_fans")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[LikesFile]:
    with LikesFile(tmp_path / "likes.db") as made:
        yield made


def expected(file: LikesFile, method: str, choices: Choices = CHOICES):
    if method in RELATED:
        return expected_related(file, method.split("_")[1], choices)
    if method in SIMILAR:
        return expected_similar(file, method.split("_")[1], choices)
    return expected_artists(file, 2 if method == "shared_fans" else 1, choices)


def assert_as_expected(file: LikesFile, choices: Choices = CHOICES):
    for method in COMPARED:
        found, wanted = file.pairs(method), expected(file, method, choices)
        if method == "colike_npmi":  # a machine's logarithm may differ in the last digit
            assert found.keys() == wanted.keys()
            for pair, values in wanted.items():
                assert found[pair][1] == pytest.approx(values[1], abs=1e-11)
                assert found[pair][::2] == values[::2]
        else:
            assert found == wanted, method
    assert file.read("SELECT DISTINCT state FROM derivations") == [("whole",)]
    assert file.read("PRAGMA foreign_key_check") == []


def some_likes(file: LikesFile) -> LikesFile:
    """Seven people, one frame, one list cut, artists with two tracks each."""
    lists = {1: [1, 2, 3, 4], 2: [1, 2, 3, 5], 3: [1, 2, 5, 6], 4: [1, 3, 4, 6, 7], 5: [2, 1, 8], 6: [1, 5, 2, 3, 8]}
    for track in range(1, 9):
        file.title(track, f"Track {track}", artist=100 + track // 2)
        file.counted(track, 40 * track)
    for user, tracks in lists.items():
        file.likes(user, tracks)
    file.likes(7, [2, 3, 4], outcome="capped")
    file.frame(1)
    return file


def test_every_pair_is_that_of_brute_force(file):
    some_likes(file).analysed(*COMPARED, choices=CHOICES)
    assert_as_expected(file)
    assert len(file.pairs("colike_cosine")) == 13


def test_a_pair_has_one_score_whichever_track_it_stands_under(file):
    """And both ways, where nothing is cut off; frames stand in their own rows alone."""
    some_likes(file).analysed("colike_cosine", choices=Choices(neighbours=50, min_common=1))
    pairs = file.pairs("colike_cosine")
    for (one, other), (common, score, _, _) in pairs.items():
        if one != 1:
            assert pairs[other, one][:2] == (common, score)
    assert {one for one, other in pairs if other == 1} == set()


def test_lists_that_are_not_whole_are_left_out_unless_asked_for(file):
    made = some_likes(file).analysed("colike_cosine", choices=CHOICES)
    assert (made.people, made.lists_left_out) == (6, {"capped": 1})
    more = Choices(neighbours=3, min_common=2, newest=6, include_incomplete=True)
    made = file.analysed(*COMPARED, choices=more)
    assert (made.people, made.lists_left_out) == (7, {})
    assert_as_expected(file, more)


def test_a_like_known_from_the_tracks_list_alone_does_not_count(file):
    for user in (1, 2, 3):
        file.likes(user, [5, 6])
    for user in (1, 2, 3):
        file.listed(user, 7)
    file.analysed("colike_cosine")
    assert set(file.pairs("colike_cosine")) == {(5, 6), (6, 5)}


def test_only_the_newest_likes_of_a_long_list_count(file):
    for user in (1, 2, 3):
        file.likes(user, [1, 2, 3])
    for user in (1, 2, 3):
        file.likes(user, [9], newer=True)
    file.analysed("colike_cosine", choices=Choices(newest=2))
    assert set(file.pairs("colike_cosine")) == {(1, 9), (9, 1)}


def test_a_frame_without_a_count_of_the_service_is_compared_with_nothing(file):
    some_likes(file).counted(1, None)
    file.analysed(*COMPARED, choices=CHOICES)
    assert_as_expected(file)
    assert [pair for pair in file.pairs("colike_cosine") if 1 in pair] == []


def test_the_derivation_says_what_went_in(file):
    some_likes(file).analysed("colike_cosine", choices=CHOICES)
    ((parameters, newest, lists, state),) = file.read(
        "SELECT parameters, max_page_id, lists_used, state FROM derivations"
    )
    assert (
        parameters == '{"frames": "auto", "include_incomplete": false, "min_common": 2, "neighbours": 3, "newest": 6}'
    )
    assert (newest, lists, state) == (file.read("SELECT max(id) FROM pages")[0][0], 6, "whole")
    assert file.read("SELECT subject_id, size, frame FROM derivation_sizes") == [
        (1, 6, 1),
        (2, 5, 0),
        (3, 4, 0),
        (4, 2, 0),
        (5, 3, 0),
        (6, 2, 0),
        (8, 2, 0),
    ]


@st.composite
def histories(draw):
    """How a file grows, and once in a while shrinks, between analyses."""
    users, tracks = st.integers(1, 9), st.integers(1, 10)
    some = st.lists(tracks, min_size=1, max_size=7, unique=True)
    step = st.one_of(
        st.tuples(st.just("likes"), users, some, st.sampled_from(["complete", "complete", "short", "capped"])),
        st.tuples(st.just("newer"), users, some),
        st.tuples(st.just("frame"), tracks),
        st.tuples(st.just("counted"), tracks, st.sampled_from([None, 5, 50, 500])),
        st.tuples(st.just("forget"), users),
    )
    first = draw(st.lists(st.tuples(st.just("likes"), users, some, st.just("complete")), min_size=4, max_size=9))
    return [first, *draw(st.lists(st.lists(step, min_size=1, max_size=3), min_size=1, max_size=3))]


def play(file: LikesFile, steps) -> None:
    for what, *values in steps:
        if what == "newer":
            file.likes(*values, newer=True)
        elif what == "likes":
            user, tracks, outcome = values
            file.likes(user, tracks, outcome=outcome)
        else:
            getattr(file, what)(*values)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_a_grown_file_analysed_again_equals_one_analysed_at_once(tmp_path_factory, history):
    grown_step_by_step(tmp_path_factory, history)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_the_same_forty_grown_files_analysed_again_equal_those_analysed_at_once(tmp_path_factory, history):
    grown_step_by_step(tmp_path_factory, history)


@pytest.mark.soak
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_many_grown_files_analysed_again_equal_those_analysed_at_once(tmp_path_factory, history):
    grown_step_by_step(tmp_path_factory, history)


def grown_step_by_step(tmp_path_factory, history) -> None:
    with LikesFile(tmp_path_factory.mktemp("grown") / "likes.db") as file:
        for track in range(1, 11):
            file.title(track, f"Track {track}", artist=100 + track // 2)
        file.frame(1)
        for steps in history:
            play(file, steps)
            try:
                file.analysed(*COMPARED, choices=CHOICES)
            except SettingsError:  # nobody's list is whole any more
                return
            assert_as_expected(file)


def test_growth_elsewhere_leaves_most_alone(file):
    """Two circles of people that have nothing in common: what the second one adds is computed, the first one stays."""
    for user in range(1, 7):
        file.likes(user, [1, 2, 3, 4, user + 10])
    for user in range(21, 27):
        file.likes(user, [31, 32, 33])
    assert file.analysed("colike_cosine", "taste_cosine").methods[0].computed == 7
    file.likes(27, [31, 33, 34])
    made = file.analysed("colike_cosine", "taste_cosine")
    assert [done.computed for done in made.methods] == [3, 1]
    assert file.pairs("colike_cosine") == expected_related(file, "cosine", Choices())


def test_who_is_gone_is_gone_from_the_rows_of_others(file):
    """All they had in common goes with the first of them, so nothing but the old result leads to the second."""
    file.likes(1, [1, 3, 8])
    file.likes(2, [1, 3, 8])
    file.likes(3, [5])
    file.analysed("taste_cosine", "colike_cosine", choices=CHOICES)
    assert set(file.pairs("taste_cosine")) == {(1, 2), (2, 1)}
    file.forget(1)
    file.analysed("taste_cosine", "colike_cosine", choices=CHOICES)
    assert file.pairs("taste_cosine") == file.pairs("colike_cosine") == {}


def test_who_becomes_nearer_enters_the_rows_of_others(file):
    """Track 3 loses likers that have nothing to do with track 1, and is nearer to it than track 2 from then on."""
    for user, tracks in {1: [1, 2, 3], 2: [1, 2, 3], 3: [1, 2], 4: [1, 3], 5: [2], 6: [3], 7: [3], 8: [3]}.items():
        file.likes(user, tracks)
    nearest = Choices(neighbours=1, min_common=2)
    file.analysed("colike_cosine", choices=nearest)
    assert dict(file.pairs("colike_cosine").keys())[1] == 2
    for user in (6, 7, 8):
        file.forget(user)
    made = file.analysed("colike_cosine", choices=nearest)
    assert dict(file.pairs("colike_cosine").keys())[1] == 3
    assert file.pairs("colike_cosine") == expected_related(file, "cosine", nearest)
    assert made.methods[0].computed == 3


def test_other_counts_of_the_service_change_the_row_of_a_frame_alone(file):
    some_likes(file).analysed("colike_cosine", choices=CHOICES)
    file.counted(5, 7)
    made = file.analysed("colike_cosine", choices=CHOICES)
    assert made.methods[0].computed == 1
    assert file.pairs("colike_cosine") == expected(file, "colike_cosine")


def test_more_people_change_every_lift(file):
    some_likes(file).analysed("colike_lift", choices=CHOICES)
    file.likes(8, [10, 11])
    assert file.analysed("colike_lift", choices=CHOICES).methods[0].computed == 7
    assert file.pairs("colike_lift") == expected(file, "colike_lift")


def test_nothing_is_left_behind_when_everything_is_computed_again(file):
    """The highest ids are gone, and the lowest: no block begins or ends with them any more."""
    for user in (1, 2):
        file.likes(user, [1, 2, 90, 91])
    for user in (3, 4):
        file.likes(user, [20, 21, 22])
    file.analysed("colike_cosine", choices=CHOICES)
    file.forget(1)
    file.analysed("colike_cosine", choices=CHOICES, fresh=True)
    assert {one for one, _ in file.pairs("colike_cosine")} == {20, 21, 22}


def test_a_file_that_has_not_changed_is_not_computed_again(file):
    some_likes(file).analysed(*COMPARED, choices=CHOICES)
    made = file.analysed(choices=CHOICES)
    assert {done.method: done.computed for done in made.methods if done.method in COMPARED} == dict.fromkeys(
        COMPARED, 0
    )
    assert file.analysed("colike_cosine", choices=CHOICES, fresh=True).methods[0].computed == 7


def test_pages_that_change_no_like_are_taken_into_account_without_computing(file):
    for user in (1, 2, 3):
        file.likes(user, [1, 2])
    file.analysed("colike_cosine")
    file.counted(1, 50)
    assert file.analysed("colike_cosine").methods[0].computed == 0
    assert file.read("SELECT max_page_id FROM derivations") == file.read("SELECT max(id) FROM pages")


def test_other_choices_compute_everything_again(file):
    some_likes(file).analysed("colike_cosine", choices=CHOICES)
    file.analysed("colike_cosine", choices=Choices(neighbours=1, min_common=1))
    assert file.pairs("colike_cosine") == expected_related(file, "cosine", Choices(neighbours=1, min_common=1))


class Interrupted(BaseException):
    """Stands for Ctrl-C."""


def stopping_after(blocks: int):
    def told(method: str, share: float) -> None:
        nonlocal blocks
        if share > 0:
            blocks -= 1
            if not blocks:
                raise Interrupted

    return told


@pytest.mark.parametrize("stop", range(1, 8))
@pytest.mark.parametrize("then", ["nothing", "growth"])
def test_an_interrupted_analysis_goes_on_and_ends_the_same(file, monkeypatch, stop, then):
    """One row a block; stopped after any of them; the file may grow before the next run."""
    monkeypatch.setattr("harvest.analysis.run._entries", lambda library, memory: 1)
    some_likes(file)
    with pytest.raises(Interrupted):
        file.analysed("colike_cosine", choices=CHOICES, told=stopping_after(stop))
    assert file.read("SELECT state, done_to FROM derivations") == [("unfinished", [1, 2, 3, 4, 5, 6, 8][stop - 1])]
    assert file.read("SELECT count(*) FROM lease") == [(0,)]
    if then == "growth":
        file.likes(8, [2, 3, 6, 7])
    made = file.analysed("colike_cosine", choices=CHOICES)
    assert made.methods[0].computed == (7 - stop if then == "nothing" else 8)
    assert file.pairs("colike_cosine") == expected(file, "colike_cosine")


@pytest.mark.parametrize("stop", range(1, 6))
@pytest.mark.parametrize("then", ["nothing", "growth"])
def test_interrupted_while_catching_up_it_ends_the_same(file, monkeypatch, stop, then):
    monkeypatch.setattr("harvest.analysis.run._entries", lambda library, memory: 1)
    some_likes(file).analysed("colike_cosine", choices=CHOICES)
    file.likes(8, [4, 6, 7])
    with pytest.raises(Interrupted):
        file.analysed("colike_cosine", choices=CHOICES, told=stopping_after(stop))
    assert file.read("SELECT state FROM derivations") == [("unfinished",)]
    if then == "growth":
        file.likes(9, [2, 3, 8])
        file.forget(4)
    file.analysed("colike_cosine", choices=CHOICES)
    assert file.pairs("colike_cosine") == expected(file, "colike_cosine")
    assert file.read("SELECT state FROM derivations") == [("whole",)]


def test_a_file_in_use_is_left_alone(file):
    from datetime import UTC, datetime

    from harvest.system.processes import born

    some_likes(file)
    connection = sqlite3.connect(file.path)
    with connection:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        import socket

        connection.execute("INSERT INTO lease VALUES (1, '', ?, 1, ?, ?)", (socket.gethostname(), born(1) or "", now))
    connection.close()
    with pytest.raises(CrawlBusy, match=r"by process 1 .*then analyse again\."):
        file.analysed()
    assert file.read("SELECT count(*) FROM derivations") == [(0,)]


def test_nothing_whole_to_analyse_says_what_to_do(file):
    file.likes(1, [1, 2, 3], outcome="capped")
    with pytest.raises(SettingsError, match=r"\(1 capped\)\. Crawl with a higher --max-user-likes"):
        file.analysed()


def test_a_crawl_that_has_read_no_list_yet_says_how_to_go_on(file):
    with pytest.raises(SettingsError, match=r"that were read holds a like\. .* `harvest resume` reads them\.$"):
        file.analysed()


def test_too_little_memory_says_how_much_is_needed(file, monkeypatch):
    some_likes(file)
    monkeypatch.setattr("harvest.analysis.run._BASE_MB", 600)
    with pytest.raises(SettingsError, match=r"25 likes need more memory: say --memory 621"):
        file.analysed()


def test_a_missing_file_is_not_made(tmp_path):
    from harvest.analysis.run import analyse
    from harvest.system.clock import SystemClock

    with pytest.raises(StoreError, match="There is no file"):
        analyse(tmp_path / "no.db", (), Choices(), clock=SystemClock(), memory_mb=512)
    assert list(tmp_path.iterdir()) == []


def test_names_in_titles_and_labels_relate_artists(file):
    for number, name in ((201, "Koan"), (202, "Mira Lane"), (203, "Two Names"), (204, "Two Names"), (205, "Solvent")):
        file.name(number, name)
    file.title(1, "Koan - Night Bus (feat. Mira Lane)", artist=201, label="Deep Cuts")
    file.title(2, "Night Bus (Mira Lane Remix)", artist=201, label="deep cuts")
    file.title(3, "Solvent x Two Names - Rain", artist=205, label="Deep-Cuts")
    file.title(4, "Again ft. Mira Lane", artist=201, label="Other")
    for track, artist in ((6, 202), (7, 203), (8, 204)):
        file.title(track, "Own", artist=artist)
    file.likes(1, [1])
    file.analysed("featuring", "remix", "together", "label")
    assert file.pairs("featuring") == {(201, 202): (2, 2.0), (202, 201): (2, 2.0)}
    assert file.pairs("remix") == {(201, 202): (1, 1.0), (202, 201): (1, 1.0)}
    assert file.pairs("together") == {}  # which of the two 'Two Names' is meant, nobody knows
    assert file.pairs("label") == {(201, 205): (1, 0.5), (205, 201): (1, 0.5)}
    file.title(5, "Koan & Solvent - Rain", artist=205)
    file.likes(2, [5])
    assert [done.computed for done in file.analysed("together", "label").methods] == [None, None]
    assert file.pairs("together") == {(201, 205): (1, 1.0), (205, 201): (1, 1.0)}
    assert [done.computed for done in file.analysed("together", "label").methods] == [0, 0]


def test_a_fan_likes_at_least_two_tracks(file):
    """Four people like both artists; three of them like two tracks of each."""
    for track, artist in ((2, 101), (3, 101), (4, 102), (5, 102), (6, 103)):
        file.title(track, "x", artist=artist)
    for user in (1, 2, 3):
        file.likes(user, [2, 3, 4, 5, 6])
    file.likes(4, [2, 4, 6])
    file.analysed("coliked", "shared_fans")
    assert file.pairs("shared_fans") == {(101, 102): (3, 1.0), (102, 101): (3, 1.0)}
    assert file.pairs("coliked") == dict.fromkeys(
        [(101, 102), (101, 103), (102, 101), (102, 103), (103, 101), (103, 102)], (4, 1.0)
    )


def test_a_large_label_relates_nobody(file):
    for artist in range(300, 402):
        file.title(artist, "x", artist=artist, label="Everybody")
    file.likes(1, [300])
    file.analysed("label")
    assert file.pairs("label") == {}


def test_npmi_of_what_everybody_likes_is_left_out(file):
    for user in range(1, 5):
        file.likes(user, [1, 2, user + 10])
    file.analysed("colike_npmi", "colike_cosine")
    assert file.pairs("colike_npmi") == {}
    assert file.pairs("colike_cosine")[1, 2] == (4, 1.0, 0, "sample")
    assert not math.isnan(file.pairs("colike_cosine")[1, 2][1])
