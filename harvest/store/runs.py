"""Record each process that crawls: when, with which version, against which service, and why it stopped."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from urllib.parse import urlsplit

from harvest._version import __version__
from harvest.errors import StoreError
from harvest.store.commit import count_requests


def start_run(
    connection: sqlite3.Connection,
    *,
    now: str,
    options: Mapping[str, object],
    api_url: str,
    credential_kind: str,
    version: str = __version__,
) -> int:
    """Open a run; give its id. Raises StoreError when the file holds another service's data."""
    _check_service(connection, api_url)
    cursor = connection.execute(
        "INSERT INTO runs (started_at, version, options, api_url, credential_kind) VALUES (?, ?, ?, ?, ?)",
        (now, version, json.dumps(options), api_url, credential_kind),
    )
    return int(cursor.lastrowid or 0)


def _check_service(connection: sqlite3.Connection, api_url: str) -> None:
    """Keep invented data and SoundCloud's own apart; a server on this computer may have any port, see `hear_world`."""
    for (other,) in connection.execute("SELECT DISTINCT api_url FROM runs"):
        if other != api_url and not (_is_local_server(other) and _is_local_server(api_url)):
            if connection.execute("SELECT NOT EXISTS (SELECT 1 FROM pages)").fetchone()[0]:
                raise StoreError(
                    f"This file was started for {other}, not for {api_url}, and nothing was fetched into it: "
                    "delete it, or name another file with --cache-path."
                )
            raise StoreError(
                f"This file was crawled from {other}, not from {api_url}: one file holds one service. "
                "Name another file with --cache-path."
            )


def hear_world(connection: sqlite3.Connection, run_id: int, world: str) -> None:
    """Keep which world answers a run; raise StoreError when the file holds another one's data.

    A world is what a simulated service calls itself, "" is the real service. NULL: no reply has come in that run.
    """
    others = connection.execute("SELECT DISTINCT world FROM runs WHERE world IS NOT NULL AND world <> ?", (world,))
    if other := others.fetchone():
        raise StoreError(
            f"This file was crawled from {_world(other[0])}, and this is {_world(world)}: "
            "one file holds one service. Name another file with --cache-path."
        )
    connection.execute("UPDATE runs SET world = ? WHERE id = ?", (world, run_id))


def _world(name: str) -> str:
    return f"the simulated world '{name}'" if name else "a service that is no simulation"


def _is_local_server(api_url: str) -> bool:
    return urlsplit(api_url).hostname in ("127.0.0.1", "localhost", "::1")


def spent(connection: sqlite3.Connection) -> tuple[int, float, list[int]]:
    """Give what all runs of the file spent: requests, seconds, and the lists that are failed as it stands.

    A run that was killed lasted until its last page.
    """
    (requests,) = connection.execute("SELECT coalesce(sum(n), 0) FROM run_requests").fetchone()
    (seconds,) = connection.execute(
        """
        SELECT coalesce(sum(max(0, unixepoch(coalesce(ended_at,
            (SELECT max(fetched_at) FROM pages WHERE run_id = runs.id), started_at)) - unixepoch(started_at))), 0)
        FROM runs
        """
    ).fetchone()
    failed = connection.execute("SELECT id FROM tasks WHERE outcome IN ('failed', 'unreadable')")
    return int(requests), float(seconds), [row[0] for row in failed]


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
