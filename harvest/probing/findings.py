"""Find where what was answered differs from what we read, and from what is officially described. Pure.

Rule 1. A field that always stands there is missing where it stands in nothing of its kind that an endpoint shows; a
count that owners may hide, where it stands in none of many, at no endpoint.
Rule 2. Null is no type: the description calls almost nothing nullable, and recordings are full of it.
Rule 3. What our parser takes is no difference, whatever the description says.
Rule 4. A missing field and an unknown one of the same type are one difference: a new name.
Rule 5. The same difference at several endpoints is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from harvest.probing.differences import Difference, together
from harvest.probing.endpoints import Asked, endpoints_asked
from harvest.probing.expected import Field, fields_of
from harvest.probing.onward import PLACES, READ_HEADERS, place_of
from harvest.probing.parsers import takes
from harvest.probing.report import Answer, Endpoint
from harvest.probing.shapes import WITHHELD, Fields

_MANY = 50  # things of a kind
_ALIKE = 0.5  # names
_PAGE = {
    "collection": Field(frozenset({"array"}), frozenset({"array"}), always=True),
    "next_href": Field(None, frozenset({"string"})),
}
_REDIRECT = {name: Field(None, frozenset({"string"})) for name in ("status", "location")}
_WORDS = {
    "forbidden": "is refused",
    "gone": "answers that there is no such thing",
    "unexpected_reply": "answers what cannot be read",
}
_LOCATIONS = frozenset({"URN", "number"})


def findings(endpoints: Mapping[str, Endpoint]) -> list[Difference]:
    """List every difference, those of the same kind together, in the order in which endpoints are asked."""
    found: list[Difference] = []
    seen: dict[tuple[str, str], _Sightings] = {}
    for asked in endpoints_asked():
        endpoint = endpoints.get(asked.name, Endpoint())
        found += _refusals(asked, endpoint)
        for answer in endpoint.answers.values():
            if not answer.problem:
                found += _of_answer(asked, answer, seen)
    found += _never_seen(seen)
    return together(found)


def _refusals(asked: Asked, endpoint: Endpoint) -> Iterator[Difference]:
    """Say which credentials were refused, where not all were answered."""
    refused = {name: answer for name, answer in endpoint.answers.items() if answer.problem}
    if not refused:
        return
    said = sorted({_said(answer) for answer in refused.values()})
    answered = [name for name in endpoint.answers if name not in refused]
    whom = f" to {' and '.join(f'the {name}' for name in refused)}, not to the {answered[0]}" if answered else ""
    yield Difference((asked.name,), "", " and ".join(said) + whom)


def _said(answer: Answer) -> str:
    words = _WORDS.get(answer.problem, "has trouble")
    return f"{words} ({answer.problem.replace('_', ' ')}, {answer.status or 'no status'})"


def _of_answer(asked: Asked, answer: Answer, seen: dict[tuple[str, str], _Sightings]) -> Iterator[Difference]:
    yield from _of_shape(asked, answer.fields, seen)
    yield from _of_paging(asked, answer)
    for name in sorted(answer.limits.keys() - READ_HEADERS):
        yield Difference((asked.name,), f"header {name}", "tells of a limit, and we do not read it")
    if asked.shape == "redirect" and answer.location not in _LOCATIONS:
        yield Difference((asked.name,), "location", f"ends in {answer.location or 'nothing'}, not in a URN or a number")


def _of_paging(asked: Asked, answer: Answer) -> Iterator[Difference]:
    """Say what is new about where a page goes on, and about its size."""
    size, on = answer.asked_for, answer.goes_on
    if size and (answer.entries or 0) > size:
        yield Difference((asked.name,), "", f"gives {answer.entries} entries where {size} are asked for")
    if on is None:
        return
    if size and on.size is not None and on.size != size:
        yield Difference((asked.name,), "next_href", f"asks for pages of {on.size}, not of {size}")
    place, usual = place_of(on, asked.parameters), "offset" if asked.by_offset else "cursor"
    words = [] if on.host else ["names another host"]
    words += [] if on.path else ["leads to another path"]
    if place.keys() != {usual} or place[usual] not in PLACES[usual]:
        shown = " and ".join(f"{name}={kind}" for name, kind in place.items()) or "nothing"
        known = " or ".join(sorted(f"{usual}={kind}" for kind in PLACES[usual]))
        words.append(f"goes on by {shown}, not by {known}")
    if words:
        yield Difference((asked.name,), "next_href", "; ".join(words))


@dataclass(slots=True)
class _Sightings:
    """Where a count that may be hidden could have been, and how often it was."""

    where: dict[str, None] = field(default_factory=dict)
    of: int = 0
    times: int = 0


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a reply a thing stands, which kind it is, and what it is called in a difference."""

    path: str
    kind: str
    label: str

    def fields(self) -> Mapping[str, Field]:
        """Give what is known of it."""
        return {"page": _PAGE, "redirect": _REDIRECT}.get(self.kind) or fields_of(self.kind)


