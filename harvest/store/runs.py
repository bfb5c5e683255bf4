"""Record each process that crawls: when, with which version, against which service, and why it stopped."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from harvest import __version__
from harvest.store.commit import count_requests


def start_run(
    connection: sqlite3.Connection, *, now: str, options: Mapping[str, object], api_url: str, credential_kind: str
) -> int:
    """Open a run; give its id."""
    cursor = connection.execute(
        "INSERT INTO runs (started_at, version, options, api_url, credential_kind) VALUES (?, ?, ?, ?, ?)",
        (now, __version__, json.dumps(options), api_url, credential_kind),
    )
    return int(cursor.lastrowid or 0)


def end_run(
    connection: sqlite3.Connection,
    run_id: int,
    *,
    now: str,
    stop_reason: str,
    waited_ms: int,
    tally: Mapping[int, int],
) -> None:
    """Close a run."""
    count_requests(connection, run_id, tally)
    connection.execute(
        "UPDATE runs SET ended_at = ?, stop_reason = ?, waited_ms = ? WHERE id = ?",
        (now, stop_reason, waited_ms, run_id),
    )
