"""Say whether what was analysed answers a question, or why it has to be computed now. Reads only."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace

from harvest.analysis import derivations
from harvest.analysis.derivations import Derivation
from harvest.analysis.eligible_lists import FRAMES, WHOSE
from harvest.analysis.methods import Choices, choices_from


@dataclass(frozen=True, slots=True)
class Freshness:
    """The derivation that answers, or None; then `why_now` says why: `not analysed`, `interrupted`, `other frames`,
    `file has grown`, `more asked for`. `choices` are those it was, or is now, computed with.
    """

    derivation: Derivation | None
    why_now: str | None
    choices: Choices


def standing(connection: sqlite3.Connection, method: str, limit: int, framing: str | None) -> Freshness:
    """Look up how a method stands; `framing` None takes the frames it was computed with."""
    past = derivations.find(connection, method)
    if past is None:
        return Freshness(None, "not analysed", Choices(frames=framing or "auto"))
    choices = choices_from(past.parameters)
    if framing not in (None, choices.frames):
        return Freshness(None, "other frames", replace(choices, frames=framing))
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


def frames(connection: sqlite3.Connection, choices: Choices) -> list[int]:
    """Give the tracks for which people were chosen, as far as they count."""
    return [row[0] for row in connection.execute(FRAMES, {"which": choices.frames})]


def bound(choices: Choices, **more: object) -> dict[str, object]:
    """Give the parameters that the statements share; lists travel as JSON."""
    told = {key: json.dumps(value) if isinstance(value, list) else value for key, value in more.items()}
    return {
        "incomplete": choices.include_incomplete,
        "newest": choices.newest,
        "min_common": choices.min_common,
        **told,
    }
