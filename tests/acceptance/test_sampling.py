"""A random sample says the truth at its nominal rate; the newest people of a list do not."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from harvest.models import Limits
from tests.crawling import read
from tests.estimating import CAP, QUESTIONS, a_world, estimates
from tests.repetitions import slow_but

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sampling.md").read_text("utf-8")
FOLLOWED = 70


SPREADS = (0.6, 1.0)  # of how much people like: tame, and as a power law


def covered(folder, worlds, order, spread=0.6, *, rake=False):
    """In how many worlds the 95 % interval held the truth, per question."""
    hits = dict.fromkeys(QUESTIONS, 0)
    for number in worlds:
        limits = Limits(max_users=FOLLOWED, max_user_likes=CAP, order=order, sample_seed=number)
        found = estimates(folder / f"{order}{number}.db", a_world(number, spread), limits, rake=rake)
        for question, estimate in found.items():
            hits[question] += estimate.covers
    return hits


@pytest.mark.slow
def test_a_sample_covers_the_truth_and_the_newest_do_not(tmp_path):
    assert min(covered(tmp_path, range(1, 6), "random", 1.0).values()) >= 4
    assert max(covered(tmp_path, range(1, 5), "newest").values()) <= 1


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("spread", SPREADS)
def test_over_two_hundred_worlds_a_sample_covers_the_truth_at_its_nominal_rate(tmp_path, spread):
    hits = covered(tmp_path, range(200), "random", spread)
    assert all(183 <= n <= 198 for n in hits.values()), hits  # 95 % of 200, two and a half standard errors around


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("spread", SPREADS)
def test_raked_over_the_same_worlds_it_covers_the_truth_at_least_so_often(tmp_path, spread):
    hits = covered(tmp_path, range(100), "random", spread, rake=True)
    assert min(hits.values()) >= 90, hits  # 95 % of 100, two and a half standard errors below


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_over_fifty_worlds_the_newest_hardly_ever_cover_the_truth(tmp_path):
    hits = covered(tmp_path, range(50), "newest")
    assert max(hits.values()) <= 10, hits


@pytest.mark.parametrize("order", slow_but(["random"], ["newest", "random"]))
def test_whoever_follows_everybody_and_cuts_nobody_estimates_nothing(tmp_path, order):
    limits = Limits(max_users=1000, max_user_likes=100_000, order=order)
    for estimate in estimates(tmp_path / "t.db", a_world(1), limits).values():
        assert estimate.low == estimate.high == pytest.approx(estimate.truth)


def test_the_queries_of_the_page_answer_and_weigh_by_the_chance(tmp_path):
    world = a_world(3)
    estimate = estimates(tmp_path / "t.db", world, Limits(max_users=FOLLOWED, max_user_likes=CAP, order="random"))
    mean, population, _ = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    ((found, people),) = read(tmp_path / "t.db", mean)
    assert read(tmp_path / "t.db", "SELECT count(*) FROM sample WHERE chosen AND once") == [(FOLLOWED,)]
    assert FOLLOWED >= people > 0.8 * FOLLOWED
    assert found == pytest.approx(estimate["likes"].mean)
    rows = read(tmp_path / "t.db", population)
    assert sum(row[3] for row in rows) == read(tmp_path / "t.db", "SELECT count(DISTINCT user_id) FROM sample")[0][0]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_picture_and_the_table_of_the_page_are_what_the_script_makes(tmp_path, capsys):
    script = runpy.run_path(str(ROOT / "scripts" / "sampling_picture.py"))
    script["main"](tmp_path / "sampling.svg")
    assert (tmp_path / "sampling.svg").read_text("utf-8") == (ROOT / "docs" / "sampling.svg").read_text("utf-8")
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert "\n".join(table) in PAGE
    held = {order: int(n) for order, n in re.findall(r"likes per person, (\w+) .* (\d+) of 40 \|", "\n".join(table))}
    assert held["random"] >= 35  # 95 % of 40, two and a half standard errors below
    assert held["newest"] <= 8


@pytest.mark.parametrize("page", ["python.md", "sampling.md"])
def test_every_link_of_the_pages_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s#]+)\)", (ROOT / "docs" / page).read_text("utf-8")):
        assert target.startswith("https://") or (ROOT / "docs" / target).exists(), target
