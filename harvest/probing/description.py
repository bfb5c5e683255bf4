"""Turn an OpenAPI description into facts. Its source is not trusted: anything in it may be endless or huge.

In: the bytes of a YAML or JSON file. Out: Facts. Never: a text that describes something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from harvest.errors import SettingsError
from harvest.probing.facts import Endpoint, Facts

LARGEST = 20_000_000  # bytes; the official one has 100,000
_MOST_PARTS = 100_000
_DEEPEST = 40
_METHODS = ("get", "post", "put", "patch", "delete")
_SUCCESSES = ("200", "201", "202", "302")
_SCHEMA = "#/components/schemas/"
_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_description(body: bytes, name: str, *, day: str = "") -> Facts:
    """Read the facts of a description; `name` is what the file is called. Raises SettingsError where it is none."""
    if len(body) > LARGEST:
        raise SettingsError(f"{name} is no OpenAPI description: it is larger than {LARGEST // 10**6} MB.")
    try:
        document = yaml.load(body, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise SettingsError(f"{name} is no OpenAPI description: neither YAML nor JSON can be read in it.") from error
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict) or "openapi" not in document:
        raise SettingsError(f"{name} is no OpenAPI description: it has no `openapi` and `paths`.")
    try:
        return _Reader(document).facts(day)
    except (_TooMuch, RecursionError) as error:
        raise SettingsError(f"{name} is no OpenAPI description that can be read: its parts never end.") from error


class _TooMuch(Exception):
    """More parts than any description has."""


class _Reader:
    def __init__(self, document: dict[Any, Any]) -> None:
        self._document = document
        self._parts = 0

    def facts(self, day: str) -> Facts:
        """Collect all of it."""
        info = _mapping(self._document.get("info"))
        schemas = _mapping(_mapping(self._document.get("components")).get("schemas"))
        return Facts(
            endpoints=dict(sorted(self._endpoints())),
            schemas={str(name): self._fields(schemas[name]) for name in sorted(schemas, key=str)},
            version=str(info.get("version", ""))[:40],
            day=day,
        )

    def _endpoints(self) -> Iterator[tuple[str, Endpoint]]:
        for path, methods in self._document["paths"].items():
            shared = _list(_mapping(methods).get("parameters"))
            for method in _METHODS:
                operation = self._resolved(_mapping(methods).get(method))
                if operation:
                    asked = [
                        name for one in (*shared, *_list(operation.get("parameters"))) for name in self._names(one)
                    ]
                    name = f"{method.upper()} {re.sub(r'{[^}]*}', '{urn}', str(path))}"
                    yield name, Endpoint(sorted(set(asked)), self._answers(operation))

    def _names(self, parameter: object) -> list[str]:
        """Name a parameter of the query; one that is an object, by its parts: `bpm[from]`."""
        found = self._resolved(parameter)
        if found.get("in") != "query":
            return []
        parts = _mapping(self._resolved(found.get("schema")).get("properties"))
        name = str(found.get("name", ""))
        return [f"{name}[{part}]" for part in parts] or [name]

    def _answers(self, operation: dict[Any, Any]) -> list[str]:
        replies = _mapping(operation.get("responses"))
        found: set[str] = set()
        for status in _SUCCESSES:
            for content in _mapping(self._resolved(replies.get(status)).get("content")).values():
                fields = self._fields({"allOf": [_mapping(content).get("schema")]}, expand=False)
                found.update(fields.get("", ()))
        return sorted(found)

    def _fields(self, schema: object, *, expand: bool = True) -> dict[str, list[str]]:
        """Give the types of each field; with `expand`, what the whole is made of is taken in with its fields."""
        types: dict[str, set[str]] = {}
        self._gather(schema, "", types, expand=expand, depth=0)
        return {path: sorted(found) for path, found in sorted(types.items())}

    def _gather(self, schema: object, path: str, types: dict[str, set[str]], *, expand: bool, depth: int) -> None:
        self._count(depth)
        described = _mapping(schema)
        here = types.setdefault(path, set())
        reference = described.get("$ref")
        if isinstance(reference, str):
            if reference.startswith(_SCHEMA) and (path or not expand):
                here.add(f"#{reference.removeprefix(_SCHEMA)}")
                return
            described = self._resolved(described)
        here.update(_types(described))
        for word in ("allOf", "anyOf", "oneOf"):
            for part in _list(described.get(word)):
                self._gather(part, path, types, expand=expand, depth=depth + 1)
        for name, part in _mapping(described.get("properties")).items():
            self._gather(part, f"{path}.{name}" if path else str(name), types, expand=expand, depth=depth + 1)
        if "items" in described:
            self._gather(described["items"], f"{path}[]", types, expand=expand, depth=depth + 1)

    def _resolved(self, value: object) -> dict[Any, Any]:
        """Follow references inside the document; {} for what leads nowhere."""
        for depth in range(_DEEPEST):
            self._count(depth)
            reference = _mapping(value).get("$ref")
            if not isinstance(reference, str):
                return _mapping(value)
            value = self._document
            for part in reference.removeprefix("#/").split("/"):
                value = _mapping(value).get(part.replace("~1", "/").replace("~0", "~"))
        raise _TooMuch

    def _count(self, depth: int) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS or depth > _DEEPEST:
            raise _TooMuch


def _types(schema: dict[Any, Any]) -> set[str]:
    stated = schema.get("type")
    found = {one for one in (stated if isinstance(stated, list) else [stated]) if isinstance(one, str)} & _TYPES
    if not found and "properties" in schema:
        found.add("object")
    if not found and "items" in schema:
        found.add("array")
    return found | ({"null"} if schema.get("nullable") is True else set())


def _mapping(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
