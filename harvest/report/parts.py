"""Parts that every section of the page is made of: headings, tables, names with links. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harvest.report.texts import link_target, shown
from harvest.report.tree import Element, Part, el

Cell = Part | tuple[Part, ...]
SPANNED = el("td")  # the place of a cell that one above spans


def section(identity: str, title: str, *content: Part | Iterable[Part]) -> Element:
    """Make a section of the page, named by its heading."""
    heading = el("h2", title, id=f"{identity}-heading")
    return el("section", heading, *content, id=identity, aria_labelledby=f"{identity}-heading")


def name(text: str | None, url: str | None = None, longest: int = 80) -> Element:
    """Show what the service calls something, kept apart from the text around it, and linked where there is a page."""
    inner = el("bdi", shown(text, longest))
    target = link_target(url)
    return el("a", inner, href=target, rel="noopener noreferrer") if target else inner


def by(title: str | None, url: str | None, artist: str | None, artist_url: str | None) -> tuple[Part, ...]:
    """Show a track with its uploader, as SoundCloud asks for."""
    return (name(title, url), " ", el("span", "by ", name(artist, artist_url, 40), class_="by"))


def table(
    identity: str,
    caption: str,
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Cell]],
    note: str | None = None,
    names: int | None = None,
) -> Element:
    """Make a table. `columns` are (heading, class): 'number' stands to the right, 'picture' is hidden on narrow
    screens, 'wide' may break lines. The column `names` names the row; unless told, the first that is no number. A
    cell that is a `th` or `td` already stays as it is; SPANNED is left to the one above, and None is shown as unknown.
    """
    naming = (
        names
        if names is not None
        else next(i for i, (_, kind) in enumerate(columns) if kind not in ("number", "picture"))
    )
    head = el("tr", *(el("th", heading, scope="col", class_=kind or None) for heading, kind in columns))
    body = [
        el("tr", *(_cell(cell, columns[i][1], i == naming) for i, cell in enumerate(row) if cell is not SPANNED))
        for row in rows
    ]
    words = el(
        "caption",
        el("span", caption, *((" ", el("span", note, class_="note")) if note else ()), class_="words"),
        id=f"{identity}-caption",
    )
    made = el("table", words, el("thead", head), el("tbody", *body))
    # A table wider than a narrow screen scrolls by itself; the keyboard has to reach it for that.
    return el("div", made, class_="scroll", role="region", tabindex="0", aria_labelledby=f"{identity}-caption")


def _cell(cell: Cell, kind: str, names_row: bool) -> Element:
    if isinstance(cell, Element) and cell.tag in ("th", "td"):
        return cell
    content = cell if isinstance(cell, tuple) else ("–" if cell is None else cell,)
    if names_row:
        return el("th", *content, scope="row", class_=kind or None)
    return el("td", *content, class_=kind or None)


def key(*entries: tuple[str, str]) -> Element:
    """Explain colours: pairs of a class and what it stands for."""
    return el(
        "ul",
        *(el("li", el("span", class_=f"swatch {colour}", aria_hidden="true"), words) for colour, words in entries),
        class_="key",
    )


def paragraph(*content: Part, class_: str | None = None) -> Element:
    """Make a paragraph."""
    return el("p", *content, class_=class_)
