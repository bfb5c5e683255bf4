"""Make the pages of the documentation that the program itself tells: a hook of MkDocs, run by scripts/docs.

Commands come from click, questions from schema/queries, outcomes and faults from their declarations, names of the
Python interface from `harvest.__all__`; none of these pages stands in the repository, so none can be stale. What stands
outside of docs/ is shown as a page too, and links to it lead there; so is a notebook.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

import harvest
from harvest.cli.main import COMMANDS, cli
from harvest.explore.named import Named, named_queries
from harvest.models import Outcome
from harvest.simulator import describe_faults

ROOT = Path(__file__).parents[2]
SHOWN = {  # of the repository, as which page
    "schema/README.md": "reference/schema.md",
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "SECURITY.md": "project/security.md",
    "CODE_OF_CONDUCT.md": "project/conduct.md",
}
_LINK = re.compile(r"(?<!!)\[(?P<words>[^\]]*)\]\((?P<target>(?!https?:|mailto:|#)[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    pages: dict[str, str | bytes] = {
        "reference/commands.md": commands(),
        "reference/outcomes.md": outcomes(),
        "reference/queries.md": queries(),
        "reference/faults.md": faults(),
        "reference/python.md": python(),
    }
    pages |= {page: (ROOT / path).read_text("utf-8") for path, page in SHOWN.items() if page != "index.md"}
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        files.remove(notebook)
        pages |= rendered(Path(str(notebook.abs_src_path)))
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    named = {file.src_uri: file for file in files.documentation_pages()}
    files.append(File.generated(config, "llms.txt", content=for_machines(config, named)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links out of docs/ lead to the page that shows the same; what no page shows is named, not linked."""
    of_page = {page: path for path, page in SHOWN.items() if page != "index.md"}
    here = of_page.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def led(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), match["target"]))
        shown = SHOWN.get(target, target.removeprefix("docs/") if target.startswith("docs/") else None)
        if shown is not None and shown.endswith(".ipynb"):
            shown = f"{shown.removesuffix('.ipynb')}.md"
        if shown is None:
            return match["words"] if match["words"].startswith("`") else f"{match['words']} (`{target}`)"
        way = posixpath.relpath(shown, posixpath.dirname(page.file.src_uri) or ".")
        return f"[{match['words']}]({way}{match['anchor'] or ''})"

    return _LINK.sub(led, markdown)


def rendered(notebook: Path) -> dict[str, str | bytes]:
    """Give a notebook as a page, and its pictures, by their paths."""
    text, made = MarkdownExporter().from_filename(str(notebook), resources={"unique_key": notebook.stem})
    return {f"notebooks/{notebook.stem}.md": text} | {f"notebooks/{name}": one for name, one in made["outputs"].items()}


def commands() -> str:
    """Give a page of all commands, with the words of their --help."""
    context = click.Context(cli, info_name="harvest")
    parts = ["# Commands\n", "What `harvest COMMAND --help` says, all on one page.\n"]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is not None:
            parts += _command(command, click.Context(command, info_name=name, parent=context), 2)
    return "\n".join(parts)


def _command(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    with context:
        yield f"{'#' * level} harvest {context.command_path.removeprefix('harvest ')}\n"
        yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
        yield _paragraphs(command.help or "")
        rows = [
            record
            for option in command.get_params(context)
            if (record := option.get_help_record(context)) and record[1]
        ]
        if rows:
            yield "| option | what it does |\n|---|---|"
            yield from (f"| `{flag.replace('|', '&#124;')}` | {_cell(words)} |" for flag, words in rows)
            yield ""
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                part = command.get_command(context, name)
                if part is not None:
                    yield from _command(part, click.Context(part, info_name=name, parent=context), level + 1)


def _paragraphs(text: str) -> str:
    """Give a help text as Markdown: what click shows line by line stays so."""
    found = []
    for part in re.split(r"\n\s*\n", text.strip()):
        if part.lstrip().startswith("\b"):
            lines = [line.strip() for line in part.replace("\b", "").strip().splitlines()]
            found.append("\n".join(["```text", *lines, "```"]))
        else:
            found.append(_plain(" ".join(part.split())))
    return "\n\n".join(found) + "\n"


def _cell(words: str) -> str:
    return _plain(" ".join(words.split())).replace("|", "\\|")


def _plain(words: str) -> str:
    """Keep Markdown and HTML from reading words that mean themselves."""
    return re.sub(r"([<>*_\[\]])", r"\\\1", words)


def outcomes() -> str:
    """Give a page of how a list can end, as the program declares it."""
    head = "| outcome | in words | the service answered | whole | asking again may help |\n|---|---|---|---|---|"
    rows = [
        f"| `{one.value}` | {one.words} | {_yes(one.answered)} | {_yes(one.whole)} | {_yes(one.retryable)} |"
        for one in Outcome
    ]
    told = "Each list ends in exactly one. What that means: [how a list can end](../resuming.md#how-a-list-can-end)."
    return "\n".join(["# Outcomes\n", told, "", head, *rows, ""])


def _yes(fact: bool) -> str:
    return "yes" if fact else ""


def queries() -> str:
    """Give a page of the questions with a name."""
    told = "Ask one with `harvest sql NAME`; how: [SQL](../sql.md#questions-with-a-name)."
    return "\n".join(["# Questions with a name\n", told, "", *map(_query, named_queries().values())])


def _query(one: Named) -> str:
    parts = [f"## {one.name}\n", f"{_plain(one.question)}\n"]
    if one.parameters:
        parts.append("| parameter | type | usually | what it is |\n|---|---|---|---|")
        parts += [
            f"| `{p.name}` | {_cell(p.type)} | {_cell(p.default or '')} | {_cell(p.meaning)} |" for p in one.parameters
        ]
        parts.append("")
    if one.notes:
        parts.append(f"{_plain(one.notes)}\n")
    return "\n".join([*parts, f"```sql\n{one.body}\n```\n"])


def faults() -> str:
    """Give a page of what can go wrong in the simulator on purpose."""
    told = "What `harvest simulate --faults list` says. How to use them: [The simulator](../simulator.md)."
    return f"# Faults of the simulator\n\n{told}\n\n```text\n{describe_faults()}\n```\n"


def python() -> str:
    """Give a page of the names of the Python interface; mkdocstrings fills it from their docstrings."""
    homes = {name: getattr(harvest, name) for name in harvest.__all__ if not name.startswith("_")}
    parts = [f"::: {thing.__module__}.{thing.__qualname__}\n" for thing in homes.values()]
    return "\n".join(["# Python, name by name\n", "With examples: [Python](../python.md).\n", *parts])


def for_machines(config: MkDocsConfig, pages: dict[str, File]) -> str:
    """Give llms.txt: what each page is about, a line each (llmstxt.org)."""
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", "", "## Pages", ""]
    for path, file in sorted(pages.items()):
        text = file.content_string
        title = re.search(r"^# (.+)$", text, re.MULTILINE)
        lead = next((part for part in text.split("\n\n")[1:] if part[:1].isalpha()), "")
        lines.append(
            f"- [{title[1] if title else path}]({file.url}): {re.split(r'(?<=[.:]) ', ' '.join(lead.split()))[0]}"
        )
    return "\n".join(lines) + "\n"
