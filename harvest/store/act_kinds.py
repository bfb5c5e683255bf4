"""The kinds of acts, as they are kept beside the file: what each needs to be done again.

Lists are named by kind and subject, those that look up by what they ask about besides, so that a newer version, which
may count its rows otherwise, finds them. Acts that a stranger has written are converted to these.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from harvest.replies.keeper import FORGETS, GONE, STATE
from harvest.store.refreshes import Refresh
from harvest.store.sweeps import Sweep

_LARGEST = 2**62
Number = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]
Hash = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]
Time = Annotated[
    str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$")
]
Tally = dict[int, Count]  # requests by status


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened to the file, in one transaction."""


class Began(Act, frozen=True, kw_only=True, omit_defaults=True):
    """A run began: harvests as (addresses, limits), and the conditions it asked under.

    `schema` is the version of the tables then, `runs_before` how many runs the file had.
    """

    now: Time
    version: str
    schema: Count
    runs_before: Count
    api_url: str
    credential_kind: str
    harvests: list[tuple[list[str], str]]
    options: dict[str, Any]
    page_size: Count
    sweep: Sweep | None = None


class Refreshed(Act, frozen=True, kw_only=True, omit_defaults=True):
    """A refresh was begun, or gone on with; None: what had stood still was begun again, and no more was asked for."""

    now: Time
    refresh: Refresh | None = None
    room: Count | None = None


class Heard(Act, frozen=True, kw_only=True, omit_defaults=True):
    """It was heard which world answers."""

    world: str


class OfList(Act, frozen=True, kw_only=True, omit_defaults=True):
    """Something about one reading of a list."""

    kind: str
    subject: Number
    reading: Count = 0
    about: str | None = None  # of a list that looks up: the address, or the URNs


class KeptPage(OfList, frozen=True, kw_only=True, omit_defaults=True):
    """A page was kept; its body, where there is one, stands beside. `thing`: it is a page about one thing of this kind.

    `hash` is that of the body as it came, under the key of the file. `left_out` entries stood for what was forgotten
    before: they were cut from the body.
    """

    number: Count
    request: str
    fetched_at: Time
    next_cursor: str | None = None
    cursor_time: str | None = None
    elapsed_ms: Count = 0
    size: Count = 0
    hash: Hash | None = None
    left_out: Count = 0
    thing: str | None = None
    tally: Tally = {}


class Failed(OfList, frozen=True, kw_only=True, omit_defaults=True):
    """A list failed for good; the reply, where it came and cannot be read, stands beside.

    `named` is what its request names the subject by, where the number does not say it: a search, a station.
    """

    now: Time
    failure: str
    message: str
    status: Count = 0
    reply: str = ""
    attempts: Count = 1
    named: str | None = None
    tally: Tally = {}


class Released(Act, frozen=True, kw_only=True, omit_defaults=True):
    """A list was given back; only the requests that it took say so."""

    tally: Tally


class Withdrew(Act, frozen=True, kw_only=True, omit_defaults=True):
    """A kind of list was withdrawn, by what was wrong with the lists of some subjects; others were `being_read`.

    `named` is what their requests name the subjects by, one after the other, where numbers do not say it.
    """

    now: Time
    kind: str
    subjects: list[Number]
    message: str
    status: Count
    reply: str = ""
    being_read: list[Number] = []
    named: list[str] = []
    tally: Tally = {}


class NextRound(Act, frozen=True, kw_only=True, omit_defaults=True):
    """The next round was chosen; `was_read`: some list was still marked as being read, and put back instead."""

    now: Time
    room: Count | None = None
    was_read: bool = False


class PutBackEmpty(Act, frozen=True, kw_only=True, omit_defaults=True):
    """The lists of a kind were put back that were empty in this run."""

    kind: str


class TookBack(Act, frozen=True, kw_only=True, omit_defaults=True):
    """Verdicts were taken back: those with these statuses and messages were of the app."""

    verdicts: list[tuple[Count, str]]


class PutBack(Act, frozen=True, kw_only=True, omit_defaults=True):
    """Lists were put back, between runs: those that failed, of one class or all, or those that ended in some way."""

    now: Time
    failure: str | None = None
    outcomes: list[str] = []


class Ended(Act, frozen=True, kw_only=True, omit_defaults=True):
    """The run ended."""

    now: Time
    reason: str
    waited_ms: Count = 0
    tally: Tally = {}


class Gone(Act, frozen=True, kw_only=True, omit_defaults=True):
    """What happened is not told any more, since something was forgotten; its number stays."""


class Forgets(Act, frozen=True, kw_only=True, omit_defaults=True):
    """Something is being taken out of the file: the acts before may hold it still, and nothing is made of them.

    `before`: what was told before that moment goes, and the file follows again; `gone`: what the file calls gone; else
    what was forgotten, now or earlier. What a crawl has done since, in the same run, is told behind it.
    """

    before: str | None = None
    gone: bool = False


class State(Act, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of the file as it was after something was forgotten, in place of all acts before: the body is the piece.

    `schema` is the version of the tables then, `version` that of harvest.
    """

    now: Time
    version: str
    schema: Count
    piece: Count
    pieces: Count


KINDS: dict[str, type[Act]] = {
    "begin": Began,
    "refresh": Refreshed,
    "world": Heard,
    "page": KeptPage,
    "fail": Failed,
    "release": Released,
    "withdraw": Withdrew,
    "round": NextRound,
    "put back empty": PutBackEmpty,
    "take back": TookBack,
    "put back": PutBack,
    "end": Ended,
    FORGETS: Forgets,
    GONE: Gone,
    STATE: State,
}
NAMES = {kind: name for name, kind in KINDS.items()}


def as_detail(act: Act) -> dict[str, Any]:
    """Give what is kept of an act."""
    detail: dict[str, Any] = msgspec.to_builtins(act, str_keys=True)
    return detail


def from_detail(what: str, detail: dict[str, Any]) -> Act:
    """Read an act that a stranger may have written. Raises ValueError where it is none that we know."""
    kind = KINDS.get(what)
    if kind is None:
        raise ValueError(f"there is no act {what[:40]!r}")
    return msgspec.convert(detail, kind, str_keys=True)
