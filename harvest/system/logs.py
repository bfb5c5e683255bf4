"""Configure structlog once: events to stderr.

structlog is imported where it is used, since commands that tell no events need `printable` alone, and quickly.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO, cast

from harvest.system.redaction import without_secrets

LogFormat = Literal["console", "json"]
_SECRET_KEYS = frozenset(
    ("authorization", "access_token", "refresh_token", "client_secret", "code", "code_verifier", "secret_token")
)
_FILE_ONLY = "_file_only"
# What moves the cursor, begins a line, turns the text around, or cannot be written at all.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def configure_logs(
    *, level: str = "info", log_format: LogFormat = "console", colours: bool = False, log_file: TextIO | None = None
) -> None:
    """Send events of `level` and above to stderr, for people or as JSON lines; a log file gets them all, as JSON."""
    import structlog

    _guard_libraries()
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
        escape_controls,
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, sort_keys=False)
    )
    structlog.configure(
        processors=[*shared, _Copy(log_file, least), last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if log_file else least),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=False,
    )


def configure_unless_done() -> None:
    """Send warnings to stderr, unless the program that uses us has told structlog what to do with events."""
    import structlog

    if not structlog.is_configured():  # it would print all of them on stdout
        configure_logs(level="warning")


def file_log() -> Any:
    """Give a log whose events go to the log file alone, where there is one."""
    import structlog

    return structlog.get_logger().bind(**{_FILE_ONLY: True})


class _Copy:
    """Writes events into the log file, and lets only those pass that belong on stderr."""

    def __init__(self, log_file: TextIO | None, least: int) -> None:
        import structlog

        self._log_file = log_file
        self._least = least
        self._as_json = structlog.processors.JSONRenderer()
        self._drop = structlog.DropEvent
        self._logger = structlog.get_logger

    def __call__(self, log: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        file_only = event.pop(_FILE_ONLY, False)
        if self._log_file is not None:
            try:
                self._log_file.write(f"{self._as_json(log, name, dict(event))!s}\n")
            except OSError as error:
                self._log_file = None
                self._logger().warning("log_file.given_up", why=error.strerror or str(error))
        if file_only or logging.getLevelNamesMapping()[event["level"].upper()] < self._least:
            raise self._drop
        return event


class _Stderr:
    """Whatever stderr is at the moment: the live display puts itself in its place."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace every secret in an event, by key and inside text."""
    for key, value in event.items():
        event[key] = "***" if key in _SECRET_KEYS else _hidden(value)
    return event


def _hidden(value: Any) -> Any:
    """Hide secrets at any depth; what is neither text, number nor container is shown by its repr."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {key: "***" if key in _SECRET_KEYS else _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(item) for item in value]
    return value if value is None or isinstance(value, int | float) else without_secrets(repr(value))


def _guard_libraries() -> None:
    """Hide secrets in what the HTTP libraries log when a program turns that on: complete headers and addresses."""
    make = logging.getLogRecordFactory()
    if getattr(make, "hides_secrets", False):
        return

    def careful(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if record.name.partition(".")[0] in ("httpx", "httpcore", "hpack", "asyncio"):
            record.msg, record.args = without_secrets(record.getMessage()), ()
        return record

    careful.hides_secrets = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(careful)


def escape_controls(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Make sure that nothing the service sends can move the cursor or turn the text around."""
    for key, value in event.items():
        if isinstance(value, str):
            lines = value.split("\n") if key == "exception" else [value]  # a trace of our own has lines
            event[key] = "\n".join(map(printable, lines))
    return event


def printable(text: str) -> str:
    """Show control and direction characters as escapes, line breaks included."""
    return _CONTROLS.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", text)
