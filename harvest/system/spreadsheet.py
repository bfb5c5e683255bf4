"""Keep a spreadsheet from running what people typed (OWASP, CSV injection). Pure."""

from __future__ import annotations

_FORMULA = tuple("=+-@＝＋－＠")


def without_formula(text: str) -> str:
    """Give a text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith("\t") else text