def _of_shape(asked: Asked, fields: Fields, seen: dict[tuple[str, str], _Sightings]) -> Iterator[Difference]:
    root = set(fields.get("", ())) - {"null"}
    expected = "array" if asked.shape == "whole" else "object"
    if root != {expected}:
        named = {"array": "a bare array", "object": "an object"}
        shown = " and ".join(named.get(one, f"a {one}") for one in sorted(root)) or "nothing"
        yield Difference((asked.name,), "", f"answers with {shown}, not {named[expected]}")
        if root != {"array"} or not asked.pages:
            return
    for place in _places(asked, fields):
        yield from _of_thing(asked, place, fields, seen)


def _places(asked: Asked, fields: Fields) -> Iterator[_Place]:
    """Find all things in a reply, outer ones first."""
    if asked.shape == "redirect":
        yield _Place("", "redirect", "redirect")
        return
    if asked.shape in ("thing", "inside"):
        kind = asked.subject if asked.shape == "inside" else asked.item
        waiting = [_Place("", kind, kind)]
    else:
        bare = "array" in fields.get("", ())
        waiting = [_Place("[]" if bare else "collection[]", asked.item, asked.item)]
        if not bare:
            yield _Place("", "page", "page")
    while waiting:
        place = waiting.pop(0)
        yield place
        for path, known in place.fields().items():
            inner = _below(place.path, path)
            if known.leads and "object" in fields.get(inner, ()):
                waiting.append(
                    _Place(inner, known.leads, "track" if known.leads == "track" else f"{place.label}.{path}")
                )


def _of_thing(
    asked: Asked, place: _Place, fields: Fields, seen: dict[tuple[str, str], _Sightings]
) -> Iterator[Difference]:
    """Compare what stands at one place of a reply with what is known of such things."""
    known, here = place.fields(), _relative(place, fields)
    of = fields.get(place.path, {}).get("object", 0)
    if not of:
        return
    new = {path: types for path, types in here.items() if path not in known and _is_outermost(path, known)}
    gone = [path for path, one in known.items() if one.always and path not in here]
    for path, one in known.items():
        if one.hidden:
            sightings = seen.setdefault((place.label, path), _Sightings())
            sightings.where[asked.name] = None
            sightings.of, sightings.times = sightings.of + of, sightings.times + sum(here.get(path, {}).values())
    for path, types in here.items():
        if path in known and (words := _other_type(known[path], types)):
            yield Difference((asked.name,), f"{place.label}.{path}", words)
    named = _renamed(gone, new, known)
    for path in gone:
        renamed = f"; {named[path]}, which is new, may be its new name" if path in named else ""
        ours = "; we read it" if known[path].read is not None else "; it is described, and we do not read it"
        yield Difference((asked.name,), f"{place.label}.{path}", f"is missing{renamed}{ours}")
    for path in sorted(new.keys() - set(named.values())):
        shown = f"{place.label}.{path}"
        what = (
            "are fields whose names are withheld: they may be somebody's"
            if path.endswith(WITHHELD)
            else "is new: it is neither read nor described"
        )
        yield Difference((asked.name,), shown, what)


