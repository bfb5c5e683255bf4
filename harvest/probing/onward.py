"""How a list continues, and what headers tell of limits: names and kinds of values, never a person's values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from harvest.probing.shapes import WITHHELD

_LONG = 10  # digits; shorter numbers are called a number, whatever their length
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+([-_][A-Za-z]+)*", re.ASCII)
_PARAMETER = re.compile(r"[a-z][a-z_]{0,39}(\[[a-z]{1,10}\])?", re.ASCII | re.IGNORECASE)
_OF_LIMITS = re.compile(r"rate-?limit|retry-after|quota|throttl", re.ASCII | re.IGNORECASE)
_HEADER = re.compile(r"[a-z][a-z0-9-]{0,59}", re.ASCII)
_OF_AMOUNTS = re.compile(r".*-(limit|remaining|reset|policy|used|after)", re.ASCII)
_AMOUNT = re.compile(r"-?\d{1,10}(\.\d{1,6})?(;\s*[a-z]{1,8}=\d{1,10}){0,4}", re.ASCII)
SIZES = frozenset({"limit", "page_size"})
READ_HEADERS = frozenset({"retry-after"})

# Which parameter says where a list goes on, and what its values have looked like; soundcloud/api issues 165, 309, 368,
# 505, and a client's note of 2024 for the last one.
PLACES: dict[str, frozenset[str]] = {
    "offset": frozenset({"number"}),
    "cursor": frozenset({"16 digits", "13 digits", "time,word,11 digits", "time,word,3 digits-20 digits-20 digits"}),
}


class GoesOn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an address of a next page is like: the kinds of its parameters' values, by name; `size` is the page size it
    asks for. `host` and `path` say whether they are those of the request.
    """

    parameters: dict[str, str]
    size: int | None = None
    host: bool = True
    path: bool = True


def goes_on(next_href: object, *, asked: str, api_base: str) -> GoesOn | None:
    """Read where a page goes on, None at the end; `asked` is the path and query that brought it."""
    if not isinstance(next_href, str) or not next_href:
        return None
    try:
        address, base = urlsplit(next_href), urlsplit(api_base)
        host = address.hostname == base.hostname
    except ValueError:
        return GoesOn({}, host=False, path=False)
    pairs = parse_qsl(address.query, keep_blank_values=True)
    sizes = [int(value) for name, value in pairs if name in SIZES and re.fullmatch(r"\d{1,6}", value, re.ASCII)]
    path = unquote(address.path.removeprefix(base.path.rstrip("/")))
    return GoesOn(
        {name if _PARAMETER.fullmatch(name) else WITHHELD: kind_of(value) for name, value in sorted(pairs)},
        sizes[-1] if sizes else None,
        host=host,
        path=path == unquote(asked.partition("?")[0]),
    )


def kind_of(value: str) -> str:
    """Say what a value looks like: `16 digits`, `number`, `time,word,11 digits`, `URN`, `text`."""
    if value in ("true", "false"):
        return "boolean"
    if value.startswith("soundcloud:"):
        return "URN"
    return ",".join(_kind_of_part(part) for part in value[:500].split(","))


def _kind_of_part(part: str) -> str:
    if _TIME.fullmatch(part):
        return "time"
    if _UUID.fullmatch(part):
        return "uuid"
    if re.fullmatch(r"\d+(-\d+)+", part, re.ASCII):
        return "-".join(f"{len(digits)} digits" for digits in part.split("-"))
    if re.fullmatch(r"\d+", part, re.ASCII):
        return f"{len(part)} digits" if len(part) >= _LONG else "number"
    return "word" if _WORD.fullmatch(part) else "text" if part else "nothing"


def place_of(on: GoesOn, asked: frozenset[str]) -> dict[str, str]:
    """Give the parameters that say where the list continues: those that the request did not have.

    A `client_id` was seen among them (recording of 2018), and says nothing of the place.
    """
    usual = asked | SIZES | {"linked_partitioning", "client_id"}
    return {name: kind for name, kind in on.parameters.items() if name not in usual}


def limits_told(headers: Mapping[str, str]) -> dict[str, str]:
    """Give the headers that tell of limits, in lower case: their amounts, or `text` for anything else."""
    named = {name.lower(): value.strip() for name, value in headers.items() if _OF_LIMITS.search(name)}
    return {
        name: value if _OF_AMOUNTS.fullmatch(name) and _AMOUNT.fullmatch(value) else "text"
        for name, value in sorted(named.items())
        if _HEADER.fullmatch(name)
    }
