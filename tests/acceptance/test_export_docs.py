"""What docs/export.md says is what `harvest export` does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from harvest.cli.commands.export import export
from harvest.cli.main import _run as run_here
from harvest.environment import Environment
from harvest.export.choices import FORMATS
from harvest.export.graphs import LARGEST
from harvest.export.job import ROWS_PER_FILE
from tests.crawling import read
from tests.exporting import leave, rich_file

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "export.md").read_text("utf-8")
TOUR = (ROOT / "docs" / "tour.md").read_text("utf-8")
EXTRAS = {
    "follows": ["source_id", "target_id", "source_chance", "target_chance"],
    "playlist_items": ["playlist_id", "item_id", "position"],
    "item_item": ["source_id", "target_id", "measure", "score", "common", "rank"],
    "user_user": ["source_id", "target_id", "measure", "score", "common", "rank"],
    "artist_artist": ["source_id", "target_id", "measure", "score", "common"],
}


@pytest.fixture(scope="module")
def harvest(tmp_path_factory):
    """A file with something of everything."""
    return rich_file(tmp_path_factory.mktemp("rich") / "t.db")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands():
    pages = [*blocks(PAGE, "sh"), *blocks(TOUR, "sh")]
    lines = [line.partition("#")[0].strip() for block in pages for line in block.splitlines()]
    return sorted({line for line in lines if line.startswith("harvest export")})


def first_cells(part):
    return re.findall(r"^\| `([a-z_]+)`", part, re.MULTILINE)


@pytest.mark.parametrize("line", commands())
def test_every_command_runs(harvest, tmp_path, monkeypatch, capfd, line):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARVEST_CACHE_PATH", str(harvest))
    liker = "(SELECT max(user_id) FROM user_engagements WHERE engagement_type = 'like')"
    ((somebody,),) = read(harvest, f"SELECT permalink_url FROM users WHERE id = {liker}")
    line = line.replace("https://soundcloud.com/somebody", somebody)
    assert run_here(shlex.split(line)[1:], Environment.here()) == 0, capfd.readouterr().err
    assert (tmp_path / shlex.split(line)[2] / "manifest.json").exists()


def test_the_page_names_every_option_and_format():
    flags = {flag for option in export.params if isinstance(option, click.Option) for flag in option.opts}
    general = {"--cache-path", "--db", "--log-format", "--log-level", "--log-file", "-q", "--quiet", "-v", "--verbose"}
    assert [flag for flag in sorted(flags - general) if f"{flag}" not in PAGE] == []
    table = PAGE[PAGE.index("| `--format` |") : PAGE.index("Parquet and `hf` need")]
    first = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    assert sorted(re.findall(r"`(\w+)`", "".join(first))) == sorted(FORMATS)


def test_every_column_is_described_in_its_order(harvest, tmp_path):
    made = leave(harvest, tmp_path / "out", kinds=("like", "repost"))
    found = {file["table"]: file["columns"] for file in made["files"]}
    parts = PAGE.split("## The tables")[1]
    ends = {"interactions": "`tsv`, `recbole` and", "items": "`users_here` is a derived", "users": "And where there is"}
    for name, following in ends.items():
        begin = parts.index(f"\n`{name}`")
        assert first_cells(parts[begin : parts.index(following, begin)]) == found[name]
    assert {name: found[name] for name in EXTRAS} == EXTRAS
    told = parts[parts.index("And where there is") : parts.index("A table of more")]
    assert all(f"`{name}`" in told for name, columns in EXTRAS.items() for name in (name, *columns))


def test_the_limits_that_are_told_are_real():
    assert f"{LARGEST:,} edges" in PAGE
    assert ROWS_PER_FILE == 10_000_000
    assert "more than ten\nmillion rows" in PAGE


def test_the_matrix_and_the_tables_are_read_as_shown(harvest, tmp_path, monkeypatch, capsys):
    """The example with pandas runs where pandas is, in test_export_readers.py."""
    monkeypatch.chdir(tmp_path)
    leave(harvest, tmp_path / "listening")
    leave(harvest, tmp_path / "matrix", format="csr", kcore=2, split="last:1")
    ran = 0
    for code in blocks(PAGE, "python"):
        if "import pandas" in code:
            continue
        exec(compile(code, "docs/export.md", "exec"), {})
        ran += 1
    assert ran == 1
    assert re.fullmatch(r"row 0 is user \d+, who has \d+ tracks in train and [01] in test\n", capsys.readouterr().out)
