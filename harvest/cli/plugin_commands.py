"""Commands of plug-ins: found by name, beside our own. None is imported before it runs, nor its plug-in: what a command
says of itself is read from its source.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from harvest.errors import HarvestError, PluginError
from harvest.system.installed import OURS, packages

GROUP = f"{OURS}.commands"


@dataclass(frozen=True, slots=True)
class Found:
    """A command of a plug-in, where it is, and what its package says of itself."""

    plugin: str
    name: str
    where: str
    about: str

    @property
    def line(self) -> str:
        """One line about it: the first of its docstring, else what its package says of itself."""
        said = _docstring(*self.where.split(":")[:2]) if ":" in self.where else ""
        line = said.strip().partition("\n")[0] or self.about or f"A command of {self.plugin}."
        return "".join(one for one in line if one.isprintable())

    def load(self, load: Callable[[str], click.Command]) -> click.Command:
        """Import it. Raises PluginError."""
        try:
            command = load(self.where)
        except HarvestError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError.of(self.plugin, f"its command {self.name}: {type(error).__name__}: {error}") from error
        if not isinstance(command, click.Command):
            raise PluginError.of(self.plugin, f"{self.where} is no command of click")
        return command

    def fault(self, ours: Collection[str]) -> str | None:
        """Say what is wrong with its name, None where nothing is."""
        if self.name in ours:
            return f"it offers {self.name!r}, which there is already"
        if self.name != self.plugin and not self.name.startswith(f"{self.plugin}-"):
            return f"it offers {self.name!r}; what it offers is called {self.plugin} or {self.plugin}-..."
        return None


def commands() -> Iterator[Found]:
    """Give the commands of plug-ins."""
    for package in packages():
        plugins = sorted(package.points.get(OURS, {"?": ""}), key=len, reverse=True)
        for name, where in sorted(package.points.get(GROUP, {}).items()):
            plugin = next((one for one in plugins if name.partition("-")[0] == one), plugins[-1])
            yield Found(plugin, name, where, package.summary)


def find(name: str, ours: Collection[str]) -> Found | None:
    """Give the command of this name, None where no plug-in has it. Raises PluginError."""
    found = None
    for one in commands():
        if fault := one.fault(ours):
            raise PluginError.of(one.plugin, fault)
        found = one if one.name == name else found
    return found


def _docstring(module: str, name: str) -> str:
    """Read the docstring of a function from its source, which does not run; '' where there is none."""
    import ast  # late, as the next: where a plug-in has a command, its help alone needs them
    from importlib.util import find_spec

    top, *parts = module.split(".")
    with suppress(ImportError, OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        spec = find_spec(top)
        for folder in (spec and spec.submodule_search_locations) or ():
            place = Path(folder, *parts)
            files = [one for one in (place.with_name(f"{place.name}.py"), place / "__init__.py") if one.is_file()]
            for node in ast.parse(files[0].read_bytes()).body if files else ():
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    return ast.get_docstring(node) or ""
    return ""
