"""Who may import whom (examples.md, the layout), read from the imports themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "harvest"
NOUNS = {"models", "lists", "errors", "clock", "__init__"}
MAY_IMPORT = {
    "models": set(),
    "errors": set(),
    "clock": set(),
    "hidden": set(),
    "processes": set(),
    "locked": set(),
    "terms": set(),
    "lists": {"models"},
    "settings": {"errors"},
    "logs": {"errors", "hidden"},
    "auth": NOUNS | {"hidden"},
    "api": NOUNS | {"hidden", "locked", "processes"},
    "store": NOUNS | {"locked", "processes"},
    "crawl": NOUNS | {"api", "store"},
    "simulator": set(),
    "explore": NOUNS | {"hidden", "terms", "store"},
    "export": NOUNS | {"terms", "store"},
    "analysis": NOUNS | {"store"},
    "report": NOUNS | {"terms", "store", "explore"},
    "serving": NOUNS | {"terms", "store", "explore"},
    "scale": {"errors"},
    "wiring": NOUNS | {"settings", "auth", "api", "store"},
    "reading": {"errors", "store"},
    "notebook": NOUNS | {"reading", "terms", "settings", "logs", "wiring", "auth", "api", "store", "crawl"},
}
ONLY_IN = {
    "tenacity": {"api/retry.py"},
    "httpx": {"api", "auth", "wiring.py"},
    "sqlite_utils": {"store", "crawl", "analysis"},
}


def rooms():
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        yield pytest.param(path, room, id=str(path.relative_to(PACKAGE)))


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("path", "room"), list(rooms()))
def test_a_room_imports_only_what_it_may(path, room):
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("harvest.")}
    if room in MAY_IMPORT:
        allowed = MAY_IMPORT[room] | {room, "__version__"}
        assert ours <= allowed, f"{path} imports {ours - allowed}"
    else:
        assert room in {"cli", "__main__", "__init__"}, f"{room} has no place in the layout yet"


@pytest.mark.parametrize(("package", "homes"), list(ONLY_IN.items()))
def test_a_package_with_a_home_is_imported_only_there(package, homes):
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == package for name in imports(path))
    }
    assert found
    assert all(any(place == home or place.startswith(f"{home}/") for home in homes) for place in found), found
