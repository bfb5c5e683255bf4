"""What a query may do: read this file and nothing else. SQLite asks at each step of preparing a statement."""

from __future__ import annotations

import sqlite3

_READING = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE))
# Pragmas that only tell; the search index asks for data_version itself. With a value, some of them would set something.
_TELLING = frozenset(
    ("application_id", "data_version", "encoding", "freelist_count", "page_count", "page_size", "user_version")
)
_TELLING_OF = ("_info", "_list", "_xinfo", "compile_options")
_WORDS = {
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_DELETE: "DELETE",
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_TRANSACTION: "a transaction",
    sqlite3.SQLITE_SAVEPOINT: "a savepoint",
    sqlite3.SQLITE_REINDEX: "REINDEX",
    sqlite3.SQLITE_ANALYZE: "ANALYZE",
    sqlite3.SQLITE_ALTER_TABLE: "ALTER TABLE",
}


class Guard:
    """Allows what reads; remembers what it refused first."""

    def __init__(self) -> None:
        self.refused: str | None = None

    def __call__(self, action: int, first: str | None, second: str | None, _: str | None, __: str | None) -> int:
        """Answer SQLite's question."""
        if action in _READING and not (action == sqlite3.SQLITE_FUNCTION and second == "load_extension"):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA and _tells((first or "").lower(), second):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
            return sqlite3.SQLITE_OK  # how a virtual table makes itself known; a real one is refused by SQLite itself
        if self.refused is None:
            self.refused = self._name(action, first, second)
        return sqlite3.SQLITE_DENY

    @staticmethod
    def _name(action: int, first: str | None, second: str | None) -> str:
        if action == sqlite3.SQLITE_FUNCTION:
            return f"{second}()"
        if action == sqlite3.SQLITE_PRAGMA:
            return f"PRAGMA {first}"
        if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_DELETE) and str(first).startswith("sqlite_"):
            return "CREATE or DROP"
        return _WORDS.get(action, "CREATE or DROP")


def _tells(pragma: str, value: str | None) -> bool:
    return pragma.endswith(_TELLING_OF) or (pragma in _TELLING and value is None)
