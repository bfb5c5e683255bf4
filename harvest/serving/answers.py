"""What agents may ask of a file, as plain JSON values in which strangers' words are marked. Reads only, sends nothing.

In: the path of a file, and the seconds that an answer may take. Every answer that says nothing says why, in `left_out`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from harvest.analysis.related import related as related_to
from harvest.crawler.request import to_crawl
from harvest.errors import ExtraMissing, HarvestError, OutOfTime, QueryError, SeedError, SettingsError
from harvest.explore.execute import Watch, ask
from harvest.explore.named import named_queries, named_query
from harvest.explore.parameters import bind_named
from harvest.planning.planned import plan as make_plan
from harvest.serving.guarding import cleaned, guarded
from harvest.serving.home import LEDGER, glance, ledger
from harvest.serving.looking import look
from harvest.store.database import open_to_read
from harvest.store.provenance import why as reason_of

Answer = dict[str, Any]
ROWS = 100  # of one answer
CHAINS = 5  # of one reason
_NOT_HERE = (
    "Nothing in this file has that id, URN or address, or several have that name. Name it by its id, or by the address "
    "of its page; the query `search` finds tracks by words."
)
_NOT_KNOWN = (
    "The file has too little about this for a plan, and no tool sends a request. `harvest plan URL` on the command "
    "line sends a few."
)


class NotForAgents(Exception):
    """A question that has no answer; its message is ours alone and says what to do."""


class _AsksNobody(Exception):
    """Raised where a plan would begin to ask the service."""


def queries() -> Answer:
    """List the questions that have a name, with what each takes. All of it is ours."""
    return {
        "queries": [
            {
                "name": query.name,
                "question": query.question,
                "parameters": [
                    {
                        "name": p.name,
                        "type": p.type,
                        "default": p.default,
                        "meaning": p.meaning,
                        "needed": not p.default,
                    }
                    for p in query.parameters
                ],
            }
            for query in named_queries().values()
        ]
    }


def query(path: Path, seconds: float, name: str, parameters: Mapping[str, Any] | None = None) -> Answer:
    """Answer a named query: its first rows, and whether there are more."""
    asked = named_query(name)
    if asked is None:
        raise NotForAgents("There is no query of that name: `list_queries` names them all.")
    with open_to_read(path) as connection:
        given = [f"{name}={value}" for name, value in (parameters or {}).items() if value not in (None, "")]
        found = ask(connection, asked.sql, bind_named(connection, asked, given), watch=Watch(seconds))
        rows = [dict(zip(found.columns, row, strict=True)) for row in islice(found.rows, ROWS + 1)]
    told: Answer = {"query": asked.name, "rows": guarded(rows[:ROWS]), "more": len(rows) > ROWS}
    return told if rows else {**told, "left_out": "No row answers this; `overview` says what was read."}


def overview(path: Path, seconds: float) -> Answer:
    """Say what is in the file, where it began, how its harvests stand, and how its lists have ended, by kind."""
    seen = _in_time(path, seconds, glance)
    ended = look(path, seconds, lambda connection: ledger(connection.execute(LEDGER)))
    told: Answer = guarded(
        {
            "totals": dict(seen.totals),
            "seeds": [
                {"thing": one.thing, "id": one.thing_id, "title": one.title, "url": one.url} for one in seen.seeds
            ],
            "seeds_in_all": seen.seed_count,
            "harvests_by_state": dict(seen.states),
            "last_page_fetched_at": seen.last_at,
        }
    )
    if ended is None:
        return {**told, "left_out": f"How the lists ended takes longer than {seconds:g} s to add up."}
    lists = [row._asdict() for row in ended.rows if row.outcome]
    return {**told, "lists": guarded([{name: one[name] for name in one if name != "title"} for one in lists])}


def why(path: Path, seconds: float, thing: str, which: str) -> Answer:
    """Say why something is in the file: the lists that name it, up to the seed."""
    if thing not in ("user", "track", "playlist", "station"):
        raise NotForAgents("A thing is one of user, track, playlist, station.")
    reason = _in_time(path, seconds, lambda connection: reason_of(connection, thing, which, limit=CHAINS))
    told: Answer = guarded(reason.as_json())
    return told


def related(path: Path, seconds: float, track: str, method: str, limit: int) -> Answer:
    """Say which tracks the same people like."""

    def near(connection: sqlite3.Connection) -> Answer:
        connection.row_factory = sqlite3.Row
        return related_to(connection, track, method=method, limit=min(max(limit, 1), ROWS)).as_json()

    found: Answer = guarded(_in_time(path, seconds, near))
    return found if found["near"] else {**found, "left_out": "Too few people who like it are read to say what is near."}


def plan(path: Path, seconds: float, address: str) -> Answer:
    """Say what a crawl would cost, from what the file knows alone; what it does not know is left out."""

    def asks_nobody() -> NoReturn:
        raise _AsksNobody

    try:
        watch = Watch(seconds)
        watch.go_on()
        made = asyncio.run(make_plan(to_crawl(path, [address], {}), asks_nobody, is_over=watch.look)).as_json()
    except _AsksNobody:
        return {"left_out": _NOT_KNOWN}
    del made["path"]
    told: Answer = guarded(made)
    return told


def in_our_words(answer: Callable[[], Answer]) -> Answer:
    """Give an answer. Raises NotForAgents for all that goes wrong: what an error tells of the file, of this computer or
    of strangers goes no further.
    """
    try:
        return answer()
    except NotForAgents:
        raise
    except SeedError as error:
        raise NotForAgents(_NOT_HERE) from error
    except OutOfTime as error:
        raise NotForAgents("This takes longer than an answer may. Ask for less, or ask `harvest sql`.") from error
    except ExtraMissing as error:
        raise NotForAgents("This needs the extra `analysis`, which is not installed here.") from error
    except (QueryError, SettingsError) as error:
        raise NotForAgents(cleaned(str(error))) from error
    except (HarvestError, sqlite3.Error) as error:
        raise NotForAgents("The file cannot be read just now. `harvest verify` says what is wrong with it.") from error
    except Exception as error:  # its words may be a stranger's
        raise NotForAgents("Something went wrong in harvest. Ask something else, and please report it.") from error


def _in_time(path: Path, seconds: float, ask_it: Callable[[sqlite3.Connection], Any]) -> Any:
    found = look(path, seconds, ask_it)
    if found is None:
        raise OutOfTime
    return found
