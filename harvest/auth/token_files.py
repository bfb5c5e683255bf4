"""Read the token files of earlier tools: JSON in several dialects, or a .env. Pure, but for the reading.

Known: {"access_token", "refresh_token", "expires_at" | "expires_in", "scope"}, the same under "token" or "tokens" or in
camelCase, and .env names that end in ACCESS_TOKEN and REFRESH_TOKEN or OAUTH_TOKEN.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from harvest.auth.grants import Token, is_sendable
from harvest.errors import SettingsError
from harvest.system.clock import as_text

_LARGEST = 1_000_000


def read_token_file(path: Path, now: datetime) -> Token:
    """Read tokens; raise SettingsError when there are none."""
    try:
        text = path.read_bytes()[:_LARGEST].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as text ({type(error).__name__}).") from None
    found = _from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_env(text)
    access, renewal = _secret(found.get("access_token")), _secret(found.get("refresh_token"))
    if not (access or renewal):
        raise SettingsError(f"{path} holds no access_token and no refresh_token.")
    scope = found.get("scope")
    return Token(
        access, renewal or None, _seconds_left(found, now), as_text(now), scope if isinstance(scope, str) else ""
    )


def _from_json(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise SettingsError("The file begins like JSON and is none.") from None
    for _ in range(3):
        if isinstance(value, list) and value:
            value = value[0]
        if not isinstance(value, dict):
            return {}
        names = {_snake(key): item for key, item in value.items()}
        if "access_token" in names or "refresh_token" in names:
            return names
        value = names.get("token") or names.get("tokens") or names.get("soundcloud")
    return {}


def _from_env(text: str) -> Mapping[str, Any]:
    from dotenv import dotenv_values

    found: dict[str, Any] = {}
    for name, value in dotenv_values(stream=StringIO(text), interpolate=False).items():
        for ending, field in _ENDINGS.items():
            if value and name.upper().endswith(ending):
                found.setdefault(field, value)
    return found


_ENDINGS = {
    "ACCESS_TOKEN": "access_token",
    "OAUTH_TOKEN": "access_token",
    "REFRESH_TOKEN": "refresh_token",
    "EXPIRES_AT": "expires_at",
    "EXPIRES_IN": "expires_in",
}


def _secret(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if text and not is_sendable(text):
        raise SettingsError("A token in the file has odd characters in it.")
    return text


def _seconds_left(found: Mapping[str, Any], now: datetime) -> float | None:
    """Say how long the access token lives yet; `expires_in` alone counts from an unknown moment: not believed."""
    ends = _moment(found.get("expires_at"))
    if ends is None:
        return 1.0 if "expires_in" in found and found.get("refresh_token") else None
    return max(1.0, (ends - now).total_seconds())


def _moment(value: object) -> datetime | None:
    """Read seconds or milliseconds since 1970, or ISO 8601."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    try:
        if number is not None:
            return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
        moment = datetime.fromisoformat(str(value)) if value else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _snake(name: str) -> str:
    return (
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_") if not name.isupper() else name.lower()
    )
