"""`harvest estimate`: what it says of everybody listed is what the world says, and where it may not say anything."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, pvariance

import pytest

import harvest
from harvest.errors import SettingsError
from harvest.inference.estimate import estimate as asked
from harvest.inference.questions import BY, ESTIMATORS, OF, OF_PEOPLE, OF_TRACKS, Question
from harvest.models import Limits
from harvest.simulator.oracle import expect
from harvest.store.database import open_to_read
from tests.crawling import crawl_sessions, crawl_world, read
from tests.estimating import CAP, a_world
from tests.repetitions import slow_but

PAGE = (Path(__file__).parents[2] / "docs" / "sampling.md").read_text("utf-8")
WORLD = a_world(5, spread=1.0)
DRAWN = Limits(max_users=90, max_user_likes=CAP, order="random", sample_seed=2)
ALL = Limits(max_users=100_000, max_user_likes=100_000)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A sample of 90 people, some of whose lists are cut."""
    path = tmp_path_factory.mktemp("drawn") / "t.db"
    crawl_world(path, WORLD, limits=DRAWN)
    return path


@pytest.fixture(scope="module")
def everybody(tmp_path_factory):
    """Everybody listed, with whole lists."""
    path = tmp_path_factory.mktemp("everybody") / "t.db"
    crawl_world(path, WORLD, limits=ALL)
    return path


@pytest.fixture(scope="module")
def truth():
    """What each person around the seed likes who answers: columns of tracks, by person."""
    told = expect(WORLD, **asdict(ALL))
    (people,) = told.followed.values()
    likes = {p: [] for p in people if told.lists["user_likes", p][0] in ("complete", "short")}
    for (user, track, deed), (rank, _) in told.engagements.items():
        if user in likes and deed == "like" and rank is not None:
            likes[user].append(told.tracks[track])
    return list(likes.values()), [told.users[person] for person in people]


def answers(path, **question):
    with contextlib.closing(open_to_read(path)) as connection:
        found = asked(connection, Question(**question))
    return {one.group: one.estimate for one in found.answers}


TRUE = {  # by question, what everybody's whole lists say
    ("likes", None, "person"): lambda likes: {None: fmean(map(len, likes))},
    ("seconds", None, "person"): lambda likes: {
        None: fmean(fmean(t["duration_ms"] / 1000 for t in one) for one in likes if one)
    },
    ("seconds", None, "like"): lambda likes: {None: fmean(t["duration_ms"] / 1000 for one in likes for t in one)},
    ("plays", None, "like"): lambda likes: {
        None: fmean(t["playback_count"] for one in likes for t in one if t["playback_count"] is not None)
    },
    ("likes", "genre", "person"): lambda likes: shares([one for one in likes if one]),
    ("likes", "genre", "like"): lambda likes: shares([[t for one in likes for t in one]]),
}


def shares(lists):
    found = defaultdict(float)
    for one in lists:
        for track in one:
            found[track["genre"]] += 1 / len(one) / len(lists)
    return found


@pytest.mark.parametrize(("of", "by", "per"), TRUE)
def test_a_census_says_the_truth_itself(everybody, truth, of, by, per):
    found = answers(everybody, of=of, by=by, per=per, groups=1000)
    true = TRUE[of, by, per](truth[0])
    assert {group: one.value for group, one in found.items()} == pytest.approx(dict(true))
    assert all(one.low == one.high == one.value for one in found.values())


@pytest.mark.parametrize(("of", "by", "per"), TRUE)
def test_a_sample_holds_the_truth_in_its_intervals(drawn, truth, of, by, per):
    found = answers(drawn, of=of, by=by, per=per)
    true = TRUE[of, by, per](truth[0])
    held = [one.low <= true[group] <= one.high for group, one in found.items() if one.low is not None]
    assert sum(held) >= 0.8 * len(held) > 0
    for group, one in found.items():
        assert one.value == pytest.approx(true[group], rel=0.5, abs=0.02)


