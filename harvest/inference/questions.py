"""What can be estimated: of what people like, and of people. One declaration each; a question, and its result. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harvest.errors import SettingsError
from harvest.estimates.totals import Estimate


@dataclass(frozen=True, slots=True)
class OfTracks:
    """A number that liked tracks have, as a column of `tracks t`; NULL where it is not known."""

    sql: str
    words: str


@dataclass(frozen=True, slots=True)
class OfPeople:
    """A count that stands on every profile, a column of `users`."""

    column: str
    words: str


LIKES = "likes"
OF_TRACKS = {
    "plays": OfTracks("t.playback_count", "plays of a liked track"),
    "track-likes": OfTracks("t.likes_count", "likes of a liked track, by SoundCloud's own count"),
    "seconds": OfTracks("t.duration_ms / 1000.0", "length of a liked track in seconds"),
    "bpm": OfTracks("t.bpm", "tempo of a liked track in beats a minute"),
    "year": OfTracks("CAST(substr(t.created_at, 1, 4) AS INTEGER)", "year in which a liked track was uploaded"),
}
OF_PEOPLE = {
    "followers": OfPeople("followers_count", "followers"),
    "followings": OfPeople("followings_count", "people followed"),
    "uploads": OfPeople("track_count", "tracks uploaded"),
    "playlists": OfPeople("playlist_count", "playlists"),
    "likes-claimed": OfPeople("likes_given_count", "likes by their profile, of playlists too"),
    "reposts-claimed": OfPeople("reposts_given_count", "reposts by their profile"),
}
OF = (LIKES, *OF_TRACKS, *OF_PEOPLE)

# How liked tracks are grouped: an expression over `tracks t`.
BY = {
    "genre": "nullif(trim(t.genre), '')",
    "artist": "(SELECT username FROM users WHERE id = t.uploader_id)",
    "label": "nullif(trim(t.label_name), '')",
    "year": "substr(t.created_at, 1, 4)",
    "access": "t.access",
}
PER = ("person", "like")
ESTIMATORS = ("hajek", "ht", "ratio", "regression")
CAPPED = ("by-profile", "as-read", "left-out")  # what is done with people whose list was cut
CUT = {
    "by-profile": "who has one counts with as many likes as their profile lets expect, like those that were read",
    "as-read": "who has one counts with what was read of it, the newest likes",
    "left-out": "who has one likes more than others and is left out, which lowers what grows with it",
}
GROUPS = 12  # shown, unless more are asked for


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the number `of`, by groups of tracks, a mean over people or over likes, or a total.

    `track_id` names the seed, None the only one. `estimator` None is the usual one of what is asked. `seed` is that of
    the bootstrap. `rake`: the weights are brought into line with the profiles of all people listed.
    """

    of: str = LIKES
    by: str | None = None
    per: str = "person"
    total: bool = False
    estimator: str | None = None
    capped: str = CAPPED[0]
    track_id: int | None = None
    groups: int = GROUPS
    seed: int = 0
    rake: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An estimate for one group of tracks, None for all; a group None are tracks that say nothing of it."""

    group: str | None
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Result:
    """Answers, and what they are conditional on, in sentences. `population` None: all who can be walked to."""

    question: Question
    words: str
    estimator: str
    harvest_id: int
    track_id: int | None
    population: int | None
    drawn: int
    answered: int
    censored: int
    answers: tuple[Answer, ...]
    conditions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        told = asdict(self)
        told["answers"] = [{"group": one.group, **asdict(one.estimate)} for one in self.answers]
        return told


def check(question: Question) -> None:
    """Refuse a question that makes no sense. Raises SettingsError."""
    for name, value, there in (
        ("--of", question.of, OF),
        ("--by", question.by, (None, *BY)),
        ("--per", question.per, PER),
        ("--estimator", question.estimator, (None, *ESTIMATORS)),
        ("--capped", question.capped, CAPPED),
    ):
        if value not in there:
            raise SettingsError(f"{name} is one of {', '.join(str(one) for one in there if one)}, not {value!r}.")
    if question.rake and question.of in OF_PEOPLE:
        raise SettingsError(f"--rake leans on what profiles say, and {question.of} stand there: leave it out.")
    if question.by and question.of in OF_PEOPLE:
        raise SettingsError(f"--by groups liked tracks, and {question.of} are of people: leave it out.")
    if question.total and question.of in OF_TRACKS:
        raise SettingsError(f"A total of {question.of} over likes means nothing: leave out --total.")
    if question.per == "like" and question.of not in OF_TRACKS and not question.by:
        raise SettingsError("--per like needs a number that tracks have, or --by: each like is one like.")
    if question.per == "like" and question.estimator not in (None, "hajek"):
        raise SettingsError("--per like is a mean over likes, which has one estimator: leave out --estimator.")
    if question.estimator == "ht" and question.of in OF_TRACKS:
        raise SettingsError(
            "--estimator ht needs a value for all people, and people without likes have none: use hajek."
        )
    if question.total and question.per == "like":
        raise SettingsError("--total is over all people: leave out --per like.")


def words_of(question: Question) -> str:
    """Say in words what is estimated."""
    if question.of in OF_PEOPLE:
        words = OF_PEOPLE[question.of].words
        return f"{words}, in all" if question.total else f"{words} per person"
    if question.of == LIKES and question.by and not question.total:
        over = "all likes" if question.per == "like" else "a person's likes, on average over people"
        return f"share of {over}, by {question.by}"
    by = f", by {question.by}" if question.by else ""
    if question.of == LIKES:
        return f"tracks liked{by}, in all" if question.total else f"tracks liked per person{by}"
    over = "over likes" if question.per == "like" else "over people, each with the mean of what they like"
    return f"{OF_TRACKS[question.of].words}, mean {over}{by}"


def estimator_of(question: Question) -> str:
    """Name the estimator that is asked for, or the usual one."""
    return "ratio over likes" if question.per == "like" else question.estimator or "hajek"
