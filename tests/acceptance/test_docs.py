"""What README.md, docs/ and schema/README.md say is true of the program and of the file it makes."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from harvest import errors
from harvest.cli.commands.demo import QUERIES
from harvest.cli.main import COMMANDS, HarvestGroup, cli
from harvest.cli.options.environment import Setting
from harvest.cli.output import summary
from harvest.explore.named import named_queries
from harvest.models import Outcome
from harvest.probing.probe import requests_planned
from harvest.settings import VARIABLES
from harvest.simulator import Drift, parse_faults
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DICTIONARY = (ROOT / "schema" / "README.md").read_text(encoding="utf-8")
PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in (
        *sorted(ROOT.glob("*.md")),
        ROOT / "schema" / "README.md",
        ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    )
}
GUIDE = "\n\n".join(text for name, text in PAGES.items() if re.match(r"README|docs/[\w-]+\.md", name))
SQL, SETTINGS, OUTCOMES = (PAGES[f"docs/{name}.md"] for name in ("sql", "settings", "resuming"))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"`(\w+)`")
_VARIABLE = re.compile(r"\b(?:SOUNDCLOUD|HARVEST)_[A-Z_]+\b")


def blocks(text: str, language: str) -> list[str]:
    return [match[2] for match in _FENCE.finditer(text) if match[1] == language]


def section(text: str, title: str) -> str:
    """Give what stands between a heading of the second level and the next."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """Give the first cells of the rows of all tables, headings and rules left out."""
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    return [cell for place, cell in enumerate(rows) if not set(cell) <= set("-: ") and not _is_rule(rows, place + 1)]


def _is_rule(rows: list[str], place: int) -> bool:
    return place < len(rows) and bool(rows[place]) and set(rows[place]) <= set("-:")


def documented_columns() -> dict[str, set[str]]:
    """Give the columns that schema/README.md describes under each heading that is a name."""
    parts = re.split(r"^#{2,3} (.*)$", DICTIONARY, flags=re.MULTILINE)[1:]
    named = {title.strip("`"): body for title, body in zip(parts[::2], parts[1::2], strict=True) if title[0] == "`"}
    return {name: {c for cell in _first_table(body) for c in _NAME.findall(cell)} for name, body in named.items()}


def _first_table(body: str) -> list[str]:
    """Give the first cells of the first table of a section; what follows it explains values, not columns."""
    lines = body.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("| column |"))
    end = next((place for place in range(start, len(lines)) if not lines[place].startswith("|")), len(lines))
    return first_cells("\n".join(lines[start:end]))


def commands() -> dict[str, click.Command]:
    assert isinstance(cli, HarvestGroup)
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in COMMANDS}
    return {name: command for name, command in found.items() if command is not None}


def options() -> list[tuple[str, click.Option]]:
    found = list(commands().items())
    for name, group in commands().items():
        if isinstance(group, click.Group):
            found += [(f"{name} {part}", command) for part, command in group.commands.items()]
    return [(name, p) for name, command in found for p in command.params if isinstance(p, click.Option)]


def option_variables() -> set[str]:
    return {str(option.envvar) for _, option in options() if option.envvar}


def test_whatever_a_variable_may_give_stands_in_the_env_file_too() -> None:
    assert {type(option) for _, option in options() if option.envvar} == {Setting}


def variables_in_code() -> set[str]:
    """Give the names that the code looks up by itself."""
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "harvest").rglob("*.py"))
    return set(re.findall(r"""environ(?:\.get\(|\[)["']((?:SOUNDCLOUD|HARVEST)_[A-Z_]+)["']""", sources))


def exit_codes() -> set[int]:
    """Give every code the program ends with: done, the errors' own, and those of the summary."""
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.HarvestError)]
    return {
        0,
        *(c.exit_code for c in classes),
        summary.EXIT_FAILED_LISTS,
        summary.EXIT_BUDGET,
        summary.EXIT_INTERRUPTED,
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the demo as its reader does; give the file and what was printed."""
    folder = tmp_path_factory.mktemp("demo")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("SOUNDCLOUD_", "HARVEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "harvest", "demo"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "data" / "cache" / "demo.db", done.stdout


@pytest.fixture(scope="module")
def database(demo: tuple[Path, str]) -> Iterator[sqlite3.Connection]:
    """Open the demo's file as any reader of the documentation would."""
    connection = sqlite3.connect(f"{demo[0].as_uri()}?mode=ro", uri=True)
    yield connection
    connection.close()


def schema_of(database: sqlite3.Connection) -> dict[str, set[str]]:
    names = tables_of(database) + [
        row[0] for row in database.execute("SELECT name FROM pragma_table_list WHERE type = 'view'")
    ]
    return {
        name: {row[1] for row in database.execute(f'PRAGMA table_xinfo("{name}")') if row[6] != 1} for name in names
    }


def tables_of(database: sqlite3.Connection) -> list[str]:
    """Name the tables, but for SQLite's own and those inside of the search index."""
    wanted = "schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    return [row[0] for row in database.execute(f"SELECT name FROM pragma_table_list WHERE {wanted}")]


def test_both_pages_have_sql_to_try():
    assert len(blocks(SQL, "sql")) >= 5
    assert len(blocks(DICTIONARY, "sql")) == 14


ON_ANALYSED_FILES = "docs/analysis.md"  # whose queries test_analyze.py runs


@pytest.mark.parametrize(
    "sql", [sql for n, page in PAGES.items() if n != ON_ANALYSED_FILES for sql in blocks(page, "sql")]
)
def test_every_query_that_is_shown_answers_something(database, sql):
    assert database.execute(sql).fetchall()


@pytest.mark.parametrize("sql", blocks(SQL, "sql")[:5])
def test_no_query_of_the_first_five_reads_all_likes_one_by_one(database, sql):
    """An index leads to the likes wanted; only the small one of listed rows is ever read from end to end."""
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}")]
    tables = ("engagements",)
    scans = [line for line in plan if re.match(rf"SCAN ({'|'.join(tables)})\b", line)]
    assert not scans


def test_every_query_with_a_name_stands_in_the_documentation_as_it_describes_itself():
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", section(SQL, "Questions with a name"), re.MULTILINE))
    assert told == {name: query.question for name, query in named_queries().items()}


def test_the_queries_of_the_demo_stand_first_among_them():
    assert [sql.strip() for sql in QUERIES.values()] == [sql.strip() for sql in blocks(SQL, "sql")[:3]]


def test_the_output_of_the_demo_is_real(demo):
    """Every line but the time it took, on which the width of the columns depends, and the mark of what is left out."""
    (shown,) = blocks(README, "text")
    lines = [
        line.split() for line in shown.splitlines() if line.strip() not in ("", "...") and "total time" not in line
    ]
    assert len(lines) > 8
    printed = [line.split() for line in demo[1].splitlines()]
    assert [line for line in lines if line not in printed] == []


def test_every_variable_stands_in_the_settings_table():
    names = {name for cell in first_cells(section(SETTINGS, "Settings")) for name in _NAME.findall(cell)}
    assert names == set(VARIABLES) | option_variables() | variables_in_code()


def test_every_flag_stands_beside_its_variable():
    rows = {line.split("|")[1].strip(" `"): line for line in section(SETTINGS, "Settings").splitlines() if "|" in line}
    for _, option in options():
        if option.envvar:
            assert all(f"`{flag}`" in rows[str(option.envvar)] for flag in option.opts if flag.startswith("--"))


def test_defaults_in_the_settings_table_are_those_of_the_program():
    from dataclasses import fields

    from harvest.models import Limits
    from harvest.settings import Settings

    rows = [[c.strip(" `") for c in li.split("|")] for li in section(SETTINGS, "Settings").splitlines() if "|" in li]
    shown = {row[1]: row[3] for row in rows}
    for limit in fields(Limits):
        usual = ",".join(limit.default) if isinstance(limit.default, tuple) else limit.default
        if usual not in (None, ""):  # what depends on the seed stands there in words
            assert shown[f"HARVEST_{limit.name.upper()}"] == str(usual)
    for variable, (name, _) in VARIABLES.items():
        default = getattr(Settings(), name)
        assert shown[variable] == ("" if default is None else f"{default:g}" if isinstance(default, float) else default)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_variable_that_does_not_exist(page):
    real = set(VARIABLES) | option_variables() | variables_in_code()
    assert set(_VARIABLE.findall(PAGES[page])) - real == set()


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_an_option_that_does_not_exist(page):
    real = {flag for _, option in options() for flag in (*option.opts, *option.secondary_opts)} | {
        "--help",
        "--version",
        "--all",  # scripts/test
        "--quick",  # scripts/bench
        "--crawl",  # tests/bench/plans.py
        *("--now", "--system"),  # systemctl, useradd
        *("--build-arg", "--rm", "--read-only", "--cap-drop", "--security-opt", "--env-file", "--volume"),  # docker
        "--jsonld",  # mlcroissant
        *("--from", "--spec"),  # uvx, pipx
        *("--sample",),  # scripts/mutants
        *("--keep", "--only"),  # scripts/bench
        *("--engine", "--max-likes", "--top", "--sql"),  # python -m harvest.scale
        *("--executor-memory", "--master"),  # spark-submit
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", PAGES[page])) - real == set()


def test_the_table_of_exit_codes_has_all_of_them_and_no_other():
    assert {int(code) for code in first_cells(section(SETTINGS, "Exit codes"))} == exit_codes()


@pytest.mark.parametrize("table", [section(OUTCOMES, "How a list can end"), section(DICTIONARY, "What we did")])
def test_every_outcome_is_explained(table):
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", table[table.index("| outcome |") :], re.MULTILINE)
    assert set(rows[: len(Outcome)]) == {outcome.value for outcome in Outcome}


def test_the_dictionary_describes_every_table_view_and_column_and_nothing_else(database):
    assert documented_columns() == schema_of(database)


def test_the_dictionary_says_the_type_of_every_column_of_a_table(database):
    for table in tables_of(database):
        body = DICTIONARY.split(f"### `{table}`\n")[1].split("\n### ")[0]
        for column in database.execute(f"SELECT * FROM pragma_table_xinfo('{table}') WHERE hidden <> 1").fetchall():
            assert (
                f"| `{column[1]}` | {column[2].removesuffix(' GENERATED ALWAYS')} |".replace("|  |", "| |") in body
            ), f"{table}.{column[1]}"


def test_the_dictionary_lists_every_index_and_trigger(database):
    made = {
        row[0]
        for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
        if not row[0].startswith("idx__sqlite_migrations")
    }
    indexes = section(DICTIONARY, "Indexes")
    assert {cell.strip("`") for cell in first_cells(indexes)} == made
    for (trigger,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
        assert f"`{trigger}`" in indexes


def test_tables_that_are_called_empty_are_empty_and_no_other(database):
    parts = re.split(r"^### `(\w+)`$", DICTIONARY, flags=re.MULTILINE)[1:]
    bodies = dict(zip(parts[::2], parts[1::2], strict=True))
    derived = set(re.findall(r"^### `(\w+)`$", section(DICTIONARY, "What is derived"), re.MULTILINE))
    called_empty = {name for name, body in bodies.items() if "*Empty* " in body} | derived
    assert all(database.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,) for name in called_empty)
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    empty = {name for name in bodies if name in tables and not database.execute(f"SELECT 1 FROM {name}").fetchone()}
    in_other_crawls = {"failures", "track_counts", "user_counts", "lease", "search_waiting", "reading_items"}
    assert empty - in_other_crawls == called_empty


def test_the_page_about_sql_names_every_view(database):
    for (view,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'view'"):
        assert f"`{view}`" in section(SQL, "The tables at a glance")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_names_every_command(name):
    assert re.search(rf"`(harvest )?{name}`|^harvest {name}\b|^scripts/{name}\b", GUIDE, re.MULTILINE)


def test_no_page_calls_a_command_that_does_not_exist():
    code = [*blocks(GUIDE, "sh"), *re.findall(r"`([^`\n]+)`", GUIDE)]
    called = [name for text in code for name in re.findall(r"^harvest ([a-z]+)(?![\w:/.])", text, re.MULTILINE)]
    assert called
    assert set(called) - {*COMMANDS, "me", "mood"} == set()  # a seed, and a command of the plug-in of docs/plugins.md


@pytest.mark.parametrize(("command", "option"), options(), ids=lambda value: getattr(value, "name", value))
def test_every_option_has_a_help_text(command, option):
    assert option.help, f"harvest {command} {option.opts[0]}"


def _words_on(option: str) -> dict[str, str]:
    """What is said of an option of the simulator: a paragraph of its page, and the help texts."""
    texts = {f"{name} {o.opts[0]}": o.help or "" for name, o in options() if o.name == option}
    said = [
        part for part in section(PAGES["docs/simulator.md"], "The simulator").split("\n\n") if f"`--{option}` " in part
    ]
    return {"docs/simulator.md": "\n\n".join(said), **texts}


@pytest.mark.parametrize(
    ("option", "place", "read"),
    [
        (option, place, read)
        for option, read in (("faults", parse_faults), ("drift", Drift.parse))
        for place in _words_on(option)
    ],
)
def test_a_fault_or_a_drift_given_as_an_example_exists(option, place, read):
    examples = re.findall(r"\b[\w,]+=[\d.]*\d", _words_on(option)[place])
    assert examples
    for example in examples:
        read(example)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_text(name):
    assert commands()[name].help


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if not target.startswith(("https://", "http://")):
            path, _, anchor = target.partition("#")
            if page == "docs/index.md" and path.startswith(("reference/", "project/")):
                continue  # made by scripts/site/reference.py; scripts/docs follows these links
            assert ((ROOT / page).parent / path).exists(), target
            there = os.path.normpath(Path(page).parent / path) if path else page
            assert not anchor or anchor in _anchors(PAGES[there]), target


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_every_script_that_is_named_exists(page):
    for script in set(re.findall(r"\bscripts/[\w.]+\w", PAGES[page])):
        assert (ROOT / script).is_file(), script
        assert script.endswith(".py") or os.access(ROOT / script, os.X_OK), f"{script} cannot be run"


def test_the_changelog_begins_with_what_is_unreleased():
    assert re.findall(r"^## (.*)$", PAGES["CHANGELOG.md"], re.MULTILINE)[0] == "[Unreleased]"


def test_the_page_about_probes_counts_what_is_asked():
    told = re.search(
        r"It takes (\d+) requests as the app, (\d+) as a person who is signed in, (\d+) as both", PAGES["docs/probe.md"]
    )
    assert told
    assert [int(n) for n in told.groups()] == [
        requests_planned(one) for one in (["application"], ["person"], ["application", "person"])
    ]