def test_over_likes_all_of_a_person_count_and_the_design_effect_is_against_likes_drawn_one_by_one(drawn):
    rows = read(
        drawn,
        """
        SELECT s.user_id, s.censored, s.likes_given_count, t.genre, t.duration_ms / 1000.0
        FROM sample AS s
        JOIN user_engagements AS e ON e.user_id = s.user_id AND e.engagement_type = 'like' AND e.user_list_rank < ?
        JOIN tracks AS t ON t.id = e.track_id
        WHERE s.once AND s.chosen AND s.answer = 'answered'
        """,
        CAP,
    )
    lists, claims = defaultdict(list), {}
    for user, is_cut, claim, *track in rows:
        lists[user].append(track)
        claims[user] = (is_cut, claim)
    whole = [user for user, (is_cut, claim) in claims.items() if claim and not is_cut]
    per_claim = sum(len(lists[user]) for user in whole) / sum(claims[user][1] for user in whole)
    in_all = {user: max(len(one), per_claim * claims[user][1] * claims[user][0]) for user, one in lists.items()}
    assert sum(in_all[user] > len(one) for user, one in lists.items()) > 0
    likes = sum(map(len, lists.values()))
    seconds = [track[1] for one in lists.values() for track in one]
    genre = Counter(track[0] for one in lists.values() for track in one if track[0]).most_common(1)[0][0]
    share = sum(track[0] == genre for one in lists.values() for track in one) / likes
    for question, value, plain in (
        ({"of": "seconds"}, lambda track: track[1], pvariance(seconds) / likes),
        ({"by": "genre"}, lambda track: track[0] == genre, share * (1 - share) / likes),
    ):
        found = answers(drawn, per="like", **question)[genre if "by" in question else None]
        sums = {user: in_all[user] * fmean(map(value, one)) for user, one in lists.items()}
        mean = sum(sums.values()) / sum(in_all.values())
        left = sum((sums[user] - mean * in_all[user]) ** 2 for user in lists)
        n = len(lists)
        assert found.value == pytest.approx(mean)
        assert found.design_effect == pytest.approx(n / (n - 1) * left / sum(in_all.values()) ** 2 / plain)


def test_totals_are_means_times_everybody(drawn, truth):
    mean, total = answers(drawn)[None], answers(drawn, total=True)[None]
    people = len(truth[1])
    assert (total.value, total.low, total.high) == pytest.approx(
        (mean.value * people, mean.low * people, mean.high * people)
    )
    genres = answers(drawn, by="genre", total=True, groups=1000)
    assert sum(one.value for one in genres.values()) == pytest.approx(total.value)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_comes_near_and_those_that_know_more_come_nearer(drawn, truth, estimator):
    (found,) = answers(drawn, estimator=estimator).values()
    assert found.value == pytest.approx(fmean(map(len, truth[0])), rel=0.3)
    lean = found.design_effect < 0.2
    assert lean == (estimator in ("ratio", "regression"))


def test_what_stands_on_profiles_is_known_of_everybody(drawn, truth):
    for of, declared in OF_PEOPLE.items():
        found = answers(drawn, of=of)[None]
        true = fmean(row[declared.column] for row in truth[1] if row[declared.column] is not None)
        assert found.low == found.high == found.value == pytest.approx(true)
        again = answers(drawn, of=of, estimator="hajek")[None]
        assert again.low < again.value < again.high
    assert answers(drawn, of="followers", total=True)[None].value == sum(
        row["followers_count"] or 0 for row in truth[1]
    )


def test_people_whose_list_was_cut_are_treated_as_asked(drawn):
    kept, read_only, left_out = (
        answers(drawn, capped=how)[None].value for how in ("by-profile", "as-read", "left-out")
    )
    assert left_out < read_only < kept
    rows = read(
        drawn,
        "SELECT likes_read, likes_given_count, censored FROM sample WHERE chance > 0 AND once AND answer = 'answered'",
    )
    assert left_out == pytest.approx(fmean(n for n, _, cut in rows if not cut))
    assert read_only == pytest.approx(fmean(n for n, _, _ in rows))
    per_claim = sum(n for n, claim, cut in rows if claim and not cut) / sum(c for _, c, cut in rows if c and not cut)
    assert kept == pytest.approx(fmean(max(n, per_claim * claim) if cut else n for n, claim, cut in rows))


def test_it_says_what_it_is_conditional_on(drawn):
    with contextlib.closing(open_to_read(drawn)) as connection:
        found = asked(connection, Question())
    assert found.conditions[0].startswith(
        f"The population is the {found.population:,} people listed around the seed; 90"
    )
    assert any("did not answer" in one for one in found.conditions)
    assert any(f"Lists that were cut at {CAP}: " in one for one in found.conditions)
    silent = read(drawn, "SELECT count(*) FROM sample WHERE once AND chance > 0 AND answer = 'unanswered'")[0][0]
    assert (found.drawn, found.answered) == (90, 90 - silent)
    assert silent > 0


