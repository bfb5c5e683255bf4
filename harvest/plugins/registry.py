"""Find plug-ins, and ask them what they offer. They are looked for when something is wanted that is not ours.

In: the entry points `harvest` of what is installed, unless HARVEST_PLUGINS is 0. Out: offers, ours first, each with the
name of who makes it. Raises PluginError, which names the plug-in and how to go on without it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from harvest.errors import PluginError

if TYPE_CHECKING:
    from pluggy import PluginManager

OURS = ""  # the name of who makes our own offers
_NAME = re.compile(r"[a-z][a-z0-9]{0,30}")


@dataclass(frozen=True, slots=True)
class Offer:
    """What the plug-in of a name offers for a hook."""

    plugin: str
    what: Any

    def check_name(self, name: str, ours: Container[str]) -> None:
        """Raise PluginError for a name of a plug-in's that is one of `ours`, or could be another plug-in's."""
        if self.plugin == OURS:
            return
        if name in ours:
            raise faulty(self.plugin, f"it offers {name!r}, which there is already")
        if name != self.plugin and not name.startswith(f"{self.plugin}-"):
            raise faulty(
                self.plugin, f"it offers {name!r}; what it offers is called {self.plugin} or {self.plugin}-..."
            )


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plug-in that is loaded: its name, the package it came in with its version, the hooks it answers."""

    name: str
    package: str
    version: str
    hooks: tuple[str, ...]


def are_on() -> bool:
    """Say whether plug-ins are looked for."""
    return os.environ.get("HARVEST_PLUGINS") != "0"


def faulty(plugin: str, why: object) -> PluginError:
    """Say what is wrong with a plug-in."""
    return PluginError(f"The plug-in {plugin} does not work: {why}. HARVEST_PLUGINS=0 does without plug-ins.")


def offers(hook: str, ours: Callable[[], Any] | None = None) -> Iterator[Offer]:
    """Give what is offered for a hook: ours, then that of each plug-in by name."""
    from harvest.plugins.hooks import hookimpl  # late, as in _loaded

    manager, _ = _loaded()
    if ours is not None and not manager.has_plugin(f"harvest {hook}"):
        manager.register(SimpleNamespace(**{hook: hookimpl(ours)}), f"harvest {hook}")
    found = {impl.plugin_name: impl.function for impl in getattr(manager.hook, hook).get_hookimpls()}
    own = found.pop(f"harvest {hook}", None)
    if ours is not None and own is not None:
        yield Offer(OURS, own())
    for name in sorted(found):
        try:
            yield Offer(name, found[name]())
        except PluginError:
            raise
        except Exception as error:
            raise faulty(name, f"its {hook}() failed with {type(error).__name__}: {error}") from error


def plugins() -> list[Plugin]:
    """Give the plug-ins that are loaded, by name."""
    return _loaded()[1]


@cache
def _loaded() -> tuple[PluginManager, list[Plugin]]:
    # Late: to look through what is installed takes longer than most commands.
    from importlib.metadata import entry_points

    from pluggy import PluginManager, PluginValidationError

    from harvest.plugins import hooks

    manager, found = PluginManager("harvest"), []
    manager.add_hookspecs(hooks)
    for entry in sorted(entry_points(group="harvest"), key=lambda one: one.name) if are_on() else ():
        if _NAME.fullmatch(entry.name) is None:
            raise faulty(repr(entry.name), "its name is not of small letters and digits alone")
        if manager.has_plugin(entry.name):
            raise faulty(entry.name, "two packages have a plug-in of this name")
        try:
            module = entry.load()
            manager.register(module, entry.name)
            manager.check_pending()
        except PluginValidationError as error:
            raise faulty(
                entry.name, f"it answers a hook that there is not, or otherwise than that is asked: {error}"
            ) from error
        except Exception as error:
            raise faulty(entry.name, f"{type(error).__name__}: {error}") from error
        callers = manager.get_hookcallers(module) or []
        package = entry.dist
        found.append(
            Plugin(
                entry.name,
                package.name if package else "?",
                package.version if package else "?",
                tuple(sorted(caller.name for caller in callers)),
            )
        )
    return manager, found
