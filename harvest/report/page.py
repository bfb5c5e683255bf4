"""Put the page together: one file, without scripts, that asks the network for nothing. Pure."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from harvest.report import palette
from harvest.report.completeness import completeness
from harvest.report.facts import Facts
from harvest.report.neighbourhood import neighbourhood
from harvest.report.opening import opening, title
from harvest.report.origin import failures, origin
from harvest.report.sampling import sampling
from harvest.report.spread import spread
from harvest.report.taste import taste
from harvest.report.tree import Element, as_html, el

GENERATOR = "harvest report"


def page(facts: Facts) -> str:
    """Write the page. The same facts give the same page: no clock is read here."""
    sections = [
        completeness(facts),
        neighbourhood(facts),
        taste(facts),
        spread(facts),
        sampling(facts),
        failures(facts),
        origin(facts),
    ]
    body = el(
        "body",
        el("a", "Skip to the content", href="#content", class_="skip"),
        opening(facts),
        _contents(sections),
        el("main", *sections, id="content", tabindex="-1"),
        el(
            "footer",
            el("p", "Made by harvest from one SQLite file. Every number on this page is counted from its rows."),
        ),
    )
    return as_html(el("html", _head(facts), body, lang="en"))


def _head(facts: Facts) -> Element:
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # Nothing may be loaded, run or sent; the one style that counts is the one below.
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="generator", content=GENERATOR),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="robots", content="noindex"),
        el("title", title(facts)),
        el("link", rel="icon", href="data:,"),
        el("style", style),
    )


def _contents(sections: list[Element]) -> Element:
    entries = [el("li", el("a", section[0].text, href=f"#{section.get('id')}")) for section in sections]
    return el("nav", el("ol", *entries), aria_label="Contents")


@cache
def stylesheet() -> str:
    """Give the style of the page, colours included."""
    written = resources.files("harvest.report").joinpath("style.css").read_text(encoding="utf-8")
    light, dark = palette.variables(palette.LIGHT), palette.variables(palette.DARK)
    colours = f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return colours + written
