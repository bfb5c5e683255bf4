"""What a newcomer reads: `--help` of everything, completion, and the next command in what is said."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import click
import pytest

from harvest.cli.main import COMMANDS, GROUPS, HarvestGroup, cli
from tests.acceptance.conftest import ROOT, environment
from tests.repetitions import slow_but
from tests.waiting import PATIENCE


def commands():
    assert isinstance(cli, HarvestGroup)
    found = [([name], cli.get_command(click.Context(cli), name)) for name in COMMANDS]
    for words, command in list(found):
        if isinstance(command, click.Group):
            found += [([*words, name], part) for name, part in command.commands.items()]
    return found


def helped(run, *words):
    done = run(*words, "--help", COLUMNS="80", TERMINAL_WIDTH="80")
    assert done.returncode == 0
    return done.stdout


def test_the_help_fits_a_page_of_80_columns(run):
    lines = helped(run).splitlines()
    assert len(lines) < 52  # a line for each of some forty commands
    assert [line for line in lines if len(line) > 80] == []


def test_the_page_about_settings_names_every_command():
    sentence = re.search(
        r"`harvest --help` lists the commands(.+?)each has its own", (ROOT / "docs" / "settings.md").read_text(), re.S
    )
    assert sorted(re.findall(r"`([a-z]+)`", sentence[1])) == sorted(COMMANDS)


def test_the_help_names_every_command_in_its_group(run):
    text = helped(run)
    assert [name for name in COMMANDS if not re.search(rf"^.{{11}} ?{name} ", text, re.MULTILINE)] == []
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(COMMANDS) - set(grouped) == set()


def test_no_arguments_show_the_help(run):
    done = run()
    assert "Usage: harvest URL..." in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    slow_but([words for words, _ in commands()][::3], [words for words, _ in commands()]),
    ids=" ".join,
)
def test_every_help_is_readable_on_80_columns(run, words):
    text = helped(run, *words)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.startswith(f"Usage: harvest {' '.join(words)}")


@pytest.mark.parametrize(
    "name", [n for n in COMMANDS if n in ("crawl", "resume", "plan", "retry", "snapshot", "completion")]
)
def test_the_help_of_what_is_used_most_gives_an_example(run, name):
    assert re.search(rf"^ +(\w+: +)?harvest (https://|artist/|{name}\b)", helped(run, name), re.MULTILINE)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(run, shell):
    done = run("completion", shell)
    assert done.returncode == 0
    assert f"_HARVEST_COMPLETE={shell}_complete" in done.stdout
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=done.stdout, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


def test_the_shell_is_recognised_and_an_unknown_one_asked_for(run):
    assert "_HARVEST_COMPLETE=zsh_complete" in run("completion", SHELL="/usr/bin/zsh").stdout
    asked = run("completion", SHELL="/bin/tcsh")
    assert asked.returncode == 2
    assert "bash, zsh, fish" in asked.stderr


def completed(line, *, words=None):
    """Ask as the bash script does; give what is offered."""
    words = words or line.split(" ")
    environ = environment(
        _HARVEST_COMPLETE="bash_complete", COMP_WORDS="\n".join(words), COMP_CWORD=str(len(words) - 1)
    )
    done = subprocess.run(
        [sys.executable, "-m", "harvest"], env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_options_and_choices_are_completed():
    assert completed("harvest st") == ["status"]
    assert "snapshot" in completed("harvest s")
    assert completed("harvest resume --max-req") == ["--max-requests"]
    assert completed("harvest completion z") == ["zsh"]
    assert completed("harvest status --log-level d") == ["debug"]


def test_options_of_a_crawl_are_completed_behind_an_address():
    assert completed("harvest https://soundcloud.com/artist/track --max-us") == ["--max-users", "--max-user-likes"]
    assert "--dry-run" in completed("harvest artist/track --dry")


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_bash_itself_completes(tmp_path):
    """The script is loaded into a real shell, which is then asked what it would offer."""
    harvest = tmp_path / "harvest"
    harvest.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m harvest "$@"\n')
    harvest.chmod(0o755)
    script = (
        'eval "$(harvest completion bash)"; COMP_WORDS=(harvest ver); COMP_CWORD=1; _harvest_completion harvest;'
        ' echo "${COMPREPLY[@]}"'
    )
    environ = environment(PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}", PYTHONPATH=str(ROOT))
    done = subprocess.run(
        ["bash", "-c", script], env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.stdout.split() == ["verify"], done.stderr


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("--cache-path demo https://soundcloud.com/a/b", "crawl"),
        ("--db status -q https://soundcloud.com/a/b", "crawl"),
        ("https://soundcloud.com/a/b --cache-path demo", "crawl"),
        ("https://soundcloud.com/a/b --max-users 3 --db=demo", "crawl"),
        ("--cache-path demo status", "status"),
        ("--cache-path status demo", "demo"),
        ("-q demo", "demo"),
        ("--db plan plan https://soundcloud.com/a/b", "plan"),
        ("-q status --db demo", "status"),
        ("sql -f csv tracks", "sql"),
        ("sql status", "sql"),
    ],
)
def test_the_value_of_an_option_is_no_command(line, command):
    args = line.split()
    cli.parse_args(click.Context(cli, resilient_parsing=True), args)
    assert args[0] == command
