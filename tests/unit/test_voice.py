"""The words that docs/style.md asks to avoid are on no page, in no `--help`, in no error and in no docstring."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from harvest import errors
from harvest.cli.main import COMMANDS, GROUPS, cli

ROOT = Path(__file__).parents[2]
STYLE = "docs/style.md"  # quotes them
PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in (ROOT / "README.md", ROOT / "schema" / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
# Not rewritten yet. Take a page off this list once it is clean; none is added.
OLD_PAGES: set[str] = set()

AVOIDED = re.compile(
    r"\b(?:who(?:so)?ever|whom(?:ever)?|(?:some|no|any|every)body|whichever|thereof|anew"
    r"|(?:service|SoundCloud|API|file|page|report|server) (?:tell|know|think|want|say)s|one (?:may|can|would))\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`|\]\([^)]*\)|https?://\S+", re.MULTILINE | re.DOTALL)
# Calls that show their text to people, up to the end of the statement, and the texts in them.
_SHOWING = re.compile(
    r"(?:raise \w+|click\.echo|UsageError|BadParameter|Advice)\(.*?\)(?: from \w+)?$"
    r'|(?:help=|\b(?:yield|return)\b ?)\(?\s*f?"[^\n]*(?:\n +f?"[^\n]*)*',
    re.MULTILINE | re.DOTALL,
)
_TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_INSERTED = re.compile(r"\{[^{}]*\}")


def avoided(text: str) -> list[str]:
    """List the words to avoid in a text, but for code, links and addresses."""
    return AVOIDED.findall(re.sub(r"\s+", " ", _CODE.sub(" ", text)))


@pytest.mark.parametrize("page", sorted(PAGES.keys() - OLD_PAGES - {STYLE}))
def test_a_page_avoids_them(page: str) -> None:
    assert avoided(PAGES[page]) == []


def test_a_page_that_is_clean_is_off_the_list() -> None:
    assert [page for page in sorted(OLD_PAGES) if not avoided(PAGES[page])] == []


def helps(command: click.Command) -> Iterator[str]:
    """Give the words of a command and its options, and of the commands in it."""
    yield command.help or ""
    yield from (option.help or "" for option in command.params if isinstance(option, click.Option))
    if isinstance(command, click.Group) and command is not cli:
        for part in command.commands.values():
            yield from helps(part)


def words_of(name: str) -> list[str]:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return [word for text in helps(command) for word in avoided(text)]


def test_no_help_has_them() -> None:
    assert {name: words for name in COMMANDS if (words := words_of(name))} == {}
    assert avoided(" ".join([cli.help or "", *GROUPS, *(text for _, text in COMMANDS.values())])) == []


def test_no_error_has_them() -> None:
    """Texts given to exceptions, echoed and in help, wherever they stand; and what errors say by themselves."""
    shown = {
        f"{path.relative_to(ROOT)}: {text}"
        for path in sorted((ROOT / "harvest").rglob("*.py"))
        for call in _SHOWING.findall(path.read_text("utf-8"))
        if avoided(text := _INSERTED.sub("", " ".join(_TEXT.findall(call))))
    }
    assert shown == set()
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.HarvestError)]
    assert [c.__name__ for c in classes if avoided((c.__doc__ or "").strip().splitlines()[0])] == []


def test_the_search_finds_them() -> None:
    assert avoided("What *nobody*\nsees, `whom` or ](whom.md), the service\nsays anew.") == [
        "nobody",
        "service says",
        "anew",
    ]


_PRONOUNS = re.compile(r"\b(?:who(?:so)?ever|whom(?:ever)?|(?:some|no|any|every)body|whichever|anew)\b", re.IGNORECASE)


def explained(source: str) -> Iterator[str]:
    """Yield the docstrings and the comments of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def test_no_docstring_and_no_comment_has_these_pronouns() -> None:
    sources = {path: path.read_text("utf-8") for path in (ROOT / "harvest").rglob("*.py")}
    found = {
        str(path.relative_to(ROOT)): words
        for path, source in sources.items()
        if _PRONOUNS.search(source)  # else there is nothing to take apart, which is what takes long
        if (words := [word for text in explained(source) for word in _PRONOUNS.findall(_CODE.sub(" ", text))])
    }
    assert found == {}
