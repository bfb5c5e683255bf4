"""Who may import whom: the rooms stand in ARCHITECTURE.md from the top floor down, and imports lead down. And files
that comments and docstrings name are there.
"""

from __future__ import annotations

import ast
import re
import tokenize
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "harvest"
FLOORS = re.findall(r"^\| `(\w+)` \|", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE)
ONLY_IN = {
    "tenacity": {"client/retry.py"},
    "httpx": {"client", "auth", "wiring.py"},
    "sqlite_utils": {"store", "crawler", "analysis"},
    "jinja2": {"report/page.py"},
}


def modules():
    """Every module of the package by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def names_imported(path):
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def modules_imported(path):
    """The modules of ours that a file imports, in a function or for its types too."""
    for name in names_imported(path):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        if name:
            yield name


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


NAMES_A_FILE = re.compile(r"(?<![\w/.*-])[\w./-]*[a-z_]\.(?:py|sql)\b")


def texts(path):
    """The comments and docstrings of a file; of a file of SQL all of it."""
    if path.suffix == ".sql":
        return [path.read_text(encoding="utf-8")]
    with path.open("rb") as file:
        comments = [token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, documented)]
    return [*comments, *(ast.get_docstring(node) or "" for node in nodes)]


def test_files_that_comments_and_docstrings_name_are_there():
    """By their path from the top, or by their end: `queue.py`, `pacing/queue.py`. A name in capitals stands for any."""
    folders = [ROOT / name for name in ("harvest", "schema", "scripts", "tests")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".sql")]
    there = {f"/{path.relative_to(ROOT)}" for path in files}
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in files
        if NAMES_A_FILE.search(path.read_text(encoding="utf-8"))  # to take apart all of them takes seconds
        for text in texts(path)
        for name in NAMES_A_FILE.findall(text)
    }
    assert len(named) > 20
    assert [(path, name) for path, name in sorted(named) if not any(file.endswith(f"/{name}") for file in there)] == []


def test_every_room_has_its_line_in_the_architecture():
    assert sorted(FLOORS) == sorted({room(module) for module in MODULES})


def test_imports_lead_down():
    up = [
        f"{module} -> {other}"
        for module, path in MODULES.items()
        for other in modules_imported(path)
        if room(module) != room(other) and FLOORS.index(room(module)) >= FLOORS.index(room(other))
    ]
    assert up == []


def test_no_files_import_each_other():
    graph = {module: set(modules_imported(path)) - {module} for module, path in MODULES.items()}
    for parent in [module for module, path in MODULES.items() if path.name == "__init__.py"]:
        graph[parent] = {other for other in graph[parent] if not other.startswith(f"{parent}.")}  # it gathers names
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize(("package", "homes"), list(ONLY_IN.items()))
def test_a_package_with_a_home_is_imported_only_there(package, homes):
    found = {
        str(path.relative_to(PACKAGE))
        for path in MODULES.values()
        if any(name.split(".")[0] == package for name in names_imported(path))
    }
    assert found
    assert all(any(place == home or place.startswith(f"{home}/") for home in homes) for place in found), found
