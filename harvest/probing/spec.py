"""Compare a newer official description with the one that is known, and with what our parsers read. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from harvest.probing.differences import Difference
from harvest.probing.endpoints import endpoints_asked
from harvest.probing.facts import Facts
from harvest.probing.parsers import KINDS, Types, read_fields, takes


def spec_differences(old: Facts, new: Facts) -> list[Difference]:
    """List what is new, gone or other in a description: endpoints and their parameters, then schemas and fields."""
    return [*_endpoints(old, new), *_schemas(old, new)]


def _endpoints(old: Facts, new: Facts) -> Iterator[Difference]:
    asked = {f"GET {endpoint.path}": endpoint.parameters for endpoint in endpoints_asked()}
    for name in sorted({*old.endpoints, *new.endpoints}):
        before, after = old.endpoints.get(name), new.endpoints.get(name)
        ours = name in asked
        if before is None:
            yield _came_or_went(name, "", "; we ask it already" if ours else "", came=True)
        elif after is None:
            yield _came_or_went(name, "", "; we ask it" if ours else "", came=False)
        else:
            for parameter in sorted({*before.parameters} ^ {*after.parameters}):
                sent = "; we send it" if parameter in asked.get(name, ()) else ""
                yield _came_or_went(name, f"parameter {parameter}", sent, came=parameter in after.parameters)
            if before.answers != after.answers:
                yield Difference((name,), "", f"answers with {_named(after.answers)}, not {_named(before.answers)}")


def _schemas(old: Facts, new: Facts) -> Iterator[Difference]:
    for name in sorted({*old.schemas, *new.schemas}):
        before, after = old.schemas.get(name), new.schemas.get(name)
        if before is None or after is None:
            yield Difference((name,), "", "is a new schema" if before is None else "is gone")
            continue
        for path in sorted({*before, *after}):
            yield from _field(name, path, before, after)


def _field(
    name: str, path: str, before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]
) -> Iterator[Difference]:
    read = _read(name, path)
    if path not in before or path not in after:
        words = "; we read it" if read is not None else ""
        if path in after and read is not None:
            words = "; we read it already" + _not_taken(read, after[path])
        yield _came_or_went(name, path, words, came=path in after)
    elif before[path] != after[path]:
        ours = f"; we read {_named(read - {'null'})}{_not_taken(read, after[path])}" if read is not None else ""
        yield Difference((name,), path, f"is {_named(after[path])}, was {_named(before[path])}{ours}")


def _read(name: str, path: str) -> Types | None:
    """Give the types we read a field of a schema with, None where we do not; of stations no schema tells."""
    for kind, (_, schema, inside) in KINDS.items():
        field = path[len(inside) :].removeprefix(".")
        if schema == name and kind != "station" and path.startswith(inside) and field in read_fields(kind):
            return read_fields(kind)[field]
    return None


def _not_taken(read: Types, types: Sequence[str]) -> str:
    """Say which types our parser would not take."""
    plain = {"object" if word.startswith("#") else word for word in types}
    refused = sorted(word for word in plain if not takes(read, word))
    return f" and do not take {_named(refused)}" if refused else ""


def _came_or_went(name: str, field: str, words: str, *, came: bool) -> Difference:
    return Difference((name,), field, ("is new" if came else "is gone") + words)


def _named(words: Collection[str]) -> str:
    return (
        " or ".join(sorted(word.removeprefix("#") for word in words if word != "null") + ["null"] * ("null" in words))
        or "nothing"
    )
