"""All analyses, by the hook of plug-ins: ours first, then theirs, each computed in a transaction and asked what is near
a thing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvest.analysis import derivations, ours
from harvest.analysis.links import is_current
from harvest.analysis.methods import METHODS
from harvest.errors import PluginError
from harvest.plugins import registry
from harvest.plugins.hooks import Analysis
from harvest.plugins.tables import back_up_of, declared, guarded
from harvest.store.database import immediately
from harvest.system.installed import packages

if TYPE_CHECKING:
    from sqlite_utils import Database

    from harvest.analysis.ours import Work


@dataclass(frozen=True, slots=True)
class Plugged:
    """An analysis and whose it is."""

    plugin: str
    analysis: Analysis

    @property
    def is_ours(self) -> bool:
        """Whether it is computed together with others, from one reading of the likes."""
        return self.plugin == registry.OURS

    def is_near(self, thing: str) -> bool:
        """Say whether it tells what is near things of a kind."""
        return self.analysis.near is not None and self.analysis.near[0] == f"{thing}_id"


def analyses() -> dict[str, Plugged]:
    """Give all analyses by name, ours first. Raises PluginError."""
    found: dict[str, Plugged] = {}
    for offer in registry.offers("analyses", ours.analyses):
        tables = declared() if offer.plugin else {}
        for name, analysis in offer.what.items():
            offer.check_name(name, METHODS)
            if offer.plugin and analysis.table not in tables:
                raise registry.faulty(
                    offer.plugin, f"its analysis {name!r} fills {analysis.table}, no table of its own"
                )
            found[name] = Plugged(offer.plugin, analysis)
    return found


def bring_up_to_date(work: Work) -> None:
    """Compute all that is wanted, ours and theirs alike, each once. Raises PluginError."""
    offered = analyses()
    for name in work.wanted:
        if name in work.computed:  # together with another
            continue
        if offered[name].is_ours:
            compute: Callable[..., object] = offered[name].analysis.compute
            compute(work)
        else:
            work.setting.told(name, 0.0)
            setting = work.setting
            work.computed[name] = _compute(work.db, name, setting.max_page_id, setting.now, fresh=work.fresh)


def _compute(db: Database, name: str, max_page_id: int | None, now: Callable[[], str], *, fresh: bool) -> int | None:
    """Fill the table of an analysis where the file has grown; give 0 where it had not, None for all of it. Raises
    PluginError.
    """
    one = analyses()[name]
    if not fresh and is_current(db.conn, name, max_page_id):
        return 0
    versions = {plugin: package.version for package in packages() for plugin in package.points.get("harvest", {})}
    parameters = json.dumps({"plugin": one.plugin, "version": versions.get(one.plugin)})
    back_up_of(db.conn, one.plugin)
    with immediately(db):
        number = derivations.begin(db.conn, name, parameters, None, now(), in_order=False)
        try:
            with guarded(db.conn, one.plugin):
                db.conn.execute(f"DELETE FROM {one.analysis.table}")  # noqa: S608 - a name that is checked
                one.analysis.compute(db.conn)
        except Exception as error:
            raise registry.faulty(one.plugin, f"its analysis {name!r}: {type(error).__name__}: {error}") from error
        derivations.finish(db.conn, number, max_page_id=max_page_id, lists_used=None, now=now())
    return None


def near(
    connection: sqlite3.Connection, thing: str, one: int, method: str, limit: int
) -> list[tuple[int, float | None]]:
    """Give what an analysis puts near a thing, with its scores, the highest first; nothing before it is computed."""
    found = analyses()[method]
    analysis = found.analysis
    assert analysis.near is not None
    of, other, score = analysis.near
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (analysis.table,)).fetchone() is None:
        return []
    asked = (
        f"SELECT {other}, {score} FROM {analysis.table}"  # noqa: S608 - names that are checked, or of its author
        f" WHERE {of} = ? AND {other} IN (SELECT id FROM {thing}s) ORDER BY {score} DESC, {other} LIMIT ?"
    )
    with PluginError.blaming(found.plugin, f"its analysis {method}"):
        return [(row[0], row[1]) for row in connection.execute(asked, (one, limit))]
