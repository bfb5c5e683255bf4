"""Files that are read when their turn comes say what they say when all are read first."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    "test_good.py": """
        import pytest

        left = []

        @pytest.fixture(scope="module")
        def kept():
            left.append("made")
            yield left
            assert left == ["made", "used", "used"]

        @pytest.mark.parametrize("number", [1, 2])
        def test_used(kept, number):
            kept.append("used")

        @pytest.mark.seldom
        def test_not_asked_for():
            raise AssertionError("this one was not asked for")
        """,
    "test_seldom.py": """
        import pytest

        pytestmark = pytest.mark.seldom

        def test_not_asked_for():
            raise AssertionError("this one was not asked for")
        """,
    "test_bad.py": """
        import pytest

        def test_skipped():
            pytest.skip("not today")

        def test_wrong():
            assert [1, 2] == [1, 3]

        def test_right():
            pass
        """,
    "test_unreadable.py": "import nothing_of_this_name",
}


@pytest.mark.slow  # five interpreters
def test_a_file_read_later_says_the_same(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = seldom: seldom\n")

    def run(*options: str) -> tuple[int, str, set[str]]:
        command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "-m", "not seldom", "-ra", *options]
        done = subprocess.run(
            [*command, "-c", str(tmp_path / "pytest.ini"), str(tmp_path)], cwd=ROOT, capture_output=True, text=True
        )
        summary = done.stdout.splitlines()[-1]
        lines = set(re.findall(r"^(?:FAILED|ERROR|SKIPPED) .*", done.stdout, re.MULTILINE))
        return done.returncode, re.sub(r" in .*|, \d+ deselected", "", summary), lines

    first, later = run("--continue-on-collection-errors"), run("-p", "tests.later")
    assert first[1].strip("= ") == "1 failed, 3 passed, 1 skipped, 1 error"
    assert later == first
