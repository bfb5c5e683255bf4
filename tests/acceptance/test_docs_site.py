"""The documentation as a site: it builds strictly, tells what the program tells, and is searched without a network."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import harvest
from harvest.cli.main import COMMANDS
from harvest.explore.named import named_queries
from harvest.models import Outcome
from harvest.simulator import describe_faults
from tests.chromium import CHROMIUM, chromium
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-docs" / "bin" / "python"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PYTHON.exists(), reason="scripts/environment docs makes it")]


FOUND = "[...document.querySelectorAll('.md-search-result__item a')].map(a => a.href.split('/').pop())"


def build(clone: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, "-m", "mkdocs", "build", "--site-dir", target]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = build(ROOT, target)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def titles(page: Path) -> list[str]:
    found = re.findall(r'<h[23] id="[^"]*"[^>]*>(.*?)<a [^>]*class="headerlink"', page.read_text("utf-8"), re.DOTALL)
    return [re.sub(r"<[^>]+>", "", title).strip() for title in found]


def test_pages_of_reference_have_all_that_is_declared(site):
    told = titles(site / "reference" / "commands.html")
    assert [f"harvest {name}" for name in COMMANDS] == [title for title in told if title.count(" ") == 1]
    assert titles(site / "reference" / "queries.html") == [*named_queries()]
    outcomes = (site / "reference" / "outcomes.html").read_text("utf-8")
    assert re.findall(r"<td><code>(\w+)</code></td>", outcomes) == [one.value for one in Outcome]
    faults = (site / "reference" / "faults.html").read_text("utf-8")
    assert [line for line in describe_faults().split() if line.isidentifier() and line not in faults] == []
    names = {name for name in harvest.__all__ if not name.startswith("_")}
    assert names - {title.split()[0] for title in titles(site / "reference" / "python.html")} == set()


def test_notebooks_are_pages_with_what_they_showed(site):
    assert [*site.rglob("*.ipynb")] == []
    for notebook in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        shown = (site / "notebooks" / f"{notebook.stem}.html").read_text("utf-8")
        pictures = re.findall(r'<img [^>]*src="([^"]+\.svg)"', shown)
        assert pictures
        assert [one for one in pictures if not (site / "notebooks" / one).is_file()] == []
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        first = next(line for cell in cells if cell["cell_type"] == "code" for line in cell["source"])
        plain = html.unescape(re.sub(r"<[^>]+>", "", shown))
        assert first.strip() in plain
        assert 'href="notebooks/' + notebook.stem in (site / "tour.html").read_text("utf-8")


def test_llms_txt_has_every_page_once(site):
    listed = re.findall(r"^- \[[^\]]+\]\(([^)]+)\): \S", (site / "llms.txt").read_text("utf-8"), re.MULTILINE)
    there = {str(page.relative_to(site)) for page in site.rglob("*.html") if page.name != "404.html"}
    assert len(listed) == len(set(listed))
    assert set(listed) == there


def test_nothing_is_asked_of_another_host_and_the_search_finds(site):
    loads = r'<(?:script|img|iframe)[^>]+src="(https?:[^"]+)|<link[^>]+rel="stylesheet"[^>]+href="(https?:[^"]+)'
    assert {found for page in site.rglob("*.html") for found in re.findall(loads, page.read_text("utf-8"))} == set()
    if not CHROMIUM:
        pytest.skip("no Chromium here")
    with chromium() as page:
        page.open((site / "index.html").as_uri(), width=1280)
        page.value("document.querySelector('#__search').click()")
        for words, wanted in (("follows besides control", "sampling.html"), ("playlist that few know", "sql.html")):
            page.value(
                f"(i => {{ i.focus(); i.value = '{words}'; i.dispatchEvent(new Event('keyup', {{bubbles: true}})); }})"
                "(document.querySelector('.md-search__input'))"
            )
            deadline = time.monotonic() + PATIENCE
            while wanted not in (found := page.value(f"{FOUND}.slice(0, 1).join()")):
                assert time.monotonic() < deadline, found
                time.sleep(0.1)
        assert page.told("Log.entryAdded") == []


def test_a_dead_link_fails_the_build(tmp_path):
    for name in ("docs", "schema", "harvest", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for page in (*ROOT.glob("*.md"), ROOT / "mkdocs.yml"):
        shutil.copy(page, tmp_path / page.name)
    with (tmp_path / "docs" / "tour.md").open("a") as page:
        page.write("\n[nowhere](nowhere.md)\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode == 1
    assert "nowhere.md" in done.stdout + done.stderr
