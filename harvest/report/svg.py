"""Build SVG as a tree, so that no text can become markup. Pure.

In: names, attributes, texts and parts. Out: elements of the standard library, and at the end markup that a template
takes as it is. Escaping is the serializer's work, not that of the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from markupsafe import Markup

Element = ElementTree.Element


def el(tag: str, text: str | None = None, /, **attributes: str | float | None) -> Element:
    """Make an element. Attribute names are written with underscores (`class_`, `stroke_width`), numbers with one digit
    after the point; an attribute that is None is left out.
    """
    made = Element(tag, {_attribute(k): _value(v) for k, v in attributes.items() if v is not None})
    made.text = text
    return made


def as_markup(elements: Iterable[Element]) -> Markup:
    """Write elements out, ready to stand inside an HTML page."""
    return Markup("".join(ElementTree.tostring(one, encoding="unicode", method="html") for one in elements))


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
