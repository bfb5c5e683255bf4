"""Every endpoint that is asked, made of the declarations of lists and things: its path, parameters, what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from harvest.api.endpoints import EVERY_ACCESS, LARGEST_PAGE
from harvest.lists import OUR_KINDS, ListKind
from harvest.probing.facts import official
from harvest.things import SHOWN

Parameters = tuple[tuple[str, str], ...]

WORD = "a"  # what is searched for: a word that identifies no person
# Entries asked for: of a search and a batch as many as a crawl asks for, of other lists so few that most go on.
_MANY, _FEW = str(LARGEST_PAGE), "20"

# What the service calls the columns that say how long a list is, where that is something else.
_CLAIMED = {
    ("track", "likes_count"): "favoritings_count",
    ("user", "likes_given_count"): "public_favorites_count",
    ("user", "reposts_given_count"): "reposts_count",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One endpoint. `name` is its path, with what tells it from others of that path: `/tracks?urns`.

    `subject` is the kind of thing whose URN the path takes, '' where it takes none. `item` is the kind of thing it
    answers with, or lists. Its `shape` is a `thing`, a `redirect`, a `list`, a `whole` list, which is a bare array, or
    `inside`: a thing with its list in it. `own` endpoints answer the signed-in person; `by_offset` lists are numbered.
    `claimed` is the field of a thing that says how long its list is, `batch_of` what is looked up together.
    """

    name: str
    path: str
    item: str
    shape: str
    subject: str = ""
    query: Parameters = ()
    own: bool = False
    by_offset: bool = False
    batch_of: str = ""
    claimed: str = ""

    @property
    def parameters(self) -> frozenset[str]:
        """The names of what it is asked with."""
        return frozenset(name for name, _ in self.query)

    @property
    def pages(self) -> bool:
        """Whether it answers with a page of a list, which may go on."""
        return self.shape == "list"


@cache
def endpoints_asked() -> tuple[Asked, ...]:
    """List all of them: searches first, which need nothing but a word, then what a thing found there is asked for."""
    searches = [_list(kind) for kind in OUR_KINDS.values() if kind.searches]
    lists = [_list(kind) for kind in OUR_KINDS.values() if not (kind.looks_up or kind.searches or kind.own)]
    resolve = Asked("/resolve", "/resolve", "", "redirect", query=(("url", ""),))
    return (*searches, resolve, *_things(), *lists, *_batches(), *_own())


def _list(kind: ListKind, path: str = "", *, own: bool = False) -> Asked:
    path = path or kind.path
    access = (("access", EVERY_ACCESS),) if kind.by_access else ()
    size = _MANY if kind.searches or kind.whole else _FEW
    paging = () if kind.inside else (("limit", size), ("linked_partitioning", "true"))
    words = (("q", WORD),) if kind.searches else ()
    return Asked(
        f"{path}?q" if kind.searches else path,
        path,
        kind.item,
        "inside" if kind.inside else "whole" if kind.whole and not kind.own else "list",
        "" if kind.searches or own else kind.subject,
        (*paging, *access, *kind.parameters, *words),
        own,
        kind.by_offset,
        claimed=_CLAIMED.get((kind.subject, kind.claimed or ""), kind.claimed or ""),
    )


def _things() -> Iterator[Asked]:
    """A thing that is answered with its list inside is asked for as that list."""
    lists = {kind.path for kind in OUR_KINDS.values() if kind.inside}
    for thing in SHOWN:
        path = f"/{thing.collection or thing.table}/{{urn}}"
        if path not in lists:
            yield Asked(path, path, thing.name, "thing", thing.name, thing.query)


def _batches() -> Iterator[Asked]:
    """What is looked up by several URNs at once."""
    by_access = {kind.item for kind in OUR_KINDS.values() if kind.by_access}
    for thing in SHOWN:
        if thing.at_once > 1:
            access = (("access", EVERY_ACCESS),) if thing.name in by_access else ()
            query = (("limit", _MANY), ("linked_partitioning", "true"), *access, ("urns", ""))
            yield Asked(
                f"/{thing.table}?urns",
                f"/{thing.table}",
                thing.name,
                "list",
                query=query,
                batch_of=thing.name,
                by_offset=True,
            )


def _own() -> Iterator[Asked]:
    """What is asked of the person signed in: themselves, and those of their lists that the description has so."""
    yield Asked("/me", "/me", "me", "thing", own=True)
    for kind in OUR_KINDS.values():
        path = kind.path.replace("/users/{urn}", "/me")
        if kind.own or (kind.subject == "user" and f"GET {path}" in official().endpoints):
            yield _list(kind, path, own=True)
