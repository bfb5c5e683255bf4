"""What CONTRIBUTING.md says how to do is done here: every step of every recipe, and then the tests that it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RECIPES = dict(zip(*[iter(re.split(r"^### (.*)$", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True))

# In `FILE`, before `ANCHOR`:   At the end of `FILE`, ...:   A new file `FILE`:   each with a block;
# In `FILE`, `OLD` becomes `NEW`.
STEP = re.compile(
    r"^(?:In `(?P<inside>[^`]+)`, before `(?P<anchor>[^`]+)`"
    r"|At the end of `(?P<end>[^`]+)`|A new file `(?P<new>[^`]+)`)"
    r"[^`]*(?:`[^`]+`[^`]*)*?:\n\n```\w+\n(?P<block>.*?)^```$"
    r"|^In `(?P<where>[^`]+)`, `(?P<old>[^`]+)` becomes `(?P<becomes>[^`]+)`\.$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    """One edit: a block at a place of a file, or a few words for others."""

    recipe: str
    file: str
    place: str
    text: str
    how: str

    def done_in(self, root: Path) -> None:
        """Do it. Raises AssertionError where the file has no such place."""
        path = root / self.file
        if self.how == "new":
            assert not path.exists(), f"{self.file} is there already"
            path.write_text(self.text, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        assert self.place in _without_marks(text), f"{self.recipe}: {self.file} has no {self.place}"
        if self.how == "end":
            text += self.text
        elif self.how == "becomes":
            text = text.replace(self.place, self.text, 1)
        else:
            text = self._before(text)
        path.write_text(text, encoding="utf-8")

    def _before(self, text: str) -> str:
        """Put the block before the first line with the anchor: before the call that this line is an argument of."""
        lines = text.splitlines(keepends=True)
        at = next(number for number, line in enumerate(lines) if self.place in _without_marks(line))
        if lines[at - 1].rstrip().endswith("(") and not self.text.startswith(("(", "|")):
            at -= 1
        indent = re.match(r" *", lines[at])
        assert indent
        return "".join([*lines[:at], textwrap.indent(self.text, indent[0]), *lines[at:]])


def _without_marks(text: str) -> str:
    """Leave out backticks, which an anchor cannot have."""
    return text.replace("`", "")


def steps() -> list[Step]:
    found = []
    for recipe, body in RECIPES.items():
        for one in STEP.finditer(body):
            how = "new" if one["new"] else "end" if one["end"] else "becomes" if one["where"] else "before"
            file = one["inside"] or one["end"] or one["new"] or one["where"]
            place, text = one["anchor"] or one["old"] or "", one["block"] or one["becomes"]
            found.append(Step(recipe, file, place, text, how))
    return found


def test_every_recipe_has_steps_and_tests_and_names_only_what_is_there():
    made = steps()
    assert [recipe for recipe in RECIPES if recipe not in {step.recipe for step in made}] == ["Anything else"]
    lead = re.compile(r"^(?:In|At the end of|A new file) `", re.MULTILINE)
    assert len(made) == sum(len(lead.findall(body)) for body in RECIPES.values())  # none is passed over
    assert [recipe for recipe, body in RECIPES.items() if not re.search(r"Tests:\s`tests/", body)] == ["Anything else"]
    pages = PAGE + (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = set(re.findall(r"`((?:harvest|tests|docs|schema|scripts)/[\w./-]*)`", pages))
    rooms = r"(?:api|store|cli|client|simulator|probing|verify|crawler)/[\w./]*|\w+\.py"
    named |= {f"harvest/{name}" for name in re.findall(rf"`({rooms})`", pages)}
    beside = {"harvest/pages.py", "harvest/shapes.py", "harvest/moved_facts.py", "harvest/moved_deeds.py"}
    new = {step.file for step in made if step.how == "new"}
    assert [name for name in sorted(named - new - beside) if not (ROOT / name).exists()] == []


def test_every_place_that_a_recipe_names_is_there_once_the_steps_before_are_done(tmp_path):
    for step in steps():
        there = tmp_path / step.file
        there.parent.mkdir(parents=True, exist_ok=True)
        if step.how != "new" and not there.exists():
            shutil.copy(ROOT / step.file, there)
        step.done_in(tmp_path)
    for path in tmp_path.rglob("*.py"):
        compile(path.read_text("utf-8"), str(path), "exec")


NAMED = (
    "demo or described or with_a_name or every_outcome_is_explained or names_every_option or declared or pairs"
    " or every_fault or every_way_in_which or has_a_colour or playlist_likers or toptracks or teapot"
    " or takes_what_its_head_says"
)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_recipes_do_what_they_say(tmp_path):
    copy = tmp_path / "harvest"
    of_no_use = (".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "node_modules", "dist", "build", "data")
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*of_no_use, "notebooks"))
    for step in steps():
        step.done_in(copy)
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("SOUNDCLOUD_", "HARVEST_"))}
    environ |= {"PYTHONPATH": str(copy), "COLUMNS": "120"}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            text=True,
            cwd=copy,
            env=environ,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "harvest", "demo", "--cache-path", "t.db")
    assert "duration_ms" in run("-m", "harvest", "sql", "longest-tracks", "--cache-path", "t.db").splitlines()[0]
    assert "teapot" in run("-m", "harvest", "simulate", "--faults", "list")
    run("-m", "harvest", "export", "out", "--format", "pairs", "--cache-path", "t.db")
    assert len((copy / "out" / "interactions.txt").read_text("utf-8").splitlines()[0].split(" ")) == 4
    told = "".join(re.findall(r"Tests:\s(.*?`\.)", PAGE, re.DOTALL))
    tests = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", told)))
    assert len(tests) > 8
    said = run("-m", "pytest", "-vv", "-m", "not soak and not slow", "-k", NAMED, *tests)
    ran = {name for name in NAMED.split(" or ") if not re.search(rf"{name}.* PASSED", said)}
    assert ran == set()
