"""Read an object as far as it can be read, field by field: what does not fit is unknown. Pure.

in: a body that does not fit the shapes of `schemas.py` as a whole; out: the same shapes with None where it is wrong.
Slow, and meant to be: it runs only on replies that are odd somewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, get_args

import msgspec

from harvest.api.responses import evidence
from harvest.errors import ServerTrouble

Shape = TypeVar("Shape", bound=msgspec.Struct)

# SQLite text cannot hold a lone surrogate, and a NUL would end it early for many readers.
_UNHOLDABLE = re.compile("[\ud800-\udfff\x00]")
_LONGEST_NUMBER = 40


def decode(body: bytes) -> object:
    """Decode JSON that may carry lone surrogates, raw control characters or bytes that are not UTF-8."""
    text = body.decode("utf-8-sig", errors="replace")
    try:
        return json.loads(text, strict=False, parse_int=_number, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise ServerTrouble("The reply is not JSON.", status=200, reply=evidence(body)) from error


def shaped(shape: type[Shape], value: object) -> Shape | None:
    """Fit one entry into its shape; None when it is no object at all."""
    if not isinstance(value, Mapping):
        return None
    fitted = {name: _fitted(kind, value[name]) for name, kind in _fields(shape) if name in value}
    return shape(**fitted)


def clean(text: str) -> str:
    """Replace what text in SQLite cannot hold."""
    return _UNHOLDABLE.sub("\ufffd", text)


@cache
def _fields(shape: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((field.encode_name, field.type) for field in msgspec.structs.fields(shape))


@cache
def _nested(kind: Any) -> Any:
    """Find the shape inside `Shape | None`."""
    shapes = [part for part in get_args(kind) if isinstance(part, type) and issubclass(part, msgspec.Struct)]
    return shapes[0] if shapes else None


def _fitted(kind: Any, value: object) -> object:
    nested = _nested(kind)
    if nested:
        return shaped(nested, value)
    if isinstance(value, str):
        value = clean(value)
    for strict in (True, False):
        try:
            return msgspec.convert(value, kind, strict=strict)
        except (msgspec.ValidationError, OverflowError):
            continue
    return None


def _number(digits: str) -> int | None:
    """Refuse integers so long that reading them is an attack on the reader."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None
