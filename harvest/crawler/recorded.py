"""Make a service of what was kept of a crawl, so that the crawl can be told the same again.

In: a file of kept replies, which a stranger may have made. Out: what was asked and answered, in order, for the
simulator to serve. Never: a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

import msgspec

from harvest.api import cursors, endpoints, parse, urns
from harvest.errors import ApiError, StoreError
from harvest.lists import KINDS, LOOKUP, RESOLVE
from harvest.models import OURSELVES, Task
from harvest.replies.files import damaged
from harvest.replies.recording import Act as Told
from harvest.replies.recording import Recording
from harvest.simulator import Exchange, Recorded
from harvest.store.act_kinds import NAMES, Act, Began, Failed, Forgets, KeptPage, Withdrew, from_detail
from harvest.things import THINGS, of_urn

_NO_ANSWER = 504  # in the place of a reply that never came
_FORGETS = NAMES[Forgets]
_TOLD_OF = frozenset(NAMES[kind] for kind in (Began, KeptPage, Failed, Withdrew))


def check_not_forgetting(told: Told, path: Path) -> None:
    """Raise StoreError for the act that says that something is being forgotten: the acts before may hold it still."""
    if told.what == _FORGETS:
        raise StoreError(
            f"{path} may still hold what was being forgotten in its file: end that with `harvest forget --finish"
            " --cache-path` and the name of the file."
        )


def recorded(recording: Recording, *, tell: Callable[[str], None]) -> tuple[Recorded, list[str]]:
    """Make the service of a recording, and give the addresses its crawls began with; `tell` hears what is asked for in
    vain. The recording must stay open. Raises NotADatabase where it is damaged.
    """
    reader = _Reader(recording)
    service = Recorded(
        f"recording {recording.facts.pair[:40]}",
        reader.exchanges(),
        recording.body,
        canonical=lambda request: cursors.canonical(endpoints.redacted(request)),
        tell=tell,
    )
    return service, list(reader.seeds)


class _Reader:
    """Reads acts in order; knows where each reading of a list stands."""

    def __init__(self, recording: Recording) -> None:
        self.seeds: dict[str, None] = {}
        self._recording = recording
        self._cursors: dict[tuple[str, int, int], str] = {}  # what a reading asks for next

    def exchanges(self) -> Iterator[Exchange]:
        """Give what was asked and answered. Raises NotADatabase."""
        for act in self._recording.acts():  # each body is looked at before anything is served
            check_not_forgetting(act, self._recording.path)
            if act.what in _TOLD_OF:
                try:
                    yield from self._of_act(from_detail(act.what, act.detail), act)
                except (LookupError, ValueError, ApiError) as error:
                    raise damaged(self._recording.path, f"act {act.number} cannot be read ({error})") from error

    def _of_act(self, act: Act, told: Told) -> Iterator[Exchange]:
        if isinstance(act, KeptPage):
            yield from self._page(act, told)
        elif isinstance(act, Failed):
            yield from self._failed(act, told)
        elif isinstance(act, Withdrew):
            for subject, named in zip_longest(act.subjects, act.named):
                if (asked := _next_page(Task(0, act.kind, subject, about=named))) is not None:
                    yield Exchange(asked, status=act.status or _NO_ANSWER, evidence=act.reply)
        elif isinstance(act, Began):
            self.seeds.update(dict.fromkeys(address for addresses, _ in act.harvests for address in addresses))

    def _page(self, page: KeptPage, told: Told) -> Iterator[Exchange]:
        place = (page.kind, page.subject, page.reading)
        if page.next_cursor:
            self._cursors[place] = page.next_cursor
        else:
            self._cursors.pop(place, None)
        if told.body is None:
            return
        if page.thing is None:
            asked = tuple((page.about or "").split(",")) if page.kind == LOOKUP.name else ()
            yield Exchange(page.request, body=told.body_id, urns=asked)
            return
        path, urn = _thing(page.thing, told.body)
        if page.request.startswith("/resolve?"):
            yield Exchange(page.request, status=302, location=path)
        elif page.request == f"/{OURSELVES}":
            path = page.request
        yield Exchange(path, body=told.body_id, urns=(urn,))

    def _failed(self, failed: Failed, told: Told) -> Iterator[Exchange]:
        asked = self._asked(failed)
        if asked is None:
            return
        times = max(1, failed.attempts)
        if told.body:  # a reply that could not be read
            yield Exchange(asked, status=failed.status or _NO_ANSWER, body=told.body_id, times=times)
            return
        evidence = failed.reply
        if failed.failure == "unexpected_reply" and not _is_json(evidence):  # the beginning of a reply of another shape
            evidence = msgspec.json.encode({"reply": evidence}).decode()
        yield Exchange(asked, status=failed.status or _NO_ANSWER, evidence=evidence, times=times)

    def _asked(self, failed: Failed) -> str | None:
        """Give what was asked for when it failed, None where an older harvest has not said it."""
        cursor = self._cursors.get((failed.kind, failed.subject, failed.reading))
        about = failed.about or ""
        if failed.kind == RESOLVE.name or (failed.kind == LOOKUP.name and "," not in about):
            return _of_seed(about)
        return _next_page(Task(0, failed.kind, failed.subject, cursor=cursor, about=failed.named or failed.about))


def _thing(kind: str, body: bytes) -> tuple[str, str]:
    """Give where a thing is asked for, and its URN."""
    thing = THINGS[kind]
    page = parse.parse_thing(body, kind)
    number = page.items[0]
    urn = page.stations[number].urn if number in page.stations else f"{thing.urn}{number}"
    return endpoints.thing(thing, number, urn=urn).path_and_query, urn


def _next_page(task: Task) -> str | None:
    if task.about is None and KINDS[task.kind].searches:
        return None
    return endpoints.request(task, endpoints.kind_of(task)).path_and_query


def _of_seed(address: str) -> str:
    """Give what a seed is first asked for by."""
    named = of_urn(address)
    if named is not None:
        return endpoints.thing(*named).path_and_query
    if address.startswith(THINGS["station"].urn) and isinstance(urns.identify("station", urn=address), int):
        return endpoints.thing(THINGS["station"], 0, urn=address).path_and_query
    return f"/{OURSELVES}" if address == OURSELVES else endpoints.resolve(address).path_and_query


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return False
    return True
