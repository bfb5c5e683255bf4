"""A command that runs as a copy of a process does what it does in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.acceptance.conftest import environment
from tests.copying import Template, python
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="every command has an interpreter of its own there")


@pytest.fixture(scope="module")
def template():
    template = Template()
    yield template
    template.close()


def test_it_says_the_same_and_ends_in_the_same_way(template, tmp_path):
    (tmp_path / ".env").write_text("HARVEST_MAX_USERS=7\n")
    codes = []
    for arguments in (["crawl", "--help"], ["status", "--db", "none.db"], ["--max-users", "x/"]):
        how = {"cwd": tmp_path, "env": environment(), "timeout": PATIENCE}
        copied, fresh = template.run(arguments, **how), python(arguments, **how)
        assert (copied.returncode, copied.stdout, copied.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)
        codes.append(copied.returncode)
    assert codes == [0, 4, 2]


def test_what_an_interpreter_reads_when_it_starts_gets_one(template, tmp_path):
    """In a copy it would be too late."""
    environ = environment(PYTHONIOENCODING="utf-16")
    done = template.run(["--version"], cwd=tmp_path, env=environ, timeout=PATIENCE)
    assert "-m" in done.args


def test_a_command_that_takes_too_long_is_killed_and_the_next_one_runs(template, tmp_path):
    environ = environment()
    with pytest.raises(subprocess.TimeoutExpired):
        template.run(["simulate"], cwd=tmp_path, env=environ, timeout=0.2)
    assert template.run(["--version"], cwd=tmp_path, env=environ, timeout=PATIENCE).returncode == 0
