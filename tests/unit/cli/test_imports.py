"""Commands that only look start quickly: they import nothing of what a crawl needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harvest.store.database import open_for_crawl
from harvest.store.schema import apply_schema
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[3]
HEAVY = {
    "asyncio",
    "filelock",
    "httpx",
    "jinja2",
    "msgspec",
    "numpy",
    "platformdirs",
    "pyarrow",
    "rich",
    "scipy",
    "sqlite_utils",
    "ssl",
    "structlog",
    "tenacity",
}
RUN = """
import sys
from harvest.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
print(*sys.modules, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("imports") / "t.db"
    db = open_for_crawl(path)
    apply_schema(db)
    db.conn.close()
    return str(path)


def imported(*arguments: str, **environ: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=PATIENCE,
        env={**os.environ, **environ},
    )
    return set(done.stderr.split())


def test_help_imports_no_more_than_click() -> None:
    found = imported("--help")
    assert found & (HEAVY | {"dotenv", "sqlite3"}) == set()
    assert {name for name in found if name.startswith("harvest.")} == {
        "harvest._version",
        "harvest.cli",
        "harvest.cli.main",
        "harvest.cli.output",
        "harvest.cli.output.broken_pipe",
        "harvest.cli.plugin_commands",
        "harvest.environment",
        "harvest.errors",
        "harvest.system",
        "harvest.system.installed",
    }


def test_a_shell_completes_commands_without_importing_them() -> None:
    found = imported(_HARVEST_COMPLETE="bash_complete", COMP_WORDS="harvest s", COMP_CWORD="1")
    assert {name for name in found if name.startswith("harvest.cli.commands")} == set()


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["sql", "SELECT 1", "--format", "csv"]])
def test_commands_that_read_import_nothing_that_crawls(command: list[str], file: str) -> None:
    assert imported(*command, "--db", file) & HEAVY == set()


@pytest.mark.parametrize("command", ["related", "similar", "analyze"])
def test_the_help_of_an_analysis_imports_nothing_that_computes_or_writes(command: str) -> None:
    assert imported(command, "--help") & {"numpy", "scipy", "sqlite_utils", "dateutil"} == set()


def test_a_crawl_goes_without_numpy(tmp_path: Path) -> None:
    """sqlite-utils would import it, and pandas, where they are installed."""
    found = imported("demo", "--db", str(tmp_path / "demo.db"), "--users", "5", "--max-users", "1", "-q")
    assert {"sqlite_utils", "httpx"} <= found
    assert found & {"numpy", "pandas"} == set()
