"""How to cite a file and the tool that made it: as text and as BibTeX. Pure."""

from __future__ import annotations

import re
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from harvest._version import __version__
from harvest.citing.facts import Facts
from harvest.citing.methods import methods

AUTHORS = "the harvest developers"
TITLE = "harvest: exact, resumable harvests of SoundCloud's listening graph"


def as_text(facts: Facts) -> list[str]:
    """Give the lines: the tool, the data, and the paragraph for the methods section."""
    return [
        f"{AUTHORS[:1].upper()}{AUTHORS[1:]}. {TITLE}. Version {_version(facts)}. Computer software.",
        "",
        _data(facts),
        "",
        " ".join(methods(facts)),
    ]


def as_bibtex(facts: Facts) -> str:
    """Give two entries, of the tool and of the data."""
    version = _version(facts)
    tool = _entry("software", "harvest", author=f"{{{AUTHORS}}}", title=f"{{{_tex(TITLE)}}}", version=version)
    year = str(facts.last_page_at)[:4] if facts.last_page_at else ""
    data = _entry(
        "misc",
        f"harvest-data-{_mark(facts)}",
        title=f"{{{_tex(_about(facts))}}}",
        year=year,
        howpublished=_tex(f"Collected with harvest {version} from {_service(facts)}"),
        note=_tex(_sums(facts)),
    )
    return f"{tool}\n\n{data}"


def as_json(facts: Facts) -> dict[str, Any]:
    """Give all of it as plain JSON values."""
    return {
        "text": as_text(facts)[0],
        "data": _data(facts),
        "bibtex": as_bibtex(facts),
        "methods": methods(facts),
        "plans": [asdict(plan) for plan in facts.plans],
    }


def _version(facts: Facts) -> str:
    return facts.versions[-1] if facts.versions else __version__


def _data(facts: Facts) -> str:
    begun, ended = str(facts.first_page_at)[:10], str(facts.last_page_at)[:10]
    window = "" if facts.first_page_at is None else f", {begun} to {ended} (UTC)"
    how = f"Data set, collected with harvest {_version(facts)} from {_service(facts)}{window}"
    return f"{_about(facts)}. {how}. {_sums(facts)}"


def _about(facts: Facts) -> str:
    seeds = [address for one in facts.harvests for _, address in one.seeds]
    if len(seeds) > 3:
        return f"Listening graph around {len(seeds):,} seeds"
    return f"Listening graph around {', '.join(seeds)}" if seeds else "An empty harvest"


def _service(facts: Facts) -> str:
    return "a simulated SoundCloud (invented data)" if facts.made_up else "the SoundCloud API"


def _sums(facts: Facts) -> str:
    """Write the sums of the ledger, by which two copies of the data can be told apart."""
    return (
        f"{facts.users:,} people, {facts.tracks:,} tracks, {facts.likes:,} likes, {facts.reposts:,} reposts;"
        f" {facts.ended():,} lists, {facts.ended('complete'):,} of them whole; {facts.requests:,} requests."
    )


def _mark(facts: Facts) -> str:
    """Give a few letters that differ from one collection to the next."""
    told = repr((facts.first_page_at, facts.last_page_at, [one.seeds for one in facts.harvests], _sums(facts)))
    return blake2b(told.encode(), digest_size=4).hexdigest()


def _entry(kind: str, key: str, **fields: str) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _tex(text: str) -> str:
    """Keep TeX from reading anything into a text."""
    return re.sub(r"([&%$#_])", r"\\\1", re.sub(r"[\\{}]", "", text)).replace("~", "\\string~").replace("^", "\\^{}")
