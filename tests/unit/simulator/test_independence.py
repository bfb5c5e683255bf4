from __future__ import annotations

import ast
from pathlib import Path

import harvest.simulator


def test_the_simulator_imports_nothing_else_of_harvest():
    """It is a second opinion on the API, so it must not share the first one's mistakes."""
    for file in Path(harvest.simulator.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            ours = [name for name in names if name.partition(".")[0] == "harvest"]
            assert all(name.startswith("harvest.simulator") for name in ours), file.name
