"""Run `harvest ...` and kill it, really, as it begins a commit of its file or of the replies beside it.

Usage: `python -m tests.killed any|between N FILE harvest-arguments...`: at the n-th commit of any of the two, or at the
n-th that comes between: the replies of an act are committed, and the file is about to be.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_connect = sqlite3.connect


def main(where: str, kill_at: int, file: Path, arguments: list[str]) -> None:
    """Count commits, and kill; without ever reaching so many, end as the command does."""
    watched = {file.absolute(): False, file.with_name(f"{file.stem}.replies.db").absolute(): True}
    seen, is_ahead = 0, False

    def counting(is_replies: bool) -> Callable[[str], None]:
        def count(statement: str) -> None:
            nonlocal seen, is_ahead
            if statement == "COMMIT":
                seen += where == "any" or (is_ahead and not is_replies)
                is_ahead = is_replies
                if seen == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        return count

    def connect(database: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        connection = _connect(database, *args, **options)
        if isinstance(database, Path) and database in watched:
            connection.set_trace_callback(counting(watched[database]))
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]
    sys.argv = ["harvest", *arguments]
    from harvest.__main__ import main as harvest

    sys.exit(harvest())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
