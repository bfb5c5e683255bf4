"""The kernel against plain sets, for any block size; the formulas against themselves and their limits."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.analysis.formulas import score
from tests.analysing import brute_score

np = pytest.importorskip("numpy")
sparse = pytest.importorskip("scipy.sparse")

from harvest.analysis.changes import Snapshot, changed, fingerprint, snapshot, vanished  # noqa: E402
from harvest.analysis.fingerprints import marks  # noqa: E402
from harvest.analysis.kernel import Likes, blocks, count, nearest  # noqa: E402

MEASURES = ("cosine", "jaccard", "lift", "npmi")


def likes_of(lists, frames=(), counted=None, people=None) -> Likes:
    """Put sets of things, one per person, into matrices; thing n has the id 10 n."""
    things = sorted({thing for likes in lists for thing in likes})
    back = sparse.csr_array(
        np.array([[int(thing in likes) for thing in things] for likes in lists], np.int32).reshape(
            len(lists), len(things)
        )
    )
    forth = back.T.tocsr()
    counts = Counter(thing for likes in lists for thing in likes)
    return Likes(
        ids=np.array(things, np.int64) * 10,
        sizes=np.array([counts[thing] for thing in things], np.int64),
        forth=forth,
        back=back,
        frames=np.array([thing in frames for thing in things], np.bool_),
        counted=np.array([(counted or {}).get(thing, math.nan) for thing in things], np.float64),
        people=people or len(lists),
        marks=marks(np.arange(len(lists), dtype=np.int64), forth.indptr, forth.indices),
    )


def computed(likes: Likes, measure: str, *, entries: int, min_common: int = 1, neighbours: int = 3):
    rows = np.arange(len(likes.ids))
    found = [
        nearest(likes, count(likes, block, min_common), measure, neighbours) for block in blocks(likes, rows, entries)
    ]
    return [
        (int(likes.ids[row]) // 10, int(likes.ids[column]) // 10, int(common), float(value), int(rank))
        for part in found
        for row, column, common, value, rank in zip(
            part.row, part.column, part.common, part.score, part.rank, strict=True
        )
    ]


def brute(lists, measure, *, min_common=1, neighbours=3):
    likers = {
        thing: {n for n, likes in enumerate(lists) if thing in likes} for thing in sorted(set().union(*lists, set()))
    }
    result = []
    for one, mine in likers.items():
        near = []
        for other, theirs in likers.items():
            common = len(mine & theirs)
            if other != one and common >= min_common and (measure != "npmi" or common < len(lists)):
                near.append((-brute_score(measure, common, len(mine), len(theirs), len(lists)), other, common))
        result += [(one, other, c, -s, rank) for rank, (s, other, c) in enumerate(sorted(near)[:neighbours])]
    return result


some_lists = st.lists(st.sets(st.integers(1, 12), max_size=8), min_size=1, max_size=12)


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=25, deadline=None)
@given(lists=some_lists, entries=st.integers(1, 60), min_common=st.integers(1, 3))
def test_the_nearest_are_those_of_brute_force_whatever_the_block(measure, lists, entries, min_common):
    found = computed(likes_of(lists), measure, entries=entries, min_common=min_common)
    wanted = brute(lists, measure, min_common=min_common)
    if measure == "npmi":
        assert [row[:3] for row in found] == [row[:3] for row in wanted]
        assert [row[3] for row in found] == pytest.approx([row[3] for row in wanted], abs=1e-11)
    else:
        assert found == wanted


def test_equal_scores_go_to_the_lower_id():
    lists = [{1, 2, 3, 4, 5, 6}] * 3
    found = computed(likes_of(lists), "cosine", entries=1000, neighbours=2)
    assert [row[:2] for row in found if row[0] in (1, 4)] == [(1, 2), (1, 3), (4, 1), (4, 2)]


@settings(max_examples=20, deadline=None)
@given(lists=some_lists, entries=st.integers(1, 40))
def test_no_block_may_count_more_than_its_bound(lists, entries):
    likes = likes_of(lists)
    rows = np.arange(len(likes.ids))
    cut = list(blocks(likes, rows, entries))
    assert np.concatenate([*cut, np.empty(0, np.int64)]).tolist() == rows.tolist()
    for block in cut:
        assert len(block) == 1 or (likes.forth[block] @ likes.back).nnz <= entries


def test_a_frame_is_measured_by_the_services_counts():
    """Three of four like 2 beside the frame 1, which 400 like; 2 is liked by 1,000: 300 / sqrt(400 * 1000)."""
    lists = [{1, 2}, {1, 2}, {1, 2, 3}, {1, 3}]
    likes = likes_of(lists, frames={1}, counted={1: 400, 2: 1000, 3: 100})
    found = computed(likes, "cosine", entries=100)
    assert [row for row in found if row[0] == 1] == [
        (1, 3, 2, round(1e12 * 100 / math.sqrt(400 * 100)) / 1e12, 0),  # 200 of them would be more than like it at all
        (1, 2, 3, round(1e12 * 300 / math.sqrt(400 * 1000)) / 1e12, 1),
    ]
    assert [row for row in found if row[1] == 1] == []
    assert [row for row in computed(likes, "lift", entries=100) if 1 in row[:2]] == []


def test_two_frames_have_one_score_from_either_side():
    lists = [{1, 2}, {1, 2}, {1}, {1}, {2, 3}]
    likes = likes_of(lists, frames={1, 2}, counted={1: 90, 2: 70, 3: 5})
    found = {row[:2]: row[3] for row in computed(likes, "cosine", entries=100)}
    assert found[1, 2] == found[2, 1] == round(1e12 * 2 / math.sqrt(4 * 3)) / 1e12


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(1, 100))
def test_numbers_and_arrays_follow_the_same_formula(common, more, even_more, others):
    one, other, people = common + more, common + even_more, common + more + even_more + others
    for measure in MEASURES:
        single = score(measure, common, one, other, people)
        (many,) = score(measure, np.array([float(common)]), np.array([one]), np.array([other]), people, np)
        assert single == brute_score(measure, common, one, other, people)
        assert many == pytest.approx(single, abs=1e-11) if measure == "npmi" else many == single


def test_the_formulas_at_their_limits():
    assert score("cosine", 5, 5, 5, 10) == 1
    assert score("jaccard", 5, 5, 5, 10) == 1
    assert score("lift", 5, 5, 5, 10) == 2
    assert score("npmi", 5, 5, 5, 10) == 1
    assert score("lift", 2, 4, 5, 10) == 1
    assert score("npmi", 2, 4, 5, 10) == 0


def test_what_changed_is_seen_and_nothing_else():
    before = snapshot(likes_of([{1, 2}, {2, 3}, {3, 4}, {5}]))
    now = snapshot(likes_of([{1, 2}, {2, 3}, {3, 4, 6}, {1}], frames={2}))
    assert changed(now, before).tolist() == [True, True, False, False, True]  # 1 one more, 2 a frame, 6 new
    assert vanished(now, before).tolist() == [50]
    assert changed(before, before).tolist() == [False] * 5
    nothing = Snapshot(*(part[:0] for part in (before.ids, before.sizes, before.frames, before.marks)))
    assert changed(before, nothing).all()


def test_other_people_leave_another_mark_though_they_are_as_many():
    before, now = likes_of([{1, 2}, {1}, {2}]), likes_of([{1, 2}, {2}, {1}])
    assert before.sizes.tolist() == now.sizes.tolist()
    assert changed(snapshot(now), snapshot(before)).all()
    assert fingerprint(now, "cosine") != fingerprint(before, "cosine")


def test_more_people_matter_to_measures_against_all_of_them_alone():
    lists = [{1, 2}, {1}, {2}]
    few, many = likes_of(lists), likes_of(lists, people=9)
    same = {measure: fingerprint(few, measure) == fingerprint(many, measure) for measure in MEASURES}
    assert same == {"cosine": True, "jaccard": True, "lift": False, "npmi": False}


def test_counts_of_the_service_matter_where_there_are_frames_alone():
    for frames, equal in (((), True), ({1}, False)):
        one, other = (likes_of([{1, 2}], frames=frames, counted={2: n}) for n in (5, 6))
        assert (fingerprint(one, "cosine") == fingerprint(other, "cosine")) is equal


def test_marks_do_not_depend_on_how_many_are_looked_at_together(monkeypatch):
    chance = np.random.default_rng(1)
    matrix = sparse.random_array((50, 40), density=0.2, rng=chance, format="csr")
    ids = np.arange(40, dtype=np.int64)
    whole = marks(ids, matrix.indptr, matrix.indices)
    monkeypatch.setattr("harvest.analysis.fingerprints._AT_ONCE", 3)
    assert marks(ids, matrix.indptr, matrix.indices).tolist() == whole.tolist()
    assert len(set(whole.tolist())) == 50