def test_the_pages_own_query_says_the_same(drawn):
    (query, *_) = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    ((mean, people),) = read(drawn, query)
    found = answers(drawn)[None]
    assert (mean, people) == (pytest.approx(found.value), found.people)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(max_users=20), "people were not drawn by chance, but followed newest first"),
        (Limits(max_users=20, order="random", read=("likers",), via=()), "the likes of people are not read"),
        (Limits(depth=0), "nobody has been drawn yet"),
    ],
    ids=["newest", "unread", "nobody"],
)
def test_without_known_chances_it_refuses_with_the_reason(tmp_path, limits, why):
    crawl_world(tmp_path / "t.db", WORLD, limits=limits)
    with pytest.raises(SettingsError, match=f"There is nothing to estimate from: {why}"):
        answers(tmp_path / "t.db")


def test_where_a_list_failed_nobodys_chance_is_known(tmp_path, drawn):
    path = tmp_path / "t.db"
    path.write_bytes(drawn.read_bytes())
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tasks SET outcome = 'failed' WHERE kind = 'track_likers'")
    with pytest.raises(SettingsError, match="a list that names people could not be read"):
        answers(path)


def test_of_several_seeds_one_is_to_be_named(tmp_path):
    seeds = WORLD.seed_ids(2)
    crawl_sessions(tmp_path / "t.db", WORLD, [([f"soundcloud:tracks:{seed}" for seed in seeds], DRAWN)])
    with pytest.raises(SettingsError, match="say which with --track, one of"):
        answers(tmp_path / "t.db")
    one, other = (answers(tmp_path / "t.db", track_id=seed)[None] for seed in seeds)
    assert one.value != other.value
    with pytest.raises(SettingsError, match="track 5 is no seed"):
        answers(tmp_path / "t.db", track_id=5)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"of": "hearts"}, "--of is one of likes, plays"),
        ({"of": "followers", "by": "genre"}, "--by groups liked tracks"),
        ({"of": "plays", "total": True}, "leave out --total"),
        ({"per": "like"}, "--per like needs a number that tracks have"),
        ({"of": "followers", "per": "like"}, "--per like needs a number that tracks have"),
        ({"of": "plays", "per": "like", "estimator": "ht"}, "leave out --estimator"),
        ({"of": "plays", "estimator": "ht"}, "use hajek"),
        ({"by": "genre", "per": "like", "total": True}, "leave out --per like"),
        ({"capped": "no"}, "--capped is one of"),
    ],
)
def test_questions_that_make_no_sense_are_refused(drawn, question, says):
    with pytest.raises(SettingsError, match=says):
        answers(drawn, **question)


def test_the_command_says_it_in_a_table_and_in_json(run, drawn):
    told = json.loads(run("estimate", "--by", "genre", "--json", "--db", drawn).stdout)
    genres = answers(drawn, by="genre")
    assert [(one["group"], one["value"], one["low"], one["high"]) for one in told["answers"]] == [
        (group, one.value, one.low, one.high) for group, one in genres.items()
    ]
    assert told["population"] == len(read(drawn, "SELECT 1 FROM sample WHERE once"))
    said = run("estimate", "--by", "genre", "--db", drawn).stdout
    assert "Share of a person's likes, on average over people, by genre (hajek)" in said
    first = next(iter(genres.values()))
    assert f"{first.low:.1%} to {first.high:.1%}" in said
    refused = run("estimate", "--of", "followers", "--by", "genre", "--db", drawn)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--by groups liked tracks" in refused.stderr


QUESTIONS = [(of, by) for of in OF for by in (None, *(BY if of in ("likes", *OF_TRACKS) else ()))]
OFTEN = {(of, by) for of, by in QUESTIONS if by is None or of == "likes"}


@pytest.mark.parametrize("question", slow_but(OFTEN, QUESTIONS), ids=repr)
def test_every_question_has_an_answer(drawn, question):
    of, by = question
    assert answers(drawn, of=of, by=by, groups=3)


def test_python_asks_the_same(drawn):
    db = harvest.open(drawn)
    found = db.estimate("plays", per="like")
    assert found.answers[0].estimate == answers(drawn, of="plays", per="like")[None]
    with pytest.raises(SettingsError, match="There is no option group; there are of, by"):
        db.estimate(group="genre")
