"""Pages of our own beside datasette's: why something is here, what has these words, how likes are spread, the map of
tracks, the style.

Imports datasette.
"""

from __future__ import annotations

import asyncio
import shlex
import sqlite3
from collections.abc import Callable
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from datasette import NotFound, Response
from markupsafe import Markup

from harvest.analysis.run import check_extra
from harvest.errors import SeedError, SettingsError
from harvest.explorer.asked import LEAST, MOST, USUAL, Asked
from harvest.report.facts import spreads
from harvest.report.page import stylesheet, templates
from harvest.serving.links import WAYS
from harvest.serving.looking import Found, look
from harvest.serving.search import AT_ONCE, by_address, called, tracks_with
from harvest.serving.served import Served, served_by
from harvest.store.provenance import why as reason_of

_LONGEST = 200  # characters of what is looked for
_CHAINS = 20


async def style(request: Any) -> Response:
    """Give the style of the pages: the report's, and what they have beside it."""
    ours = resources.files("harvest.serving").joinpath("static", "style.css").read_text(encoding="utf-8")
    return Response(stylesheet() + ours, content_type="text/css; charset=utf-8")


async def why(request: Any, datasette: Any) -> Response:
    """Say why something is in the file."""
    served = served_by(datasette)
    thing, wanted = request.url_vars["thing"], request.url_vars["wanted"]
    if thing not in WAYS:
        raise NotFound(f"There is nothing called {thing}.")
    try:
        reason = await _asked(served, lambda connection: reason_of(connection, thing, wanted, limit=_CHAINS))
    except SeedError as error:
        raise NotFound(str(error)) from error
    if reason is None:
        return await _page(datasette, request, "error.html", error=served.too_slow, status=400)
    command = f"harvest why {thing} {wanted} --cache-path {shlex.quote(str(served.file))}"
    return await _page(datasette, request, "why.html", reason=reason, command_line=command)


async def find(request: Any, datasette: Any) -> Response:
    """Show what has these words, or is at this address."""
    served = served_by(datasette)
    sought = (request.args.get("q") or "").strip()[:_LONGEST]
    groups: list[tuple[str, str, list[int], str | None]] = []
    slow = []
    if sought:
        for thing, number in await served.execute_fn(lambda connection: by_address(connection, sought)):
            groups.append((f"The {'person' if thing == 'user' else thing} that this names", thing, [number], None))
        more = f"{served.base}/search?{urlencode({'words': sought, 'limit': 1000})}"
        looks: tuple[tuple[str, str, Callable[[sqlite3.Connection], list[int]], str | None], ...] = (
            ("Tracks", "track", lambda c: tracks_with(c, served.questions["search"], sought), more),
            ("People", "user", lambda c: called(c, "user", sought), None),
            ("Playlists", "playlist", lambda c: called(c, "playlist", sought), None),
        )
        for title, thing, sought_in, onward in looks:
            found = await _asked(served, sought_in)
            if found is None:
                slow.append(title.lower())
            elif found:
                groups.append((title, thing, found[:AT_ONCE], onward if len(found) > AT_ONCE else None))
    return await _page(datasette, request, "find.html", sought=sought, groups=groups, slow=slow)


async def curves(request: Any, datasette: Any) -> Response:
    """Draw how likes are spread over people and over tracks."""
    served = served_by(datasette)
    found = await _asked(served, spreads)
    ledger = await served.ledger()
    drawn = None
    if found is not None and ledger is not None:
        people, tracks = found
        drawn = Markup(
            templates()
            .get_template("spread.html")
            .render(likes_per_person=people, likers_per_track=tracks, ledger=ledger, aside="seeds", asked=None)
        )
    command = f"harvest report --cache-path {shlex.quote(str(served.file))}"
    return await _page(datasette, request, "curves.html", drawn=drawn, command_line=command)


async def explore(request: Any, datasette: Any) -> Response:
    """Give the page to pan, search and click through, as `harvest explore` makes it; made once for a file as it is."""
    served = served_by(datasette)
    wanted = request.args.get("tracks") or ""
    asked = Asked(min(max(int(wanted), LEAST), MOST) if wanted.isdecimal() and len(wanted) < 9 else USUAL)
    command = f"harvest explore {shlex.quote(str(served.file))} --tracks {asked.tracks}"
    try:
        check_extra("A map of the tracks")
        text = await _asked(served, lambda connection: served.explored(asked, connection))
    except SettingsError as error:
        return await _page(datasette, request, "error.html", title="Nothing to explore", error=str(error), status=404)
    if text is None:
        return await _page(
            datasette, request, "error.html", error=served.too_slow, command_line=command, status=400, title="Too slow"
        )
    return Response.html(text)


async def _asked(served: Served, ask: Callable[[sqlite3.Connection], Found]) -> Found | None:
    """Ask the file something in a thread of its own, None where it takes longer than a page may."""
    return await asyncio.to_thread(look, served.file, served.seconds, ask)


async def _page(datasette: Any, request: Any, template: str, *, status: int = 200, **context: Any) -> Response:
    context |= {"metadata": datasette.metadata(), "status": status}
    return Response.html(await datasette.render_template(template, context, request=request), status=status)
