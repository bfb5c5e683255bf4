"""Who is alive, and whether it is still the same."""

from __future__ import annotations

import os
import subprocess
import sys
from unittest import mock

import psutil

from harvest.system.processes import born, is_alive
from tests.waiting import until

TOLD = "import os; from harvest.system.processes import born; print(born(os.getppid()))"


def test_all_processes_tell_the_same_of_one(tmp_path):
    told = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == born(os.getpid())
    assert is_alive(os.getpid(), told.stdout.strip())


def test_a_clock_that_is_put_right_makes_nobody_another():
    before = born(os.getpid())
    with mock.patch(f"{psutil._psplatform.__name__}.boot_time", return_value=1e9):
        assert born(os.getpid()) == before


def test_a_later_process_of_the_same_number_is_another():
    assert not is_alive(os.getpid(), "long ago")


def test_who_has_ended_is_dead_before_anybody_asks_for_the_body():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        alive = born(process.pid)
        assert alive
        assert is_alive(process.pid, alive)
        process.stdin.close()
        until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
        assert born(process.pid) is None
    assert not is_alive(process.pid, alive)