def _renamed(gone: list[str], new: Mapping[str, Mapping[str, int]], known: Mapping[str, Field]) -> dict[str, str]:
    """Pair what is missing with what is new and may be the same: of a type that fits, and called alike, or alone."""
    pairs: dict[str, str] = {}
    for missing in gone:
        fitting = [
            path for path, types in new.items() if path not in pairs.values() and not _other_type(known[missing], types)
        ]
        if not fitting:
            continue
        best = max(fitting, key=lambda path: SequenceMatcher(None, missing, path).ratio())
        alone = len(gone) == 1 and len(new) == 1
        if alone or SequenceMatcher(None, missing, best).ratio() >= _ALIKE:
            pairs[missing] = best
    return pairs


def _other_type(known: Field, types: Mapping[str, int]) -> str:
    """Say so where a type stands that is not expected, '' where none does."""
    if not (known.read or known.described):
        return ""
    described = frozenset("object" if word.startswith("#") else word for word in known.described)
    taken = known.read if known.read is not None else described
    odd = sorted(word for word in types if not takes(taken, word))
    if not odd:
        return ""
    if known.read is None:
        return f"is {_named(odd)}; described is {_named(described)}, and we do not read it"
    theirs = f", described is {_named(described)}" if described and _named(described) != _named(known.read) else ""
    return f"is {_named(odd)}; we read {_named(known.read)}{theirs}"


def _never_seen(seen: Mapping[tuple[str, str], _Sightings]) -> Iterator[Difference]:
    """Name the counts that were nowhere."""
    for (label, path), sightings in seen.items():
        if sightings.of >= _MANY and not sightings.times:
            yield Difference(tuple(sightings.where), f"{label}.{path}", "is missing from all of them")


def _is_outermost(path: str, known: Mapping[str, Field]) -> bool:
    """Say whether what stands around a new field is known, and what else stands there too."""
    around = path[:-2] if path.endswith("[]") else path.rpartition(".")[0]
    if not around:
        return True
    return around in known and any(other.startswith((f"{around}.", f"{around}[]")) for other in known)


def _relative(place: _Place, fields: Fields) -> dict[str, dict[str, int]]:
    """Give what stands in a thing, by the path in it; not what stands in another thing inside."""
    before = f"{place.path}." if place.path else ""
    leads = [path for path, one in place.fields().items() if one.leads]
    here = {path.removeprefix(before): types for path, types in fields.items() if path and path.startswith(before)}
    if place.kind == "page":  # its entries are places of their own
        return {path: types for path, types in here.items() if not path.startswith("collection[]")}
    return {path: types for path, types in here.items() if not any(path.startswith(f"{lead}.") for lead in leads)}


def _below(path: str, field_path: str) -> str:
    return f"{path}.{field_path}" if path else field_path


def _named(words: Collection[str]) -> str:
    return " or ".join(sorted(word for word in words if word != "null")) or "nothing"


@dataclass(frozen=True, slots=True)
class Shown:
    """A field as one reply shows it: its types but null, what is known of it, what the thing is called that it stands
    in, and whether something unknown stands around it.
    """

    types: frozenset[str]
    known: Field | None
    thing: str
    inner: bool = False

    @property
    def odd(self) -> frozenset[str]:
        """The types that are not expected; of an unknown field, all of them."""
        if self.known is None:
            return frozenset("number" if word == "integer" else word for word in self.types)
        return frozenset(word for word in self.types if _other_type(self.known, {word: 1}))


def shown_fields(asked: Asked, fields: Fields) -> dict[str, Shown]:
    """Give each field of a reply by what it is called in a difference: `track.user.username`."""
    found: dict[str, Shown] = {}
    for place in _places(asked, fields):
        known = place.fields()
        for path, counted in _relative(place, fields).items():
            types, label = frozenset(counted.keys() - {"null"}), f"{place.label}.{path}"
            before = found[label].types if label in found else frozenset()
            inner = path not in known and not _is_outermost(path, known)
            found[label] = Shown(before | types, known.get(path), place.label, inner)
    return found


def shown_things(asked: Asked, fields: Fields) -> set[str]:
    """Give what the things are called that a reply shows: an entry that is null shows none."""
    return {place.label for place in _places(asked, fields) if fields.get(place.path, {}).get("object")}
