"""What is asked of a crawl: the options given now, and those a file remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from harvest.models import Limits

LIMITS = tuple(f.name for f in fields(Limits))
CONDITIONS = {"delay": 0.5, "concurrency": None, "page_size": 200, "profiles": "minimal"}


def given(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the options that were given; a sample is a bound and an order."""
    options = {name: value for name, value in chosen.items() if value is not None}
    sample = options.pop("sample", None)
    if sample is None:
        return options
    if options.get("order", "random") != "random":
        raise click.UsageError(f"--sample draws at random: leave out --order {options['order']}.")
    if options.get("max_users", sample) != sample and not _from_environment("max_users"):
        raise click.UsageError(f"--sample {sample} follows so many: leave out --max-users {options['max_users']}.")
    return {**options, "order": "random", "max_users": sample}


def _from_environment(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(name) is click.core.ParameterSource.ENVIRONMENT


def stored_options(path: Path, seeds: list[str]) -> tuple[dict[str, Limits], dict[str, Any]]:
    """Look up with which limits and conditions these seeds were last harvested."""
    from harvest.store.database import holds_something, open_to_read
    from harvest.store.harvests import last_conditions, stored_limits

    if not holds_something(path):
        return {}, {}
    connection = open_to_read(path)
    try:
        limits = {seed: known for seed in seeds if (known := stored_limits(connection, seed)) is not None}
        return limits, last_conditions(connection) if limits else {}
    finally:
        connection.close()
