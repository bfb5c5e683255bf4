"""`harvest explore` as a reader meets it: the command, and the page in a real browser."""

from __future__ import annotations

import csv
import heapq
import re
import time
from itertools import pairwise

import pytest

pytest.importorskip("scipy")
pytest.importorskip("graspologic_native")

from harvest.explorer.asked import Asked
from harvest.explorer.facts import gather
from harvest.explorer.page import page as page_of
from harvest.export.playlists import write
from harvest.models import Limits
from harvest.simulator import World
from harvest.store.database import open_to_read
from tests.chromium import CHROMIUM, chromium
from tests.crawling import crawl_world, read
from tests.waiting import PATIENCE

SIZES = ((390, 844, "light"), (1280, 900, "dark"), (2560, 1300, "light"))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Two seeds, and every oddity that people type."""
    path = tmp_path_factory.mktemp("explore") / "t.db"
    world = World(7, users=150, tracks=260, communities=3, likes_per_user=30, seed_likers=90)
    crawl_world(path, world, world.seed_urls(2), limits=Limits(max_users=150))
    return path


@pytest.fixture(scope="module")
def facts(path):
    with open_to_read(path) as connection:
        return gather(connection, path.name, Asked())


def test_the_command_writes_a_page_beside_the_file_and_says_where(run, path, facts, tmp_path):
    done = run("explore", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path.with_name('t.explore.html')}\n", "")
    assert path.with_name("t.explore.html").read_text("utf-8") == page_of(facts)
    (tmp_path / "mine.html").write_text("my diary")
    refused = run("explore", path, "-o", "mine.html")
    assert (refused.returncode, refused.stderr.count("\n")) == (4, 1)
    assert "mine.html exists and is no page of harvest: name another file" in refused.stderr
    assert run("explore", path, path, "-o", "x.html").returncode == 2
    assert run("explore", path, "--tracks", "6000").returncode == 2
    assert read(path, "SELECT what, path FROM handouts") == [("page", str(path.with_name("t.explore.html")))]


def test_seeds_lead_to_what_their_fans_like(path, facts):
    for seed, (thing_id,) in zip(facts["seeds"], read(path, "SELECT thing_id FROM seeds ORDER BY id"), strict=True):
        beside = read(
            path,
            """
            SELECT other.track_id FROM user_engagements AS fan
            JOIN user_engagements AS other USING (user_id)
            JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = user_id AND l.outcome IN ('complete', 'short')
            WHERE fan.track_id = ? AND fan.user_list_rank IS NOT NULL AND other.user_list_rank IS NOT NULL
                AND fan.engagement_type = 'like' AND other.engagement_type = 'like'
            GROUP BY other.track_id HAVING count(*) >= 3
            """,
            thing_id,
        )
        told = {facts["tracks"]["id"][place] for place in seed["tracks"]}
        assert told == {track for (track,) in beside} & set(facts["tracks"]["id"])
        assert thing_id in told


def cheapest(weight, one, other):
    """The fewest steps from one place to another, and of these the least sum of what is lacking to a score of 1."""
    ways = {}
    for (a, b), score in weight.items():
        ways.setdefault(a, []).append((b, 1000 - score))
        ways.setdefault(b, []).append((a, 1000 - score))
    best, waiting = {}, [(0, 0, one)]
    while waiting:
        steps, lacking, here = heapq.heappop(waiting)
        if here not in best:
            best[here] = steps, lacking
            for there, more in ways[here]:
                heapq.heappush(waiting, (steps + 1, lacking + more, there))
    return best[other]


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_the_page_in_a_browser(path, facts, tmp_path):
    """Search, click, path, lasso, filters, lists, keys; nothing is loaded, nothing goes wrong, nothing sticks out."""
    page = tmp_path / "t.html"
    page.write_text(page_of(facts), encoding="utf-8")
    tracks, shown = facts["tracks"], facts["tracks"]["shown"]
    title = lambda n: shown.get(n, tracks["title"][n])  # noqa: E731
    most = sorted(range(len(tracks["id"])), key=lambda n: (-tracks["fans"][n], n))
    with chromium() as browser:
        browser.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        for width, height, theme in SIZES:
            browser.open(page.as_uri(), width=width, height=height, theme=theme)
            assert browser.value("document.documentElement.scrollWidth") == width
            assert browser.value("map !== null && document.getElementById('no-map').hidden")
            assert colours_drawn(browser, tmp_path) > 20
        browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        # What is typed is found, Enter takes the first; its neighbours are told nearest first, with their sentences.
        one = next(n for n in most if re.fullmatch(r"[A-Z]\w+ [A-Z]\w+", title(n)) and n not in tracks["frames"])
        browser.value("document.getElementById('search').focus()")
        browser.ask("Input.insertText", text=title(one).lower())
        browser.press("Enter")
        chosen = browser.value("state.chosen")
        assert title(chosen) == title(one)
        assert browser.value("document.activeElement.id") == "track"
        near = [
            (title(b if a == chosen else a), facts["pairs"]["sentences"][why])
            for a, b, why in zip(*(facts["pairs"][name] for name in ("one", "other", "why")), strict=True)
            if chosen in (a, b)
        ]
        told = browser.value(
            "[...document.querySelectorAll('.near tr')].map(row => [row.querySelector('bdi').textContent,"
            " row.querySelector('.why').textContent])"
        )
        assert [tuple(row) for row in told] == near
        assert browser.value("location.hash") == f"#track-{tracks['id'][chosen]}"
        # A click on a circle chooses it, one beside them all chooses nothing.
        other = next(n for n in most[5:] if browser_has_room(browser, n))
        click(browser, *at(browser, other))
        assert browser.value("state.chosen") == other
        assert browser.value("document.querySelector('#track-name').textContent") == title(other)
        # The map moves by keys, and so does who goes through what is found.
        before = browser.value("map.sigma.getCamera().getState()")
        browser.value("document.getElementById('stage').focus()")
        for key in ("ArrowRight", "ArrowUp", "+"):
            browser.press(key)
        after = browser.value("map.sigma.getCamera().getState()")
        assert (after["x"] > before["x"], after["y"] > before["y"], after["ratio"] < before["ratio"]) == (True,) * 3
        browser.press("0")
        assert browser.value("map.sigma.getCamera().ratio") == 1
        browser.value("document.getElementById('from').focus()")
        browser.ask("Input.insertText", text=title(most[0])[:3].lower())
        found = browser.value("matching(document.getElementById('from').value, 12)")
        for key in ("ArrowDown", "ArrowDown", "Enter"):
            browser.press(key)
        assert browser.value("ends") == [found[1], None]
        browser.press("Escape")
        browser.value("document.getElementById('from').value = ''")
        browser.value("document.getElementById('from').dispatchEvent(new Event('input'))")
        assert browser.value("ends") == [None, None]
        # A path has the fewest steps, and is told as a list.
        scores = [7919 * n % 1000 for n in range(len(facts["pairs"]["one"]))]  # so that detours would pay
        browser.value("pairs.score = pairs.score.map((_, n) => (7919 * n) % 1000), 0")
        ends = zip(facts["pairs"]["one"], facts["pairs"]["other"], strict=True)
        weight = dict(zip(map(frozenset, ends), scores, strict=True))
        for far in most[40::4]:
            way = browser.value(f"pathBetween({most[3]}, {far})")
            assert (way[0], way[-1]) == (most[3], far)
            lacking = sum(1000 - weight[frozenset(pair)] for pair in pairwise(way))
            assert (len(way) - 1, lacking) == cheapest(weight, most[3], far)
        browser.value(f"setEnd(0, {most[3]}), setEnd(1, {far})")
        steps = browser.value("state.path")
        assert (steps[0], steps[-1]) == (most[3], far)
        assert browser.value("[...document.querySelectorAll('#steps .pick > bdi')].map(e => e.textContent)") == [
            title(n) for n in steps
        ]
        # Near this one, and few know it: the nearest that pass the filter, in their order.
        near = [b if a == chosen else a for a, b in map(tuple, weight) if chosen in (a, b)]
        known = sorted(tracks["likes"][n] or 0 for n in near)[len(near) // 2]
        browser.value(f"choose({chosen}), document.getElementById('likes-to').value = {known}, filter()")
        browser.value(
            "[...document.querySelectorAll('#track-told button')].find(b => /the nearest/.test(b.textContent)).click()"
        )
        few = [n for n in near if tracks["likes"][n] is not None and tracks["likes"][n] <= known]
        assert browser.value("list") == few
        assert 0 < len(few) < len(near)
        browser.value("document.getElementById('clear-list').click()")
        # The lasso takes what passes the filters and lies within.
        browser.value(
            "document.getElementById('clear-path').click(), choose(null),"
            " map.sigma.getCamera().setState({x: 0.5, y: 0.5, ratio: 1}), 0"
        )
        browser.value("document.getElementById('likes-to').value = 60, filter()")
        passing = {n for n in most if tracks["likes"][n] is not None and tracks["likes"][n] <= 60}
        assert browser.value("document.querySelectorAll('#rows tr').length") == min(50, len(passing))
        browser.value("document.getElementById('lasso').click()")
        box = browser.value(
            "(b => [b.left, b.top, b.width, b.height])(document.getElementById('stage').getBoundingClientRect())"
        )
        left, top, wide, high = box
        corners = [
            (left + 2, top + 60),
            (left + wide / 2, top + 60),
            (left + wide / 2, top + high - 2),
            (left + 2, top + high - 2),
        ]
        drag(browser, corners)
        within = {n for n in passing if (p := at(browser, n))[0] < left + wide / 2 and p[1] > top + 60}
        assert set(browser.value("list")) == within
        assert 0 < len(within) < len(passing)
        # What leaves is to the byte what Python writes.
        browser.value("document.getElementById('clear-list').click(), document.getElementById('clear-filters').click()")
        browser.value("put(byFans), document.getElementById('title').value = 'All \"of\" them'")
        ids = [tracks["id"][n] for n in most]
        for format in ("csv", "m3u", "jspf"):
            browser.value(f"document.querySelector('[data-format={format}]').click()")
            saved = waited_for(tmp_path / f"All-of-them.{format}").read_bytes()
            now = re.search(rb'"date": "([^"]*)"', saved)
            with open_to_read(path) as connection:
                write(
                    connection,
                    ids,
                    tmp_path / f"python.{format}",
                    title='All "of" them',
                    now=now[1].decode() if now else "",
                )
            assert saved == (tmp_path / f"python.{format}").read_bytes()
        with (tmp_path / "All-of-them.csv").open(encoding="utf-8", newline="") as file:
            assert [int(row["track_id"]) for row in csv.DictReader(file)] == ids
        # Whatever is chosen stays when the file has no map to draw on, and one sentence says so.
        assert [e["params"] for e in browser.told("Runtime.exceptionThrown", "Log.entryAdded")] == []
        assert {e["params"]["request"]["url"].split(":")[0] for e in browser.told("Network.requestWillBeSent")} <= {
            "file",
            "blob",
            "data",
        }
        browser.ask(
            "Page.addScriptToEvaluateOnNewDocument", source="HTMLCanvasElement.prototype.getContext = () => null"
        )
        browser.open("about:blank", width=1280)
        browser.open(page.as_uri() + f"#track-{tracks['id'][one]}", width=1280)
        assert browser.value("getComputedStyle(document.getElementById('no-map')).display") != "none"
        assert browser.value("[document.querySelectorAll('#rows tr').length, state.chosen]") == [50, one]
        browser.value("put([0, 1]), setEnd(0, 0), setEnd(1, 1)")
        assert browser.value("[list.length, state.path.length > 1]") == [2, True]
        assert [e["params"] for e in browser.told("Runtime.exceptionThrown", "Log.entryAdded")] == []


def colours_drawn(browser, folder):
    """How many different pixels a line through the map has, as it is seen."""
    browser.picture(folder / "seen.png", whole=False)
    return len(set((folder / "seen.png").read_bytes()))


def at(browser, place):
    """Where on the screen a track is drawn."""
    return browser.value(
        "(b => (p => [b.left + p.x, b.top + p.y])(map.sigma.graphToViewport("
        f"map.sigma.getGraph().getNodeAttributes({place}))))(document.getElementById('stage').getBoundingClientRect())"
    )


def browser_has_room(browser, place):
    x, y = at(browser, place)
    return browser.value(f"document.getElementById('stage').contains(document.elementFromPoint({x}, {y}))")


def click(browser, x, y):
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        browser.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def drag(browser, points):
    for kind, (x, y) in zip(
        ("mousePressed", *["mouseMoved"] * len(points), "mouseReleased"), (points[0], *points, points[-1]), strict=True
    ):
        browser.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def waited_for(path):
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} is not saved"
        time.sleep(0.05)
    return path
