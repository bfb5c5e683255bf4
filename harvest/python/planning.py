"""Plan a crawl from Python: `harvest.plan(...)`, before anything is begun."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from harvest.environment import Environment
from harvest.planning.planned import plan as make_plan
from harvest.planning.planned import save as save_plan
from harvest.python.answers import PlannedCrawl
from harvest.python.crawling import Seed, request_of
from harvest.python.options import SeedOptions
from harvest.python.shown import shown
from harvest.python.threads import in_a_thread
from harvest.settings import DEFAULT_PATH, Settings, read_settings


def plan(
    *seeds: Seed,
    path: Path | str = DEFAULT_PATH,
    save: Path | str | None = None,
    settings: Settings | None = None,
    **options: Unpack[SeedOptions],
) -> PlannedCrawl:
    """Say what a crawl would cost, as `harvest plan` does: `.plan.requests`, `.plan.seconds`, `.plan.rows` and
    `.plan.size_bytes` each have `low`, `likely` and `high`, nine times in ten between them.

    Asks a few requests, none where the file knows enough, and writes nothing but the plan itself into `save`. Seeds and
    options are those of `crawl`. Raises HarvestError.
    """
    return in_a_thread(lambda: aplan(*seeds, path=path, save=save, settings=settings, **options)).result()


async def aplan(
    *seeds: Seed,
    path: Path | str = DEFAULT_PATH,
    save: Path | str | None = None,
    settings: Settings | None = None,
    **options: Unpack[SeedOptions],
) -> PlannedCrawl:
    """Do what `plan` does, awaited."""
    request = request_of(seeds, path, options)
    planned = await make_plan(request, lambda: read_settings(Environment.here()), settings=settings)
    if save is not None:
        save_plan(planned, request, Path(save))
    return shown(PlannedCrawl, planned)
