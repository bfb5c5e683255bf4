"""Configure structlog once: events to stderr."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

LogFormat = Literal["console", "json"]
_SECRET_KEYS = frozenset(
    ("authorization", "access_token", "refresh_token", "client_secret", "code", "code_verifier", "secret_token")
)
_SECRET_IN_TEXT = re.compile(
    r"((?:access_token|refresh_token|client_secret|code|code_verifier|secret_token|oauth_token)=)[^&\s\"']+"
    r"|((?:OAuth|Bearer|Basic) )[\w.~+/=-]+"
    r"|(/)s-[A-Za-z0-9]+",
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def configure_logs(*, level: str = "info", log_format: LogFormat = "console", colours: bool = False) -> None:
    """Send events of `level` and above to stderr, for people or as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
        escape_controls,
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, sort_keys=False)
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace every secret in an event, by key and inside text."""
    for key, value in event.items():
        if key in _SECRET_KEYS:
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = without_secrets(value)
    return event


def without_secrets(text: str) -> str:
    """Hide tokens, secrets and private links' secrets inside a text."""
    return _SECRET_IN_TEXT.sub(lambda m: f"{m[1] or m[2] or m[3]}***", text)


def escape_controls(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Make sure that nothing the service sends can move the cursor or turn the text around."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = printable(value)
    return event


def printable(text: str) -> str:
    """Show control and direction characters as escapes."""
    return _CONTROLS.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", text)
