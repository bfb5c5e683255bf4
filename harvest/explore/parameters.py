"""Turn what stands behind a query on the command line into the values of its parameters.

Values come as `name=value`, or in the order of the parameters. A track or a user may be named by id, URN, address or
name.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from harvest.errors import QueryError
from harvest.explore import tokenizer
from harvest.explore.named import THINGS, Named, Parameter
from harvest.explore.names import named
from harvest.store.entities import fold_tag

_GIVEN_BY_NAME = re.compile(r"([^\W\d]\w*)=(.*)", re.DOTALL)
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,18})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)\.\d+(?:[eE][+-]?\d+)?", re.ASCII)


def bind_named(connection: sqlite3.Connection, query: Named, given: Sequence[str]) -> dict[str, Any]:
    """Give the values of a named query; None stands for a default. Raises QueryError, and SeedError where a track or
    user is not in the file.
    """
    texts = _sorted_out(query, given)
    needed = [p for p in query.parameters if p.default is None and p.name not in texts]
    if needed:
        raise QueryError(f"{query.name} needs {needed[0].name}: {usage(query)}")
    return {p.name: _value(connection, query, p, texts.get(p.name)) for p in query.parameters}


def bind_free(sql: str, given: Sequence[str]) -> dict[str, Any] | tuple[Any, ...]:
    """Give the values of any other query; what looks like a number is one. Raises QueryError."""
    names = tokenizer.parameters(sql)
    if any(not name or name.isdigit() for name in names):
        return tuple(literal(text) for text in given)
    by_name, in_order = _split(given, names)
    left = [name for name in names if name not in by_name]
    if len(in_order) > len(left):
        raise QueryError(
            f"The query has {_count(len(names), 'parameter')}, and {in_order[len(left)]!r} is one too many."
        )
    values = {**by_name, **dict(zip(left, in_order, strict=False))}
    missing = [name for name in names if name not in values]
    if missing:
        raise QueryError(f"The query needs a value for :{missing[0]}; put {missing[0]}=VALUE behind it.")
    return {name: literal(text) for name, text in values.items()}


def usage(query: Named) -> str:
    """Say how to call a named query."""
    words = [
        p.name.upper() if p.default is None else f"[{p.name}={p.type if p.choices else p.default}]"
        for p in query.parameters
    ]
    return " ".join(["harvest sql", query.name, *words])


def literal(text: str) -> int | float | str:
    """Take a text for the number it looks like."""
    if _is_integer(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _is_integer(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None and -(2**63) <= int(text) < 2**63


def _sorted_out(query: Named, given: Sequence[str]) -> dict[str, str]:
    """Give each parameter its text."""
    names = [p.name for p in query.parameters]
    greedy = next((p for p in query.parameters if p.type in ("words", "tracks")), None)
    by_name, in_order = _split(given, names, all_words=greedy is not None and greedy.type == "words")
    if greedy is not None:
        between = " " if greedy.type == "words" else ","
        return {**by_name, **({greedy.name: between.join(in_order)} if in_order else {})}
    left = [name for name in names if name not in by_name]
    if len(in_order) > len(left):
        raise QueryError(f"{query.name} does not know what {in_order[len(left)]!r} is: {usage(query)}")
    return {**by_name, **dict(zip(left, in_order, strict=False))}


def _split(given: Sequence[str], names: Sequence[str], *, all_words: bool = False) -> tuple[dict[str, str], list[str]]:
    """Tell values given by name from those given in order."""
    by_name: dict[str, str] = {}
    in_order = []
    for text in given:
        match = _GIVEN_BY_NAME.fullmatch(text)
        if match and match[1].lower() in names:
            by_name[match[1].lower()] = match[2]
        elif match and match[1] in names:
            by_name[match[1]] = match[2]
        elif match and not all_words:
            near = get_close_matches(match[1].lower(), names, n=1)
            what = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names) or 'none'}."
            raise QueryError(f"There is no parameter {match[1]}; {what}")
        else:
            in_order.append(text)
    return by_name, in_order


def _value(connection: sqlite3.Connection, query: Named, parameter: Parameter, text: str | None) -> int | str | None:
    if text is None or text == parameter.default:
        return None
    if parameter.type in THINGS:
        return named(connection, parameter.type, text)
    if parameter.type == "tracks":
        return json.dumps([named(connection, "track", name) for name in text.split(",") if name.strip()])
    if parameter.type == "tag":
        return fold_tag(text) or text  # of nothing but hyphens: no tag is that
    if parameter.type == "integer":
        if not _is_integer(text):
            raise QueryError(f"{parameter.name} of {query.name} is a whole number, not {text!r}.")
        return int(text)
    if parameter.choices and text not in parameter.choices:
        raise QueryError(f"{parameter.name} of {query.name} is {' or '.join(parameter.choices)}, not {text!r}.")
    return text


def _count(n: int, what: str) -> str:
    return f"{n or 'no'} {what}{'' if n == 1 else 's'}"
