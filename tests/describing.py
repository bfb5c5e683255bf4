"""Write a description in OpenAPI that has the facts of the official one, and a sentence of ours wherever one may be."""

from __future__ import annotations

from typing import Any

from harvest.probing.facts import Facts, official

SENTENCE = "A sentence that no fact needs."


def described(facts: Facts | None = None) -> dict[str, Any]:
    """Give a whole document, for a test to change before it is written."""
    facts = facts or official()
    paths: dict[str, Any] = {}
    for name, endpoint in facts.endpoints.items():
        method, path = name.split(" ")
        asked = [
            {"in": "query", "name": one, "description": SENTENCE, "schema": {"type": "string"}}
            for one in endpoint.parameters
        ]
        taken = [{"in": "path", "name": "urn", "required": True, "schema": {"type": "string"}}]
        answers = {"oneOf": [_type(word) for word in endpoint.answers]} if endpoint.answers else {}
        paths.setdefault(path, {})[method.lower()] = {
            "summary": SENTENCE,
            "parameters": [*taken, *asked],
            "responses": {"200": {"description": SENTENCE, "content": {"application/json": {"schema": answers}}}},
        }
    return {
        "openapi": "3.0.4",
        "info": {"title": SENTENCE, "version": facts.version},
        "paths": paths,
        "components": {"schemas": {name: _schema(fields, "") for name, fields in facts.schemas.items()}},
    }


def _schema(fields: dict[str, list[str]], path: str) -> dict[str, Any]:
    """Write the schema of what stands at a path."""
    kinds = [_type(word) for word in fields[path] if word != "null"]
    schema: dict[str, Any] = {"description": SENTENCE, **({"anyOf": kinds} if kinds else {})}
    if "null" in fields[path]:
        schema["nullable"] = True
    if f"{path}[]" in fields:
        schema["items"] = _schema(fields, f"{path}[]")
    before = f"{path}." if path else ""
    below = [field for field in fields if field and field.startswith(before) and field != path]
    names = {field for field in below if "." not in field[len(before) :] and not field.endswith("[]")}
    if path and not path.endswith("[]") and f"{path}[]" in fields:
        names = {name for name in names if not name.startswith(f"{path}[]")}
    if names:
        schema["properties"] = {name[len(before) :]: _schema(fields, name) for name in sorted(names)}
    return schema


def _type(word: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{word[1:]}"} if word.startswith("#") else {"type": word}
