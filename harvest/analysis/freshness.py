"""Say whether what was analysed answers a question, or why it has to be computed now. Reads only."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from harvest.analysis import derivations
from harvest.analysis.derivations import Derivation
from harvest.analysis.eligible_lists import FRAMES, WHOSE
from harvest.analysis.methods import Choices, choices_from


@dataclass(frozen=True, slots=True)
class Freshness:
    """The derivation that answers, or None; then `why_now` says why: `not analysed`, `interrupted`, `file has grown`,
    `more asked for`. `choices` are those it was, or is now, computed with.
    """

    derivation: Derivation | None
    why_now: str | None
    choices: Choices


def standing(connection: sqlite3.Connection, method: str, limit: int) -> Freshness:
    """Look up how a method stands."""
    past = derivations.find(connection, method)
    if past is None:
        return Freshness(None, "not analysed", Choices())
    choices = choices_from(past.parameters)
    if past.state != "whole":
        return Freshness(None, "interrupted", choices)
    if past.max_page_id != derivations.newest_page(connection):
        return Freshness(None, "file has grown", choices)
    if limit > choices.neighbours:
        return Freshness(None, "more asked for", choices)
    return Freshness(past, None, choices)


def people_asked(connection: sqlite3.Connection, choices: Choices) -> int:
    """Count the lists of likes that count."""
    sql = f"SELECT count(*) FROM ({WHOSE})"  # noqa: S608 - our own words
    (n,) = connection.execute(sql, {"incomplete": choices.include_incomplete}).fetchone()
    return int(n)


def frames(connection: sqlite3.Connection) -> list[int]:
    """Give the tracks for which people were chosen."""
    return [row[0] for row in connection.execute(FRAMES)]


def bound(choices: Choices, **more: object) -> dict[str, object]:
    """Give the parameters that the statements share; lists travel as JSON."""
    told = {key: json.dumps(value) if isinstance(value, list) else value for key, value in more.items()}
    return {
        "incomplete": choices.include_incomplete,
        "newest": choices.newest,
        "min_common": choices.min_common,
        **told,
    }
