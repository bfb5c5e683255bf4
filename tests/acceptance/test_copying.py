"""A command that runs as a copy of a process does what it does in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
from subprocess import PIPE

import pytest

from tests import copying
from tests.acceptance.conftest import environment
from tests.copying import python
from tests.terminals import on_a_terminal
from tests.waiting import PATIENCE, read_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="every command has an interpreter of its own there")
SIMULATOR = ["simulate", "--port", "0", "--users", "20", "--tracks", "30"]


@pytest.fixture(autouse=True)
def copies(monkeypatch):
    """Whatever the run asks for."""
    monkeypatch.setattr(copying, "fresh", False)


def test_it_says_the_same_and_ends_in_the_same_way(tmp_path):
    (tmp_path / ".env").write_text("HARVEST_MAX_USERS=7\n")
    codes = []
    for arguments in (["crawl", "--help"], ["status", "--db", "none.db"], ["--max-users", "x/"]):
        how = {"cwd": tmp_path, "env": environment(), "timeout": PATIENCE}
        copied, fresh = copying.run(arguments, **how), python(arguments, **how)
        assert (copied.returncode, copied.stdout, copied.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)
        assert copied.args == arguments  # which an interpreter would not say
        codes.append(copied.returncode)
    assert codes == [0, 4, 2]


def test_a_copy_imports_nothing_itself(server, tmp_path):
    """It would import it again in every command of every test."""
    late = tmp_path / "late.txt"
    environ = environment(server, **{copying.TELL_LATE: str(late)})
    for command in ([server.world.seed_url()], ["resume"], ["counts"], ["status"], ["sql", "SELECT 1"], ["doctor"]):
        assert copying.run(command, cwd=tmp_path, env=environ, timeout=PATIENCE).returncode == 0
        assert (command, late.read_text()) == (command, "")
        late.unlink()


def test_what_an_interpreter_reads_when_it_starts_gets_one(tmp_path):
    """In a copy it would be too late."""
    environ = environment(PYTHONIOENCODING="utf-16")
    done = copying.run(["--version"], cwd=tmp_path, env=environ, timeout=PATIENCE)
    assert "-m" in done.args


def test_a_command_that_takes_too_long_is_killed_and_the_next_one_runs(tmp_path):
    environ = environment()
    with pytest.raises(subprocess.TimeoutExpired):
        copying.run(SIMULATOR, cwd=tmp_path, env=environ, timeout=0.2)
    assert copying.run(["--version"], cwd=tmp_path, env=environ, timeout=PATIENCE).returncode == 0


def test_several_run_at_once_and_each_is_heard_stopped_and_waited_for_by_itself(tmp_path):
    pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE, "cwd": tmp_path, "env": environment()}
    first, second = (copying.start(SIMULATOR, **pipes) for _ in range(2))
    for simulator in (first, second):
        read_until(simulator.stdout, "harvest auth login")
    assert (first.poll(), second.poll()) == (None, None)
    first.kill()
    assert (first.returncode, second.poll()) == (-9, None)
    second.terminate()
    assert "Traceback" not in first.communicate()[1] + second.communicate()[1]
    assert second.returncode == second.wait() == second.poll() != 0
    reader = copying.start(["sql", "-"], **pipes)
    out, err = reader.communicate("SELECT 1 AS one\n")
    assert (reader.returncode, out, "There is no file" in err) == (4, "", True)


@pytest.mark.parametrize("fresh", [False, True])
def test_a_terminal_is_its_own(monkeypatch, tmp_path, fresh):
    """It knows how wide it is, hears Ctrl-C from it, and writes line by line."""
    monkeypatch.setattr(copying, "fresh", fresh)
    environ = environment(TERM="xterm")
    shown, code = on_a_terminal(SIMULATOR, tmp_path, environ, columns=40,
                                steps=[("harvest auth login", "\x03")])  # fmt: skip
    assert (code, "Traceback" in shown) == (0, False), shown
