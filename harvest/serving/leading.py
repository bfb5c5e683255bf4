"""Write the id of a thing so that it leads on: to its row, to the questions about it, to why it is here, to its page.

Imports datasette. Names are escaped; only pages of SoundCloud are linked to.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from markupsafe import Markup

from harvest.report.texts import link_target, shown
from harvest.serving.links import onward, row_address
from harvest.serving.served import Served
from harvest.things import THINGS


@cache
def _can_map() -> bool:
    """Say whether the extra is there that a map needs."""
    return all(find_spec(name) for name in ("numpy", "scipy", "graspologic_native"))


def leading_on(served: Served, thing: str, number: int, *, named: bool = True, ways: bool = True) -> Markup:
    """Write an id, with the name of what it is of and the ways on; of what is not in the file only the id."""
    kind = THINGS[thing]
    sql = f"SELECT {kind.label}, permalink_url FROM {kind.table} WHERE id = ?"  # noqa: S608 - our own words
    found = served.row_of(sql, number)
    if found is None:
        return Markup("{}").format(number)
    words = Markup("<bdi>{}</bdi> <small>{}</small>").format(shown(found[0]), number) if named and found[0] else number
    own = Markup('<span class="id"><a href="{}">{}</a></span>').format(row_address(served.base, thing, number), words)
    if not ways:
        return own
    ways_on = onward(served.base, thing, number, mapped=_can_map())
    links = [Markup('<a href="{}">{}</a>').format(*way[::-1]) for way in ways_on]
    page = link_target(found[1])
    if page:
        links.append(Markup('<a href="{}" rel="noopener noreferrer">SoundCloud</a>').format(page))
    return Markup('{} <span class="ways">{}</span>').format(own, Markup(" ").join(links))
