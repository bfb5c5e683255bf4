"""What the official description says, as facts: endpoints, parameters, fields and their types, and no sentence of it.

Those of the description that this version was made with are stored in `official.json`, which `scripts/describe.py`
makes of a description file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FORMAT = 1
_STORED = Path(__file__).with_name("official.json")


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint: the names of its parameters in the query, and which schemas it answers with, as `#Name`."""

    parameters: list[str]
    answers: list[str]


class Facts(msgspec.Struct, frozen=True):
    """A description. `day` is when it was published, '' if unknown.

    `endpoints` by method and path, whatever stands for an id written `{urn}`: `GET /tracks/{urn}`. `schemas` give the
    types of each field by its path: `user`, `tracks[]`, `quota.unlimited_upload_quota`; '' is the whole. Types are
    those of JSON, `integer` apart from `number`, and `#Name` for another schema.
    """

    endpoints: dict[str, Endpoint]
    schemas: dict[str, dict[str, list[str]]]
    version: str = ""
    day: str = ""
    format: int = FORMAT


@cache
def official() -> Facts:
    """Give the facts that this version was made with."""
    return msgspec.json.decode(_STORED.read_bytes(), type=Facts)


def as_json(facts: Facts) -> bytes:
    """Write facts as they are stored: names in order, a line for each endpoint and each field."""
    plain = msgspec.to_builtins(facts)
    lines = [f'"format": {facts.format}', *(f'"{name}": {_line(plain[name])}' for name in ("version", "day"))]
    lines.append('"endpoints": {\n' + ",\n".join(_rows(plain["endpoints"])) + "\n}")
    schemas = (
        f"{_line(name)}: {{\n" + ",\n".join(_rows(fields)) + "\n}" for name, fields in sorted(plain["schemas"].items())
    )
    lines.append('"schemas": {\n' + ",\n".join(schemas) + "\n}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _rows(named: dict[str, object]) -> list[str]:
    return [f"{_line(name)}: {_line(value)}" for name, value in sorted(named.items())]


def _line(value: object) -> str:
    return msgspec.json.encode(value).decode()
