"""Show the Markdown of our own documents as HTML: code, emphasis, links. Pure.

Links to other files of the documents lead nowhere here and become their words; HTML in the text stays text.
"""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

_INSIDE = re.compile(r"\[([^\]]+)\]\((?!https://)[^)]*\)")


def inline(text: str) -> Markup:
    """Write a sentence or the cell of a table."""
    return Markup(_reader().renderInline(_INSIDE.sub(r"\1", text)))


def paragraphs(text: str) -> Markup:
    """Write paragraphs."""
    return Markup(_reader().render(_INSIDE.sub(r"\1", text)))


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})
