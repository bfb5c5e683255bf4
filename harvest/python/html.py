"""What a notebook shows of rows and results: a small table, with everything that people typed escaped. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

SHOWN = 10  # rows of a table
_LONGEST = 80  # characters of a cell


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> str:
    """Give a table; numbers stand to the right, unknown is a dash."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    said = f'<p style="margin: 0.3em 0">{escape(caption)}</p>' if caption else ""
    return f"<div>{said}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def facts(told: Mapping[str, Any], caption: str = "") -> str:
    """Give names and values below each other."""
    rows = "".join(f"<tr><th>{escape(name)}</th>{_cell(value)}</tr>" for name, value in told.items())
    said = f'<p style="margin: 0.3em 0"><b>{escape(caption)}</b></p>' if caption else ""
    return f"<div>{said}<table><tbody>{rows}</tbody></table></div>"


def _cell(value: Any) -> str:
    if value is None:
        return "<td>–</td>"
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = f"{value:.6g}" if isinstance(value, float) else str(value)
        return f'<td style="text-align: right">{shown}</td>'
    text = str(value)
    return f"<td>{escape(text if len(text) <= _LONGEST else f'{text[: _LONGEST - 1]}…')}</td>"
