"""Put the page together: one file that asks the network for nothing, with the library that draws it inside."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from harvest.explorer.asked import Asked
from harvest.explorer.facts import Tell, gather
from harvest.report import palette, writing
from harvest.report.page import templates

KIND = writing.Kind("harvest explore", "page", "explore", "harvest explore -o PAGE")

# Beside the palette: borders of what can be clicked, 3 to 1 against what they stand on; thousands of lines of a map.
_LIGHT = {**palette.LIGHT, "control": "#827c71", "line": "#cfc9bd"}
_DARK = {**palette.DARK, "control": "#85888f", "line": "#45484e"}
_SCRIPTS = ("facts", "files", "map", "page")


def page(facts: dict[str, Any], live: Sequence[tuple[str, str]] = ()) -> str:
    """Write the page. The same facts give the same page.

    `live` are ways on from a track where the page is served: words, and an address with {} for the id.
    """
    text = _read("templates", "explore.html")
    return (
        templates()
        .from_string(text)
        .render(
            facts=facts,
            facts_json=Markup(_as_json({**facts, "live": live})),
            live=bool(live),
            mark=KIND.generator,
            style=_style(),
            library=_inline(_read("static", "library.min.js")),
            script=_inline("".join(_read("static", f"{name}.js") for name in _SCRIPTS)),
        )
    )


def write(connection: sqlite3.Connection, name: str, out: Path, asked: Asked, tell: Tell = lambda step: None) -> None:
    """Gather what is asked for and write the page, which appears only when it is whole.

    Raises SettingsError, with the reason, where there is nothing to show; StorageFailed.
    """
    writing.write(page(gather(connection, name, asked, tell)), out, KIND)


def _as_json(facts: dict[str, Any]) -> str:
    """Write JSON in which nothing can end the script around it: what people typed has no "<" then."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


@dataclass(frozen=True, slots=True)
class _Inline:
    """A style or script, and the digest by which the policy of the page lets it in."""

    text: Markup
    digest: str


def _inline(text: str) -> _Inline:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return _Inline(Markup(text), f"sha256-{digest}")


@cache
def _style() -> _Inline:
    light, dark = palette.variables(_LIGHT), palette.variables(_DARK)
    colours = f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return _inline(colours + _read("static", "style.css"))


def _read(folder: str, name: str) -> str:
    return resources.files("harvest.explorer").joinpath(folder, name).read_text(encoding="utf-8")
