"""Read an HTML page strictly: whatever is not well-formed fails, and what is can be asked for its texts and tables."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree.ElementTree import Element

VOID = {"meta", "link", "br", "hr", "img", "input"}


class _Strict(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document")
        self._open = [self.root]
        self.doctype: str | None = None

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> says something twice: {names}"
        made = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].append(made)
        if tag not in VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open[-1].tag, f"</{tag}> ends <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        parent = self._open[-1]
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + data
        else:
            parent.text = (parent.text or "") + data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")


def parse(text: str) -> Element:
    """Give the <html> element of a whole page."""
    reader = _Strict()
    reader.feed(text)
    reader.close()
    assert reader.doctype == "doctype html"
    assert [e.tag for e in reader.root] == ["html"]
    assert reader._open == [reader.root], "something is left open"
    return reader.root[0]


def words(element: Element) -> str:
    """Give the text of an element as a reader sees it, blanks brought together."""
    return " ".join("".join(element.itertext()).split())


def by_id(page: Element, identity: str) -> Element:
    """Find the one element with this id."""
    (found,) = [e for e in page.iter() if e.get("id") == identity]
    return found


def table(page: Element, identity: str) -> list[list[str]]:
    """Give the rows of the table with this caption's id, headings left out; a cell that spans rows stands in each."""
    (found,) = [t for t in page.iter("table") if t.find("caption").get("id") == f"{identity}-caption"]  # type: ignore[union-attr]
    rows, spanning, left = [], "", 0
    for row in found.iter("tr"):
        cells = list(row)
        if all(cell.get("scope") == "col" for cell in cells):
            continue
        told = [words(cell) for cell in cells if cell.get("class") != "picture"]
        if left:
            told.insert(0, spanning)
            left -= 1
        elif cells[0].get("rowspan"):
            spanning, left = told[0], int(cells[0].get("rowspan", "1")) - 1
        rows.append(told)
    return rows


def has_table(page: Element, identity: str) -> bool:
    """Say whether there is such a table."""
    return any(t.find("caption").get("id") == f"{identity}-caption" for t in page.iter("table"))  # type: ignore[union-attr]
