"""Make text that people typed safe for one kind of file. Pure.

Parquet and JSON take any text as it is. The others have characters they cannot hold, or that their readers trip over.
"""

from __future__ import annotations

import re
from datetime import datetime

from harvest.system.spreadsheet import without_formula

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINE_BREAK = re.compile("\r\n?")
_BLANK = re.compile(r"\s+")


def cell(text: str) -> str:
    """For CSV: a formula becomes text by an apostrophe before it.

    NUL goes and line breaks become line feeds, since no two readers agree on them.
    """
    return without_formula(_LINE_BREAK.sub("\n", text.replace("\0", "")))


def field(text: str) -> str:
    """For tab-separated files without quoting: one line, no tabs, and no double quotes, which RecBole stumbles over."""
    return _BLANK.sub(" ", _CONTROL.sub(" ", text).replace('"', "'")).strip()


def word(text: str) -> str:
    """For one item of a list that is separated by blanks."""
    return field(text).replace(" ", "_")


def xml(text: str) -> str:
    """Leave out what XML 1.0 cannot hold at all; escaping is the writer's."""
    return _NOT_IN_XML.sub("", text)


def moment(text: str | None) -> int | None:
    """Give the seconds since 1970 of a time as the file holds it; None for what is no time, as 0000-00-00."""
    try:
        return None if text is None else int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return None


def time(text: str | None) -> str | None:
    """Give a time as it is, None where it is none."""
    return None if moment(text) is None else text
