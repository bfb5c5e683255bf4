"""Build HTML and SVG as a tree, so that no text can become markup. Pure.

In: names, attributes, texts and parts. Out: elements of the standard library, and at the end the page as text. Never: a
string that is markup already. Escaping is the serializer's work, not that of whoever writes a section.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

Element = ElementTree.Element
Part = Element | str | int | float | None


def el(tag: str, /, *content: Part | Iterable[Part], **attributes: str | float | None) -> Element:
    """Make an element. Numbers in its content get thousands separators; None leaves nothing behind.

    Attribute names are written with underscores (`class_`, `aria_label`); an attribute that is None is left out, and an
    empty text makes one without a value.
    """
    made = Element(tag, {_attribute(k): _value(v) for k, v in attributes.items() if v is not None})
    for part in content:
        if isinstance(part, Element | str | int | float) or part is None:
            _append(made, part)
        else:
            for inner in part:
                _append(made, inner)
    return made


def as_html(root: Element) -> str:
    """Write a page out."""
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"


def _append(parent: Element, part: Part) -> None:
    if part is None:
        return
    if isinstance(part, Element):
        parent.append(part)
        return
    text = part if isinstance(part, str) else f"{part:,}"
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
