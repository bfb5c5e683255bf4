"""What is left to the slow tests, and that something of each is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.repetitions import all_but, each_once, one_in, slow_but

ROOT = Path(__file__).parents[2]
FILE = """
import pytest


@pytest.mark.first_case
@pytest.mark.parametrize("n", [pytest.param(0, marks=pytest.mark.slow), 1, 2, 3])
def test_one(n): ...


@pytest.mark.first_case
@pytest.mark.parametrize("n", [4, 5])
def test_other(n): ...


@pytest.mark.parametrize("n", [6, 7])
def test_unmarked(n): ...
"""


def quick(parameters):
    return [one for one in parameters if not hasattr(one, "marks") or not one.marks]


def test_one_of_so_many_is_quick_and_all_are_there():
    assert quick(one_in(3, "abcdefg")) == ["a", "d", "g"]
    assert len(one_in(3, "abcdefg")) == 7
    assert quick(slow_but({"b"}, "abc")) == ["b"]


def test_each_value_of_every_axis_is_quick_once():
    rows = each_once("abc", [1, 2])
    assert len(rows) == 6
    assert {row.values for row in quick(rows)} == {("a", 1), ("b", 2), ("c", 1)}


def test_what_is_to_be_quick_must_be_there():
    with pytest.raises(AssertionError):
        all_but({("a", 3)}, "ab", [1, 2])


@pytest.mark.parametrize(
    ("chosen", "found"),
    [("not slow", "one[1] other[4] unmarked[6] unmarked[7]"), ("slow", "one[0] one[2] one[3] other[5]")],
)
def test_of_a_test_that_is_marked_so_the_first_quick_case_stays(tmp_path, chosen, found):
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_collection_modifyitems  # noqa: F401\n")
    (tmp_path / "test_cases.py").write_text(FILE)
    marks = ("-o", "markers=slow\nfirst_case", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", *marks, "-m", chosen, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.partition("::test_")[2] for line in done.stdout.splitlines() if "::" in line]
    assert lines == found.split(), done.stdout + done.stderr
