"""Who is to blame when many lists come back alike: the lists, or the service. Pure.

Rule 1. What few lists say is believed. What MANY of a kind say alike is doubted, and something else is asked: lists
of that kind that brought something before.
Rule 2. Lists that are empty against what is known: where those are empty now as well, it is an outage. Where there is
none to ask, so many of them are one, if any was empty against a claim.
Rule 3. Lists that are refused: where others of their kind are answered, they are to blame. Where something public is
refused as well, with a 403, the app is. Where only this kind is refused, it is withdrawn, if one of the things whose
lists are refused is shown itself and shows other lists: an account that is gone or closed refuses each of its lists.
Words about a subscription, and a 405, need neither that nor MANY (soundcloud/api issues 573, 577).
Rule 4. A kind that was found to be withdrawn, in whatever run, stays so for lists that are refused alike.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from harvest.errors import ApiError, Forbidden
from harvest.store.doubts import Emptied

MANY = 5
_OF_A_KIND = frozenset({400, 403, 404, 405, 410})  # what may be said of an endpoint, or of the app
_OF_THE_APP = re.compile(r"\b(subscri\w+|plan|entitle\w*|upgrade\w*)\b", re.IGNORECASE)
_WORDS = re.compile(r"[\w:-]+")


class Verdict(Enum):
    """Who is to blame; None of them: not known yet."""

    LISTS = auto()
    KIND = auto()
    APP = auto()


def speaks_of_a_kind(error: ApiError) -> bool:
    """Say whether a refusal may be one of a whole kind of list, or of the app."""
    return error.status in _OF_A_KIND and not error.retryable


def is_plain(error: ApiError) -> bool:
    """Say whether a refusal says by itself that it is not the list: words about a subscription, or a 405."""
    return error.status == 405 or (isinstance(error, Forbidden) and _OF_THE_APP.search(str(error)) is not None)


def alike(status: int, message: str) -> tuple[int, str]:
    """Give what is the same in refusals that say the same, ids left out."""
    return status, _WORDS.sub(lambda word: "" if any(map(str.isdecimal, word[0])) else word[0], message)


def who(
    error: ApiError, lists: int, answers: bool | None, public: ApiError | None, *, is_open: bool, last: bool
) -> Verdict | None:
    """Say who is to blame where so many `lists` are refused like this; None while too few are known.

    `answers` says whether a list of that kind that brought something before does so now, None where there is none to
    ask; `public` is what is wrong with something public, `is_open` whether a thing whose list is refused is shown and
    shows other lists, `last` that no more lists of that kind are to come.
    """
    if answers:
        return Verdict.LISTS
    if error.status == 403 and isinstance(public, Forbidden):
        return Verdict.APP
    if (lists >= MANY or answers is False) and not (is_open or is_plain(error)):
        return Verdict.LISTS
    if lists >= MANY or answers is False or (last and is_plain(error)):
        return Verdict.KIND
    return Verdict.LISTS if last else None


def in_doubt(seen: Emptied, cleared: int = 0) -> bool:
    """Say whether so many lists of a kind are empty that something else is to be asked; `cleared` of them are known to
    be.
    """
    empty = seen.against + seen.hidden
    return empty - cleared >= MANY and (seen.against - cleared >= MANY or empty > seen.answered)


def is_outage(seen: Emptied, brings: bool | None) -> bool:
    """Say whether the service is to blame; `brings`: whether a list that brought something before still does, None
    where there is none to ask.
    """
    return seen.against > 0 if brings is None else not brings
