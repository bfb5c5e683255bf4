"""Mark what strangers wrote before an AI program reads it. Pure.

In: an answer as plain JSON values. Out: the same, where each text stands in a field whose name begins with
`untrusted_`, without control and direction characters, cut short. Any user can type titles, names and tags, and
make them read like an instruction. What stays in a field of its own name is a number, a time, or one of our own
words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from harvest.analysis.methods import RELATED
from harvest.lists import KINDS
from harvest.models import Outcome
from harvest.things import THINGS

LONGEST = 200  # characters of a text
MARK = "untrusted_"
_STATES = ("running", "paused", "drained", "sated", "failed", "todo", "doing", "ended")
_OURS = frozenset(map(str, (*KINDS, *THINGS, *Outcome, *_STATES, *RELATED, "like", "repost")))
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,60}")
_GAPS = re.compile(r"\s+")


def guarded(answer: Any) -> Any:
    """Give an answer with each text in an `untrusted_` field: of mappings, of lists of them, all the way down."""
    if isinstance(answer, Mapping):
        return {_field(str(name), value): guarded(value) for name, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [guarded(one) for one in answer]
    if isinstance(answer, bytes):
        return f"{len(answer)} bytes"
    return cleaned(answer) if isinstance(answer, str) else answer


def cleaned(text: str) -> str:
    """Take out what is not seen or turns text around; put a space for each break; cut it."""
    seen = _GAPS.sub(" ", text)
    seen = "".join(one for one in seen if unicodedata.category(one)[0] != "C")
    return seen if len(seen) <= LONGEST else f"{seen[: LONGEST - 1]}…"


def _field(name: str, value: Any) -> str:
    is_ours = _FIELD.fullmatch(name) is not None
    return name if is_ours and not _holds_text(value) else f"{MARK}{cleaned(name)}"


def _holds_text(value: Any) -> bool:
    """Say whether something of a stranger may stand in a value itself, or in a list of such values."""
    if isinstance(value, list | tuple):
        return any(map(_holds_text, value))
    return isinstance(value, str) and value not in _OURS and _TIME.fullmatch(value) is None
