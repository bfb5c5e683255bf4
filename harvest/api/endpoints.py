"""Turn a Task into a request: path and query on the API host. Pure.

in: a Task and its list's declaration; out: a Request; never: a host, a header or a credential.

Every list is asked with `linked_partitioning=true`, also where the official description does not list it, and lists
of other people's tracks with all three values of `access`, because the default leaves blocked tracks out
(OpenAPI description of 2026-07-19, soundcloud/api issues 368 and 439).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode

from harvest.api import cursors
from harvest.api.searches import read_search
from harvest.errors import UnexpectedReply
from harvest.lists import KINDS, LOOKUP, STAND_INS, ListKind, not_loaded
from harvest.models import Task
from harvest.things import THINGS, Thing, of_urn

LARGEST_PAGE = 200  # the documented maximum; more gave 500 (soundcloud/api issue 170)
EVERY_ACCESS = "playable,preview,blocked"

_SECRET_PARAMETERS = frozenset({"secret_token", "client_id", "client_secret", "oauth_token", "access_token"})
_SECRET_SEGMENT = re.compile(r"/s-[A-Za-z0-9]+(?=[/?#]|$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Request:
    """One GET on the API host. `parameters` are those the first page of this list is asked with."""

    path_and_query: str
    parameters: tuple[tuple[str, str], ...] = ()


def request(task: Task, kind: ListKind) -> Request:
    """Build the request for the page of this list that comes next."""
    parameters = list_parameters(task, kind)
    if task.cursor is None:
        return Request(f"{list_path(task, kind)}?{_encoded(parameters)}", parameters)
    if not task.cursor.startswith("/"):
        raise UnexpectedReply("The stored cursor is not a path of the API.", reply=redacted(task.cursor))
    size = clamped(task.page_size)
    return Request(task.cursor if size == LARGEST_PAGE else cursors.resized(task.cursor, size), parameters)


def list_path(task: Task, kind: ListKind) -> str:
    """Fill the path of the list with the URN of its subject."""
    if kind.subject not in THINGS:
        return kind.path
    return kind.path.format(urn=task.about or f"{THINGS[kind.subject].urn}{task.subject_id}")


def list_parameters(task: Task, kind: ListKind) -> tuple[tuple[str, str], ...]:
    """List what the first page is asked with, and what a later page must not lose."""
    size = ("limit", str(LARGEST_PAGE if kind.whole else clamped(task.page_size)))
    access = (("access", EVERY_ACCESS),) if kind.by_access else ()
    if kind.inside:
        return (*access, *kind.parameters)
    searched = read_search(task.about or "").parameters if kind.searches else ()
    return (size, ("linked_partitioning", "true"), *access, *kind.parameters, *searched)


def kind_of(task: Task) -> ListKind:
    """Give the declaration of a list; that of a batch says what it asks for."""
    kind = KINDS[task.kind]
    if kind.name in STAND_INS:
        raise not_loaded([kind.name])
    if kind is not LOOKUP:
        return kind
    urns = task.about or ""
    named = of_urn(urns.partition(",")[0])
    if named is None:
        raise UnexpectedReply("The stored batch names no URNs.", reply=urns[:200])
    thing = named[0]
    by_access = any(other.by_access for other in KINDS.values() if other.item == thing.name)
    return replace(kind, item=thing.name, path=f"/{thing.table}", by_access=by_access, parameters=(("urns", urns),))


def clamped(page_size: int) -> int:
    """Keep a page size inside what the service accepts."""
    return max(1, min(LARGEST_PAGE, page_size))


def resolve(page_url: str) -> Request:
    """Ask which resource stands behind the address of a page."""
    return Request(f"/resolve?url={quote(page_url, safe='')}")


def thing(kind: Thing, number: int, secret_token: str | None = None, urn: str | None = None) -> Request:
    """Ask for one thing, by URN where that does not end in its number, with the secret of its link if it is private."""
    query = (*kind.query, *((("secret_token", secret_token),) if secret_token else ()))
    path = f"/{kind.collection or kind.table}/{urn or f'{kind.urn}{number}'}"
    return Request(f"{path}{'?' if query else ''}{_encoded(query)}")


@lru_cache(maxsize=64)  # each attempt of a request shows it several times
def redacted(path_and_query: str) -> str:
    """Give the request as it may be stored and shown: secrets become `***`."""
    path, mark, query = path_and_query.partition("?")
    path = _SECRET_SEGMENT.sub("/s-***", path)
    return path + mark + "&".join(_redacted_parameter(part) for part in query.split("&"))


def _redacted_parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    if unquote(name) in _SECRET_PARAMETERS:
        return f"{name}{equals}***"
    plain = unquote(value)
    safe = _SECRET_SEGMENT.sub("/s-***", plain)
    safe = re.sub(r"(secret_token=)[^&#]+", r"\1***", safe)
    return part if safe == plain else f"{name}{equals}{quote(safe, safe='*')}"


def parameters_of(path_and_query: str) -> dict[str, str]:
    """Read the query of a request, decoded; the last of a repeated name counts."""
    return dict(parse_qsl(path_and_query.partition("?")[2], keep_blank_values=True))


def _encoded(parameters: tuple[tuple[str, str], ...]) -> str:
    return urlencode(parameters, safe=",:")
