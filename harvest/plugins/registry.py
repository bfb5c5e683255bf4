"""Find plug-ins, and ask them what they offer. They are looked for when something is wanted that is not ours.

In: the entry points `harvest` of what is installed, unless HARVEST_PLUGINS is 0. Out: offers, ours first, each with the
name of who makes it. Raises PluginError, which names the plug-in and how to go on without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from harvest.errors import PluginError
from harvest.system.installed import OURS as OUR_GROUP
from harvest.system.installed import packages

if TYPE_CHECKING:
    from pluggy import PluginManager

OURS = ""  # the name of who makes our own offers
_BY_ENTRY_POINT = ("commands", "lists")  # they are known without the plug-in being imported
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


def faulty(plugin: str, why: object) -> PluginError:
    """Say what is wrong with a plug-in."""
    return PluginError.of(plugin, why)


def offers(hook: str, ours: Callable[[], Any] | None = None) -> Iterator[Offer]:
    """Give what is offered for a hook: ours, then that of each plug-in by name."""
    if ours is not None:
        yield Offer(OURS, ours())
    hooks = getattr(_loaded()[0].hook, hook).get_hookimpls() if packages() else ()
    found = {impl.plugin_name: impl.function for impl in hooks}
    for name in sorted(found):
        with PluginError.blaming(name, f"its {hook}()"):
            what = found[name]()
            asked = _is_asked(hook, what)
        if not asked:
            raise faulty(name, f"its {hook}() returns something other than {_ASKED[hook]}")
        yield Offer(name, what)


_ASKED = {
    "queries": "a folder that is there",
    "exporters": "functions by name",
    "analyses": "Analysis by name, with a function to compute and three columns in near",
    "tables": "a list of Table",
    "migrations": "a list of statements",
}


def _is_asked(hook: str, what: Any) -> bool:
    """Say whether a plug-in returns what a hook asks for, as far as its types say."""
    from importlib.resources.abc import Traversable

    from harvest.plugins.hooks import Analysis, Table

    if hook == "queries":
        return isinstance(what, Traversable) and what.is_dir()
    if hook == "exporters":
        return isinstance(what, Mapping) and all(isinstance(k, str) and callable(v) for k, v in what.items())
    if hook == "analyses":
        return isinstance(what, Mapping) and all(
            isinstance(name, str) and isinstance(one, Analysis) and callable(one.compute) and _is_near(one.near)
            for name, one in what.items()
        )
    if hook == "tables":
        return isinstance(what, list | tuple) and all(
            isinstance(one, Table) and isinstance(one.name, str) and isinstance(one.names, Mapping) for one in what
        )
    return isinstance(what, list | tuple) and all(isinstance(step, str) for step in what)


def _is_near(near: Any) -> bool:
    return near is None or (isinstance(near, tuple | list) and [*map(type, near)] == [str, str, str])


def plugins() -> list[Plugin]:
    """Give the plug-ins that are loaded, by name."""
    return _loaded()[1]


@cache
def _loaded() -> tuple[PluginManager, list[Plugin]]:
    from pluggy import PluginManager, PluginValidationError  # late: only where plug-ins are wanted

    from harvest.plugins import hooks

    manager, found = PluginManager(OUR_GROUP), []
    manager.add_hookspecs(hooks)
    installed = [(name, where, one) for one in packages() for name, where in one.points.get(OUR_GROUP, {}).items()]
    for name, where, package in sorted(installed, key=lambda one: one[0]):
        if _NAME.fullmatch(name) is None:
            raise faulty(repr(name), "its name is not of small letters and digits alone")
        if manager.has_plugin(name):
            raise faulty(name, "two packages have a plug-in of this name")
        try:
            module = import_module(where)
            manager.register(module, name)
            manager.check_pending()
        except PluginValidationError as error:
            raise faulty(
                name, f"it answers a hook that there is not, or otherwise than that is asked: {error}"
            ) from error
        except (Exception, SystemExit) as error:
            raise faulty(name, f"{type(error).__name__}: {error}") from error
        callers = manager.get_hookcallers(module) or []
        answered = {caller.name for caller in callers}
        for group in _BY_ENTRY_POINT:
            if any(one.partition("-")[0] == name for one in package.points.get(f"{OUR_GROUP}.{group}", {})):
                answered.add(group)
        found.append(Plugin(name, package.name, package.version, tuple(sorted(answered))))
    return manager, found
