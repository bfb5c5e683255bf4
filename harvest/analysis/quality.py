"""Say how good the communities of a file are, as they were found. Reads only; needs neither numpy nor scipy."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from harvest.analysis.derivations import newest_page

_QUALITY = """
SELECT p.things, p.edges, p.communities, p.modularity, p.seed, p.seeds, p.rand, p.information, d.max_page_id
FROM derivations AS d
JOIN partitions AS p ON p.derivation_id = d.id
WHERE d.method = ?
"""


@dataclass(frozen=True, slots=True)
class Quality:
    """How a division into communities stands.

    `things` are in one, joined by `edges`. `modularity` (-1 to 1) is of the division that is kept, the best of `seeds`
    tries, that of `seed`; `rand` and `information` (0 to 1) are the means over every two tries, of the adjusted Rand
    index and of normalised mutual information. The three are None where there is no edge. `current`: the file has not
    grown since.
    """

    things: int
    edges: int
    communities: int
    modularity: float | None
    seed: int
    seeds: int
    rand: float | None
    information: float | None
    current: bool


def quality(connection: sqlite3.Connection, method: str) -> Quality | None:
    """Look up how good the communities of a method are; None when none were ever looked for."""
    row = connection.execute(_QUALITY, (method,)).fetchone()
    if row is None:
        return None
    *figures, newest = row
    return Quality(*(*figures, newest == newest_page(connection)))
