"""Say what has changed between two probes, and nothing of what is the same. Pure.

Only what both have asked and seen is compared: an endpoint that was not asked, or whose list was empty, tells nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harvest.probing.differences import Difference, together
from harvest.probing.endpoints import Asked, endpoints_asked
from harvest.probing.findings import Shown, shown_fields, shown_things
from harvest.probing.onward import GoesOn, place_of
from harvest.probing.report import Answer, Report


def changes(old: Report, new: Report) -> list[Difference]:
    """List what is other than before: who is answered, fields, their types, how lists go on, what tells of limits."""
    found: list[Difference] = []
    for asked in endpoints_asked():
        before, after = (one.endpoints[asked.name].answers if asked.name in one.endpoints else {} for one in (old, new))
        for credential in (one for one in before if one in after):
            found += _changed(asked, credential, before[credential], after[credential])
    return together(found)


def _changed(asked: Asked, credential: str, old: Answer, new: Answer) -> Iterator[Difference]:
    if (old.status, old.problem) != (new.status, new.problem):
        now, before = _status(new, old), _status(old, new)
        yield Difference((asked.name,), "", f"answers the {credential} with {now}, before with {before}")
    if old.problem or new.problem:
        return
    if old.entries != 0 and new.entries != 0:
        yield from _fields(asked, old, new)
    yield from _onward(asked, old.goes_on, new.goes_on)
    if old.location != new.location:
        yield Difference((asked.name,), "location", f"ends in {new.location}, before in {old.location}")
    for name in sorted({*old.limits, *new.limits}):
        yield from _came_or_went(asked, f"header {name}", name in old.limits, name in new.limits)
        if name in old.limits and name in new.limits and name.endswith(("limit", "policy")):
            yield from _other(asked, f"header {name}", old.limits[name], new.limits[name])


def _status(one: Answer, other: Answer) -> str:
    """Give the status of one; where it is that of the other too, with what was wrong."""
    same = one.status == other.status
    return f"{one.status} ({one.problem.replace('_', ' ') or 'nothing wrong'})" if same else f"{one.status}"


def _fields(asked: Asked, old: Answer, new: Answer) -> Iterator[Difference]:
    """Compare the fields of both. That one which may be missing is there or not, or that of several types which are all
    expected another one was met, is chance.
    """
    before, after = shown_fields(asked, old.fields), shown_fields(asked, new.fields)
    things = shown_things(asked, old.fields) & shown_things(asked, new.fields)
    gone = {label: one for label, one in before.items() if label not in after and _is_news(one, things)}
    came = {label: one for label, one in after.items() if label not in before and _is_news(one, things)}
    for label in sorted(gone):
        successors = [one for one in came if _holder(one) == _holder(label) and came[one].types == gone[label].types]
        if len(successors) == 1 and sum(_holder(one) == _holder(label) for one in gone) == 1:
            came.pop(successors[0])
            name = successors[0].rpartition(".")[2]
            yield Difference((asked.name,), label, f"is gone; {name}, which is new, may be its new name")
        else:
            yield Difference((asked.name,), label, "is gone")
    for label in sorted(came):
        yield Difference((asked.name,), label, "is new")
    for label in sorted(before.keys() & after.keys()):
        was, now = before[label], after[label]
        if was.types and now.types and was.odd != now.odd:
            yield from _other(asked, label, " or ".join(sorted(was.types)), " or ".join(sorted(now.types)))


def _is_news(one: Shown, things: Collection[str]) -> bool:
    """Say whether it tells something that a field is there, or is not, where both replies show such things."""
    return one.thing in things and not one.inner and (one.known is None or one.known.always)


def _holder(label: str) -> str:
    return label.rpartition(".")[0]


def _onward(asked: Asked, old: GoesOn | None, new: GoesOn | None) -> Iterator[Difference]:
    if old is None or new is None:
        return
    before, after = (_shown(asked, one) for one in (old, new))
    if before != after:
        yield Difference((asked.name,), "next_href", f"goes on by {after}, before by {before}")
    if old.size != new.size:
        yield from _other(asked, "size of a page", str(old.size), str(new.size))


def _shown(asked: Asked, on: GoesOn) -> str:
    place = [f"{name}={kind}" for name, kind in place_of(on, asked.parameters).items()]
    return " and ".join([*place, *["another host"] * (not on.host), *["another path"] * (not on.path)]) or "nothing"


def _came_or_went(asked: Asked, field: str, before: bool, after: bool) -> Iterator[Difference]:
    if before != after:
        yield Difference((asked.name,), field, "is new" if after else "is gone")


def _other(asked: Asked, field: str, before: str, after: str) -> Iterator[Difference]:
    if before != after:
        yield Difference((asked.name,), field, f"is {after}, was {before}")
