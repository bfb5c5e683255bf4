"""What we add to datasette's pages, as a plug-in of it: ids that lead on, words, pictures, pages of our own.

Imports datasette. Whatever comes from the service is escaped where it becomes HTML.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from datasette import Response, hookimpl
from datasette.database import QueryInterrupted
from datasette.utils.asgi import NotFound
from datasette.views.base import DatasetteError
from markupsafe import Markup

from harvest.lists import KINDS
from harvest.report.ledger import LedgerRows
from harvest.report.page import templates
from harvest.serving import markdown
from harvest.serving.dictionary import plain
from harvest.serving.drawings import drawn
from harvest.serving.leading import leading_on
from harvest.serving.links import WAYS, bare, thing_of
from harvest.serving.metadata import FIRST_COLUMNS, LABELS, by_topic, title
from harvest.serving.pages import curves, explore, find, style, why
from harvest.serving.served import TOO_SLOW, Served, served_by
from harvest.things import SHOWN

_COMPLETE = ("complete.html", "lists.html")  # sections of the report
# Columns of an answer that hold the name of a thing, which need not stand in its id too.
_NAMES = {
    **dict.fromkeys(("track", "playlist", "station"), frozenset(("title", "subject"))),
    "user": frozenset(("username", "artist", "owner", "other", "subject")),
}
_FILTERS = ("capital", "count", "link_target", "markup", "minute", "share", "shown")
_OF_TABLE = {thing.table: thing.name for thing in SHOWN}


@hookimpl  # type: ignore[untyped-decorator]
def render_cell(row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    """Let an id lead to its row, to the questions about it, to why it is here, and to its page on SoundCloud."""
    number = bare(value)
    if not column.endswith("id") or not isinstance(number, int):  # as nearly all cells
        return None
    served = datasette.databases[database]
    if not isinstance(served, Served):
        return None
    cells = _by_name(row)
    thing = thing_of(column, table, cells)
    if thing is None:
        return None
    beside = table is None and bool(_NAMES[thing] & cells.keys())
    return leading_on(served, thing, number, named=not beside)


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Response]]]]:
    """Give our own pages; they begin with what no file is named by."""
    return [
        (r"^/-/harvest/style\.css$", style),
        (r"^/-/why/(?P<thing>\w+)/(?P<wanted>-?\d+)$", why),
        (r"^/-/find$", find),
        (r"^/-/curves$", curves),
        (r"^/-/explore$", explore),
    ]


@hookimpl  # type: ignore[untyped-decorator]
def prepare_jinja2_environment(env: Any) -> None:
    """Let the pages write as the report does."""
    env.trim_blocks = env.lstrip_blocks = True
    env.filters |= {name: templates().filters[name] for name in _FILTERS}
    env.filters["plain"] = plain
    env.filters |= {"inline": markdown.inline, "markdown": markdown.paragraphs}


@hookimpl  # type: ignore[untyped-decorator]
def extra_template_vars(datasette: Any) -> dict[str, Any]:
    """Give the pages the file and what is known of it."""
    served = served_by(datasette)

    def lead(thing: str, number: int, *, ways: bool = True) -> Markup:
        return leading_on(served, thing, number, ways=ways)

    def key_cell(table: str, cell: Any) -> Any:
        """Let the id of a thing's own row lead on like any other id."""
        if cell["value_type"] != "pk" or table not in _OF_TABLE:
            return cell["value"]
        return leading_on(served, _OF_TABLE[table], int(cell["raw"]), named=False)

    def row_ways(table: str, key: str) -> Markup:
        """Give the ways on from a thing's own row."""
        if table not in _OF_TABLE:
            return Markup("")
        return Markup("<p>{}</p>").format(leading_on(served, _OF_TABLE[table], int(key), named=False))

    def picture_of(query: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
        picture = drawn(query, columns, [tuple(row) for row in rows])
        return Markup(_PICTURE.render(picture=picture)) if picture else Markup("")

    return {
        "served": served,
        "base": datasette.urls.database(served.name),
        "questions": served.questions,
        "topics": by_topic(served.questions),
        "entries": served.entries,
        "terms": served.terms,
        "titles": {name: title(name) for name in served.entries},
        "labels": LABELS,
        "kinds": KINDS,
        "ways_of": WAYS,
        "lead": lead,
        "key_cell": key_cell,
        "row_ways": row_ways,
        "picture_of": picture_of,
        "columns_of": columns_of,
        "answered_by": answered_by,
        "numbers": numbers,
        "number_cells": number_cells,
        "completeness": completeness,
    }


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Awaitable[Response] | None:
    """Say of what takes too long how long it may, and how to ask it where it has any time; and lead on from where
    nothing is.
    """
    if isinstance(exception, NotFound) and not request.path.endswith((".json", ".csv")):
        return _not_there(datasette, request, exception)
    interrupted = isinstance(exception, DatasetteError) and exception.title == "SQL Interrupted"
    if not interrupted and not isinstance(exception, QueryInterrupted):  # the latter from a CSV
        return None
    return _too_slow(datasette, request)


async def _not_there(datasette: Any, request: Any, exception: Exception) -> Response:
    context = {"status": 404, "error": str(exception) or f"There is nothing at {request.path}."}
    return Response.html(await datasette.render_template("error.html", context, request=request), status=404)


async def _too_slow(datasette: Any, request: Any) -> Response:
    served = served_by(datasette)
    if request.path.endswith(".json"):
        return Response.json({"ok": False, "error": served.too_slow, "status": 400, "title": "Too slow"}, status=400)
    fields = {name: request.args[name] for name in request.args if name != "sql" and not name.startswith("_")}
    sql = request.args.get("sql")
    context = {
        "status": 400,
        "title": TOO_SLOW,
        "error": served.too_slow,
        "command_line": f"{served.sql_command(sql, fields)} --timeout 0" if sql else None,
    }
    return Response.html(await datasette.render_template("error.html", context, request=request), status=400)


def columns_of(table: str, names: Sequence[str], whole: bool) -> list[str]:
    """Give the columns of a table in the order in which they are shown: what matters, or everything."""
    first = [name for name in FIRST_COLUMNS.get(table, ()) if name in names]
    return [*first, *(name for name in names if name not in first)] if whole or not first else first


def answered_by(asked: Any, columns: Sequence[str]) -> list[str]:
    """Give the columns of an answer that a page shows: an id there leads to the page on SoundCloud already."""
    leads = asked is not None and any(thing_of(column, None, {}) for column in columns)
    return [column for column in columns if not (leads and column == "permalink_url")]


def numbers(columns: Sequence[str], rows: Sequence[Any]) -> set[str]:
    """Name the columns of an answer that hold numbers alone, ids left out; they are read from the right."""
    return {
        column
        for place, column in enumerate(columns)
        if not column.endswith("id") and _is_numeric([row[place] for row in rows])
    }


def number_cells(rows: Sequence[Any]) -> set[str]:
    """Name such columns of a page of rows."""
    names = [cell["column"] for cell in rows[0]] if rows else []
    return numbers(names, [[cell["raw"] for cell in row] for row in rows])


def _is_numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float | None) for value in values) and any(value is not None for value in values)


def completeness(ledger: LedgerRows) -> Markup:
    """Write how lists ended, as the report does."""
    parts = (templates().get_template(name).render(ledger=ledger, most_named=()) for name in _COMPLETE)
    return Markup("").join(map(Markup, parts))


_PICTURE = templates().from_string(
    """{% from "parts.html" import key, picture as pictured %}
<figure class="drawn">
{% call pictured("drawn", picture.title, picture.drawing) %}{{ picture.told }}{% endcall %}
<figcaption>{{ picture.title }}. {{ key(picture.key) }}</figcaption>
</figure>"""
)


def _by_name(row: Any) -> Mapping[str, Any]:
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 - sqlite3.Row is no mapping
