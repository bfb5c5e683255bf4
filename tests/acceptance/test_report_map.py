"""The map of the report: the groups that the simulator has planted are seen on the page, by colour and by place."""

from __future__ import annotations

import contextlib
import math
import random
import re
import sys
from collections import Counter
from itertools import combinations

import pytest

from harvest.analysis.methods import Choices
from harvest.analysis.run import analyse
from harvest.models import Limits
from harvest.report.facts import gather
from harvest.report.page import page as page_of
from harvest.report.texts import width
from harvest.simulator import World
from harvest.store.database import open_to_read
from harvest.system.clock import SystemClock
from tests.crawling import crawl_world, read
from tests.htmlpages import parse, table, words

pytest.importorskip("graspologic_native")
PLANTED = 12


@pytest.fixture(scope="module")
def world():
    return World(5, users=300, tracks=600, likes_per_user=40, communities=PLANTED, seed_likers=200)


@pytest.fixture(scope="module")
def path(world, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.db"
    crawl_world(path, world, None, Limits(max_users=200, max_user_likes=150))
    return path


@pytest.fixture(scope="module")
def page(path):
    return page_at(path)


def page_at(path):
    with contextlib.closing(open_to_read(path)) as connection:
        return parse(page_of(gather(connection, path.name)))


def map_of(page):
    (svg,) = [svg for svg in page.iter("svg") if svg.get("class") == "graph"]
    return svg


def dots(path, page):
    """Give the tracks of the circles, which stand in the order of people who like both, and the circles."""
    liked = read(
        path,
        "SELECT track_id FROM user_engagements WHERE engagement_type = 'like' AND user_list_rank IS NOT NULL"
        " AND track_id NOT IN (SELECT thing_id FROM seeds)"
        " AND user_id IN (SELECT user_id FROM user_engagements WHERE engagement_type = 'like'"
        "  AND track_id = (SELECT thing_id FROM seeds))"
        " GROUP BY track_id ORDER BY count(*) DESC, track_id LIMIT 300",
    )
    circles = list(map_of(page).iter("circle"))
    assert len(circles) == len(liked)  # here each of them is joined to another one
    return [row[0] for row in liked], circles


def colour(circle):
    return circle.get("class").split()[-1]


def test_each_planted_group_has_a_colour_of_its_own_and_stands_together(path, page, world):
    tracks, circles = dots(path, page)
    groups = [world.community_of_track(track) for track in tracks]
    assert len(set(groups)) == PLANTED
    shown = Counter((colour(circle), group) for circle, group in zip(circles, groups, strict=True))
    main = {one: max((n, group) for (of, group), n in shown.items() if of == one) for one, _ in shown}
    assert len({group for _, group in main.values()}) == len(main) == PLANTED
    assert sum(n for n, _ in main.values()) > 0.95 * len(tracks)

    def same_nearest(labels):
        at = [(float(circle.get("cx")), float(circle.get("cy"))) for circle in circles]
        near = [
            min((j for j in range(len(at)) if j != i), key=lambda j: math.dist(at[i], at[j])) for i in range(len(at))
        ]
        return sum(labels[i] == labels[j] for i, j in enumerate(near)) / len(at)

    assert same_nearest(groups) > 0.85
    assert same_nearest(random.Random(1).sample(groups, len(groups))) < 0.2


def test_the_larger_circle_is_liked_by_more_and_none_covers_another(page):
    circles = [(float(c.get("cx")), float(c.get("cy")), float(c.get("r"))) for c in map_of(page).iter("circle")]
    radii = [radius for *_, radius in circles]
    assert radii == sorted(radii, reverse=True)
    assert radii[0] > 1.5 * radii[-1]
    for (x, y, r), (u, v, s) in combinations(circles, 2):
        assert math.dist((x, y), (u, v)) > 0.9 * (r + s)


@pytest.mark.parametrize(
    ("kinds", "height", "least"), [(("name", "artist"), None, 2 * PLANTED), (("badge",), 32, PLANTED)]
)
def test_labels_do_not_cover_each_other_and_each_colour_has_one(page, kinds, height, least):
    texts = [text for text in map_of(page).iter("text") if text.get("class") in kinds]
    assert len(texts) >= least
    boxes = []
    for text in texts:
        size = height or (13 if text.get("class") == "name" else 11.5)
        x, y, wide = float(text.get("x")), float(text.get("y")), width(text.text, size)
        boxes.append((x - wide / 2, y - size * 0.8, x + wide / 2, y + size * 0.2))
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert {text.text.split(" ")[0] for text in texts if text.get("class") != "artist"} == set(map(str, range(PLANTED)))


def test_the_table_names_the_most_typical_tracks_of_each_colour(page):
    rows = table(page, "near-1")
    assert [int(row[0].split()[0]) for row in rows] == [one for one in range(PLANTED) for _ in range(3)]
    drawn = Counter(map(colour, map_of(page).iter("circle")))
    told = {f"fill-group{int(row[0].split()[0]) + 1}": int(row[0].split()[1]) for row in rows}
    assert told == dict(drawn)


def test_communities_of_an_analysed_file_are_those_of_the_file(path, tmp_path):
    copy = tmp_path / "analysed.db"
    copy.write_bytes(path.read_bytes())
    analyse(copy, ["leiden_tracks"], Choices(), clock=SystemClock(), memory_mb=512)
    analysed = page_at(copy)
    tracks, circles = dots(copy, analysed)
    of = dict(read(copy, "SELECT track_id, community FROM track_communities"))
    pairs = {(of[track], colour(circle)) for track, circle in zip(tracks, circles, strict=True) if track in of}
    assert len(pairs) == len({community for community, _ in pairs}) == len({one for _, one in pairs}) >= PLANTED
    assert "found in the whole file" in words(analysed)


def test_without_the_extra_the_section_says_so_in_a_sentence(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "graspologic_native", None)
    page = page_at(path)
    assert not [svg for svg in page.iter("svg") if svg.get("class") == "graph"]
    assert len(re.findall(r"No communities are drawn: that takes libraries [^.]*\.\[analysis\]", words(page))) == 1
    assert len(table(page, "near-1")) == 20
