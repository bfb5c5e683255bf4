"""Commands of plug-ins: found by name, beside our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click

from harvest.errors import HarvestError
from harvest.plugins.registry import faulty, offers


@dataclass(frozen=True, slots=True)
class Found:
    """A command of a plug-in, and where it is."""

    plugin: str
    name: str
    where: str

    def load(self, load: Callable[[str], click.Command]) -> click.Command:
        """Import it. Raises PluginError."""
        try:
            command = load(self.where)
        except HarvestError:
            raise
        except Exception as error:
            raise faulty(self.plugin, f"its command {self.name}: {type(error).__name__}: {error}") from error
        if not isinstance(command, click.Command):
            raise faulty(self.plugin, f"{self.where} is no command of click")
        return command


def find(name: str, ours: Callable[[], Mapping[str, tuple[str, str]]]) -> Found | None:
    """Give the command of this name, None where no plug-in has it. Raises PluginError."""
    for offer in offers("commands", ours):
        for one, (where, _) in offer.what.items():
            offer.check_name(one, ours())
            if one == name:
                return Found(offer.plugin, one, where)
    return None
