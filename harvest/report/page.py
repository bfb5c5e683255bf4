"""Put the page together: one file, without scripts, that asks the network for nothing. Pure.

The words stand in templates/, one file for each section. Here the templates get what they tell of, and the filters that
write it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harvest.inference.bias import MEASURES
from harvest.profiles import PERSONAL
from harvest.report import palette, pictures, texts
from harvest.report.asked import asked_around, asked_in_all
from harvest.report.curves import middle
from harvest.report.facts import DRAWN, RUNS, ReportFacts
from harvest.report.ledger import COLOURS, LedgerRows
from harvest.report.neighbourhood import LEAST_COMMON, PEOPLE
from harvest.report.sampling import Sample, bias_of, judged_of
from harvest.report.spread import Spread
from harvest.report.surroundings import NAMED, surroundings
from harvest.report.svg import as_markup
from harvest.report.taste import compared, ratio

GENERATOR = "harvest report"


def page(facts: ReportFacts) -> str:
    """Write the page. The same facts give the same page: no clock is read here."""
    whole = templates().get_template("page.html")
    samples = {
        seed.id: Sample(seed, facts.samples[seed.id], judged_of(facts.judged, seed), bias_of(facts.biases, seed))
        for seed in facts.seeds
        if seed.id in facts.samples
    }
    return whole.render(
        facts=facts,
        ledger=LedgerRows(facts.ledger),
        most_named=facts.most_named,
        asked=asked_in_all(list(samples.values()), facts.readers, went_on=facts.went_on),
        surroundings=[
            (surroundings(one), asked_around(samples.get(one.seed.id), one.people, one.listed))
            for one in facts.neighbourhoods
        ],
        likes_per_person=Spread(facts.likes_per_person, facts.likes_claimed),
        likers_per_track=Spread(facts.likers_per_track, facts.likers_counted),
        samples=list(samples.values()),
    )


@cache
def templates() -> Environment:
    """Give the templates: texts are escaped, and a name that means nothing raises UndefinedError instead of a gap."""
    made = Environment(
        loader=PackageLoader("harvest.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_written,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "capital": texts.capital,
        "compared": compared,
        "count": texts.count,
        "counted": texts.counted,
        "day": texts.day,
        "from_json": json.loads,
        "link_target": texts.link_target,
        "listed": texts.listed,
        "markup": as_markup,
        "middle": middle,
        "minute": texts.minute,
        "percent": texts.percent,
        "share": texts.share,
        "shown": texts.shown,
        "times": texts.times,
    }
    style = stylesheet()
    made.globals |= {
        "curves": pictures.curves,
        "stacked": pictures.stacked,
        "generator": GENERATOR,
        "style": Markup(style),
        "style_digest": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        "ratio": ratio,
        "MEASURES": MEASURES,
        "PERSONAL": PERSONAL,
        "COLOURS": COLOURS,
        "DRAWN": DRAWN,
        "LEAST_COMMON": LEAST_COMMON,
        "NAMED": NAMED,
        "PEOPLE": PEOPLE,
        "RUNS": RUNS,
    }
    return made


def _written(value: object) -> object:
    """Write numbers with thousands separators, without digits after the point; None is unknown."""
    if isinstance(value, int | float):
        return f"{value:,.0f}"
    return "not known" if value is None else value


@cache
def stylesheet() -> str:
    """Give the style of the page, colours included."""
    written = resources.files("harvest.report").joinpath("style.css").read_text(encoding="utf-8")
    light, dark = palette.variables(palette.LIGHT), palette.variables(palette.DARK)
    colours = f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    groups = "".join(f".fill-{one}{{fill:var(--{one})}}.swatch.{one}{{color:var(--{one})}}" for one in palette.GROUPS)
    return f"{colours}{written}{groups}\n"
