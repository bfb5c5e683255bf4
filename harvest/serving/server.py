"""Serve one file with datasette, to this computer alone.

In: a file and a socket that listens. Out: pages, until it is stopped. Never: a write, or an answer to a page of
another site (the Host of each request must be this computer).

A file that no process writes is served as one that cannot change: datasette then counts each table once, and we tell it
the counts. As soon as a process writes into it, it is served as one that changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from harvest.errors import ExtraMissing, SettingsError
from harvest.explore.named import named_queries
from harvest.serving.dictionary import read_dictionary
from harvest.serving.metadata import About, metadata
from harvest.serving.questions import seconds_for
from harvest.store.database import open_to_read
from harvest.store.schema import schema_folder

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
SETTINGS = {
    "suggest_facets": False,  # would try every column of every table, at the price of a second a page
    "default_page_size": 50,
    "default_facet_size": 12,
    "truncate_cells_html": 120,
    "allow_download": False,
}
_HOME = ("127.0.0.1", "localhost", "[::1]")


def listen(port: int) -> socket.socket:
    """Listen on this computer, on any free port for 0. Raises SettingsError when the port is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise SettingsError(f"Port {port} cannot be used ({error.strerror}): choose another with --port.") from error
    return listening


def run(path: Path, listening: socket.socket, *, agents: bool = False) -> None:
    """Serve until interrupted, to `agents` as well. Raises ExtraMissing."""
    try:
        import uvicorn
    except ImportError as error:
        raise missing() from error
    config = uvicorn.Config(
        application(path, agents=agents), log_level="error", lifespan="on", timeout_graceful_shutdown=2
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def missing(*, agents: bool = False) -> ExtraMissing:
    """Say what to install."""
    return (
        ExtraMissing("harvest serve --mcp", "mcp", "mcp")
        if agents
        else ExtraMissing("harvest serve", "datasette", "serve")
    )


def application(path: Path, *, agents: bool = False) -> App:
    """Make the application. Raises ExtraMissing without datasette, or without mcp where there are `agents`, and what
    opening the file raises.
    """
    path = path.resolve()  # the log that shows whether a process writes is beside the file, not a link
    state = State.of(path)
    app = _datasette(path, state)
    sessions, agents_app, where = _for_agents(path) if agents else (None, None, None)

    async def serve(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        nonlocal state, app
        if scope["type"] == "lifespan" and sessions is not None:
            async with sessions.session_manager.run():
                await app(scope, receive, send)
            return
        if scope["type"] == "http":
            if not is_from_home(scope):
                await _refuse(send)
                return
            if agents_app is not None and scope["path"] == where:
                await agents_app(scope, receive, send)
                return
            if state.still and State.of(path) != state:  # what is open has taken the file for one that cannot change
                state = State.of(path)
                app = _datasette(path, state)
        await app(scope, receive, send)

    return serve


def _for_agents(path: Path) -> tuple[Any, App, str]:
    """Make what answers agents: the server that runs their sessions, its application, and where that is."""
    try:
        from harvest.serving.agents import WHERE, door
    except ImportError as error:
        raise missing(agents=True) from error
    return *door(path), WHERE


def _datasette(path: Path, state: State) -> App:
    """Make datasette's own application of the file as it is at this moment."""
    try:
        from datasette.plugins import pm

        from harvest.serving import plugin
        from harvest.serving.served import COUNTING_MS, Pages, Served, be_brief
    except ImportError as error:
        raise missing() from error
    be_brief()
    if not pm.is_registered(plugin):  # datasette has one set of plug-ins, however many files a process serves
        pm.register(plugin)
    about, counts = look(path)
    dictionary = read_dictionary(schema_folder().joinpath("README.md").read_text(encoding="utf-8"))
    served = Pages(
        [str(path)],
        metadata=metadata(about, dictionary, named_queries()),
        inspect_data={about.database: _inspected(path, state, counts)} if state.still else None,
        template_dir=str(Path(__file__).with_name("templates")),
        settings={
            **SETTINGS,
            "sql_time_limit_ms": 1000 * seconds_for(state[2]),
            "facet_time_limit_ms": COUNTING_MS,
        },
    )
    for name in [name for name in served.databases if name != "_internal"]:  # not opened yet
        served.remove_database(name)
    served.add_database(Served(served, path, about, dictionary, still=state.still), name=about.database)
    app: App = served.app()
    return app


def served_name(path: Path) -> str:
    """Give the name under which a file is served: that of the file, unless datasette has another use for it."""
    name = os.fsencode(path.stem).decode(errors="replace")
    return f"{name} file" if name in ("-", "_internal", "_memory") else name


def _inspected(path: Path, state: State, counts: Mapping[str, int]) -> dict[str, Any]:
    """Tell datasette what it would otherwise find out by reading the whole file; the hash gives the pages' colour."""
    mark = hashlib.sha256(f"{path.name} {state}".encode()).hexdigest()
    return {
        "hash": mark,
        "size": state[2],
        "file": str(path),
        "tables": {name: {"count": n} for name, n in counts.items()},
    }


class State(tuple[bool, int, int]):
    """Whether a file is free of writers, and by what a change of it shows."""

    @classmethod
    def of(cls, path: Path) -> State:
        """Look at the file: a write goes to the log beside it first."""
        log = path.with_name(f"{path.name}-wal")
        kept = path.stat()
        waiting = log.exists() and log.stat().st_size > 0
        return cls((not waiting, kept.st_mtime_ns, kept.st_size))

    @property
    def still(self) -> bool:
        """Whether no process writes into the file."""
        return self[0]


def is_from_home(scope: MutableMapping[str, Any]) -> bool:
    """Say whether a request was meant for this computer: a page of another site cannot send this Host, and says where
    it is from when it sends more than a question.
    """
    told = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
    origin = told.get(b"origin", "")
    return _is_home(told.get(b"host", "")) and (not origin or _is_home(origin.partition("://")[2]))


def _is_home(host: str) -> bool:
    return host.rsplit(":", 1)[0] in _HOME or host in _HOME


async def _refuse(send: Any) -> None:
    await send({"type": "http.response.start", "status": 421, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"This is served to this computer alone.\n"})


def look(path: Path) -> tuple[About, dict[str, int]]:
    """Give what datasette is told of the file, and how many rows each table has; large ones are not counted again."""
    with open_to_read(path) as connection:
        connection.row_factory = None
        counts = _counts(connection)
        (service,) = connection.execute("SELECT coalesce(max(api_url), '') FROM runs").fetchone()
    return (
        About(
            database=served_name(path),
            service=service,
            empty=frozenset(name for name, n in counts.items() if not n),
        ),
        counts,
    )


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of every table, the index's own included; what `totals` knows comes from there."""
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    users, tracks, edges, pages = connection.execute(
        "SELECT users, tracks, likes + reposts, pages FROM totals"
    ).fetchone()
    known = {"users": users, "tracks": tracks, "engagements": edges, "pages": pages, "track_search": tracks}
    return {
        name: known[name] if name in known else connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        for name in names
    }
