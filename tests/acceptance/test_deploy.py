"""What runs harvest on a server, container and units of systemd: no root, and only commands and options that exist."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from harvest.cli.main import HarvestGroup, cli
from tests.containers import CONTAINERFILE, environment_of, instruction, instructions, last_stage
from tests.foreign import python_of

ROOT = Path(__file__).parents[2]
SERVICE, TIMER = ROOT / "deploy" / "harvest.service", ROOT / "deploy" / "harvest.timer"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def parsed(words: list[str]) -> dict[str, object]:
    """Read a command line as the program would, without doing it; raises UsageError for what it does not know."""
    assert isinstance(cli, HarvestGroup)
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, words
    return command.make_context(words[0], words[1:]).params


def unit(path: Path) -> dict[str, dict[str, str]]:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(path.read_text("utf-8"))
    return {section: dict(read[section]) for section in read.sections()}


def test_the_image_is_slim_runs_as_nobody_in_particular_and_keeps_one_volume():
    stages = [rest for name, rest in instructions(CONTAINERFILE) if name == "FROM"]
    assert [re.fullmatch(r"python:(3\.\d+)-slim-\w+( AS build)?", stage) is not None for stage in stages] == [True] * 2
    (python,) = {re.search(r"3\.\d+", stage)[0] for stage in stages}
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]
    told = dict(last_stage(CONTAINERFILE))
    uid, gid = map(int, told["USER"].split(":"))
    assert min(uid, gid) > 0
    assert (told["VOLUME"], told["WORKDIR"], told["STOPSIGNAL"]) == ("/data", "/data", "SIGINT")
    assert f"--uid {uid}" in told["RUN"]
    assert "--owner=harvest" in told["RUN"]
    names = [name for name, _ in last_stage(CONTAINERFILE)]
    assert names.index("RUN") < names.index("USER") < names.index("ENTRYPOINT")  # nothing is installed by the user
    assert "RUN" not in names[names.index("USER") :]
    stays = {name: value for name, value in environment_of(CONTAINERFILE).items() if value.startswith("/")}
    assert stays.pop("PATH") == "/opt/harvest/bin:$PATH"
    assert [value for value in stays.values() if not value.startswith("/data/")] == []


def test_the_image_calls_what_the_command_line_has():
    assert instruction(CONTAINERFILE, "ENTRYPOINT") == ["harvest"]
    assert set(PROJECT["scripts"]) == {"harvest"}
    assert parsed(instruction(CONTAINERFILE, "CMD"))["max_requests"] == 2000
    program, *words = instruction(CONTAINERFILE, "HEALTHCHECK")
    assert program == "harvest"
    assert parsed(words)["quiet"] is True
    with pytest.raises(click.UsageError):
        parsed(["status", "--healthy"])


def test_an_image_is_made_of_what_it_needs_and_of_no_secret():
    copied = [
        part
        for name, rest in instructions(CONTAINERFILE)
        if name == "COPY" and not rest.startswith("--from=")
        for part in rest.split()[:-1]
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    lines = [li for li in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if li and not li.startswith("#")]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied)


def test_the_units_call_what_the_command_line_has_and_stand_in_the_documentation():
    service = unit(SERVICE)["Service"]
    program, *words = service["ExecStart"].split()
    assert program.endswith("/harvest")
    asked = parsed(words)
    assert (words[0], str(asked["path"]).startswith("/var/lib/harvest/")) == ("tend", True)
    assert service["User"] not in ("root", "0")
    assert service["StateDirectory"] == "harvest"
    assert service["SuccessExitStatus"] == "130"
    assert unit(TIMER)["Timer"]["OnCalendar"] == "hourly"
    page = (ROOT / "docs" / "tending.md").read_text("utf-8")
    (shown,) = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)
    told = dict(line.split("=", 1) for line in shown.splitlines())
    assert [key for key, value in told.items() if service.get(key) != value] == []
    for path in (SERVICE, TIMER):
        assert f"](../deploy/{path.name})" in page


@pytest.mark.slow
def test_systemd_takes_the_units_and_finds_them_confined(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    here = tmp_path / "harvest"
    here.touch(mode=0o755)
    (tmp_path / SERVICE.name).write_text(SERVICE.read_text("utf-8").replace("/usr/local/bin/harvest", str(here)))
    shutil.copy(TIMER, tmp_path)

    def analyze(*words: object) -> subprocess.CompletedProcess[str]:
        command = ["systemd-analyze", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = analyze("verify", tmp_path / TIMER.name, tmp_path / SERVICE.name)
    assert (done.returncode, done.stderr) == (0, "")
    # Below 3.0 of 10; without the lines that confine it, above.
    assert analyze("security", "--offline=yes", "--threshold=30", tmp_path / SERVICE.name).returncode == 0
    bare = re.sub(r"\n# It writes below.*", "\n", (tmp_path / SERVICE.name).read_text("utf-8"), flags=re.DOTALL)
    (tmp_path / SERVICE.name).write_text(bare)
    assert analyze("security", "--offline=yes", "--threshold=30", tmp_path / SERVICE.name).returncode == 1


@pytest.mark.slow
def test_hadolint_finds_nothing_and_would_find_a_mistake(tmp_path):
    hadolint = python_of("release").with_name("hadolint")

    def linted(path: Path) -> tuple[int, str]:
        done = subprocess.run([hadolint, path], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    assert linted(CONTAINERFILE) == (0, "")
    (tmp_path / "Containerfile").write_text(CONTAINERFILE.read_text("utf-8").replace("3.13-slim-bookworm", "latest"))
    code, said = linted(tmp_path / "Containerfile")
    assert code == 1
    assert "DL3007" in said
