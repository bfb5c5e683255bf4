"""Pythons of other environments (tests/environments), for libraries that do not go with those of the tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A Spark that lives for seconds does better without the compiler that takes its time.
QUICK = {"SPARK_SUBMIT_OPTS": "-XX:TieredStopAtLevel=1"}


def python_of(name: str) -> Path:
    """Find the Python of an environment; without it the test is skipped (`scripts/test --all` makes them all)."""
    python = ROOT / f".venv-{name}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"scripts/environment {name} makes the environment that this needs")
    return python


def run(
    name: str, *arguments: object, timeout: float = 550, folder: Path = ROOT, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run a script or module with the Python of an environment."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOUNDCLOUD_", "HARVEST_"))}
    return subprocess.run(
        [str(python_of(name)), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**kept, **QUICK, "PYTHONPATH": str(ROOT), **environ},
        timeout=timeout,
        check=False,
    )
