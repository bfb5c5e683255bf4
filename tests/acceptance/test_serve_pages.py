"""The pages of `harvest serve` lead on: from every id, from what is typed, from what goes wrong. None is a dead end."""

from __future__ import annotations

import json
import re
import sqlite3
from importlib.util import find_spec
from itertools import pairwise
from urllib.parse import quote, urlencode

import pytest

from harvest.explore.named import named_queries
from harvest.explorer.asked import Asked
from harvest.store.database import open_to_read
from tests.acceptance.serving import get, serving
from tests.chromium import CHROMIUM, chromium
from tests.crawling import crawl_world, read
from tests.htmlpages import by_id, parse, words
from tests.waiting import until

pytest.importorskip("datasette")
HOSTILE = "<script>document.title = 'gone'</script>"
PAGES = (
    "",
    "t",
    "t/tracks",
    "t/co-likes",
    "t/taste-overlap",
    "t/growth-by-day",
    "t?sql=select+user_id,+track_id+from+likes+limit+9",
    "-/curves",
    "-/find?q=a",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory, small_world):
    """A small crawl: the seed has the worst of titles, a person the worst of names, another one a number for a name."""
    path = tmp_path_factory.mktemp("pages") / "t.db"
    crawl_world(path, small_world)
    writer = sqlite3.connect(path)
    writer.execute("UPDATE tracks SET title = ? WHERE id = (SELECT thing_id FROM seeds)", (f"The seed {HOSTILE}",))
    writer.execute(
        "UPDATE users SET username = ?, permalink_url = 'javascript:alert(1)' WHERE id = (SELECT min(id) FROM users)",
        (HOSTILE,),
    )
    writer.execute("UPDATE users SET username = CAST(id AS TEXT) WHERE id = (SELECT max(id) FROM users)")
    writer.commit()
    writer.close()
    return path


@pytest.fixture(scope="module")
def address(path):
    with serving(path) as (address, _):
        yield address


@pytest.fixture(scope="module")
def seed(path):
    ((number,),) = read(path, "SELECT thing_id FROM seeds")
    return number


def page_at(address, where, status=200):
    told, text = get(address, where)
    assert told == status
    assert HOSTILE not in text
    return parse(text)


def classed(page, name):
    return [e for e in page.iter() if name in (e.get("class") or "").split()]


def links(element):
    return [(words(a), a.get("href")) for a in element.iter("a")]


def cells(page, column):
    """Give the links in each cell of a column."""
    return [links(cell) for cell in page.iter("td") if f"col-{column}" in cell.get("class").split()]


def of_track(number, url, words_):
    ways = [
        (words_, f"/t/tracks/{number}"),
        ("co-likes", f"/t/co-likes?track={number}"),
        ("fans", f"/t/fans-of?track={number}"),
        *([("map", f"/-/explore#track-{number}")] if find_spec("graspologic_native") else []),
        ("why", f"/-/why/track/{number}"),
    ]
    return [*ways, ("SoundCloud", url)]


def of_user(number, url, words_):
    ways = [
        (words_, f"/t/users/{number}"),
        ("likes", f"/t/likes-of?user={number}"),
        ("near taste", f"/t/similar-taste?user={number}"),
        ("why", f"/-/why/user/{number}"),
    ]
    return ways if url.startswith("javascript:") else [*ways, ("SoundCloud", url)]


def rows_of(address, where):
    return json.loads(get(address, f"{where}&_shape=objects")[1])["rows"]


def test_the_map_of_the_tracks_is_that_of_explore_with_ways_on(address, path):
    pytest.importorskip("graspologic_native")
    from harvest.explorer.facts import gather  # numpy and scipy

    status, text = get(address, "-/explore?tracks=200")
    assert (status, HOSTILE in text) == (200, False)
    told = json.loads(re.search(r'id="facts">(.*?)</script>', text, re.DOTALL)[1])
    with open_to_read(path) as connection:
        facts = gather(connection, path.name, Asked(tracks=200))
    assert told == json.loads(json.dumps({**facts, "live": told["live"]}))
    assert [words for words, _ in told["live"]] == ["co-likes", "fans", "why"]
    assert [get(address, way.replace("{}", str(told["tracks"]["id"][0])))[0] for _, way in told["live"]] == [200] * 3
    assert get(address, "-/explore?tracks=200")[1] == text  # kept
    assert ("Explore", "/-/explore") in links(page_at(address, ""))


def test_every_id_of_an_answer_leads_on_and_to_the_page_of_that_thing(address, path):
    urls = dict(read(path, "SELECT id, permalink_url FROM tracks"))
    expected = [
        of_track(row["track_id"], urls[row["track_id"]], str(row["track_id"]))
        for row in rows_of(address, "t/co-likes.json?limit=9")
    ]
    assert len(expected) == 9
    assert cells(page_at(address, "t/co-likes?limit=9"), "track_id") == expected


def test_ids_of_tables_views_and_of_any_sql_lead_on_with_names(address, path):
    """Names that no page can show as they are, or as a whole, are left out of the comparison."""
    tracks = {row[0]: row[1:] for row in read(path, "SELECT id, title, permalink_url FROM tracks")}
    users = {row[0]: row[1:] for row in read(path, "SELECT id, username, permalink_url FROM users")}

    def plain(found, names):
        return [
            cell for cell, (name, _) in zip(found, names, strict=True) if re.fullmatch(r"\w[\w ]{0,60}\w", name or "")
        ]

    for where in (
        "t/user_engagements?_size=30",
        "t/likes?_size=30",
        "t?sql=select+user_id,+track_id+from+likes+limit+30",
    ):
        page = page_at(address, where)
        found = rows_of(address, where.replace("?", ".json?", 1))
        for column, of, things in (("user_id", of_user, users), ("track_id", of_track, tracks)):
            named = [things[row[column]] for row in found]
            expected = [
                of(row[column], url, f"{name} {row[column]}") for row, (name, url) in zip(found, named, strict=True)
            ]
            assert [cell[1:] for cell in cells(page, column)] == [cell[1:] for cell in expected]
            assert plain(cells(page, column), named) == plain(expected, named)
            assert len(plain(expected, named)) > 15


def test_an_uploader_leads_to_their_own_page_and_not_to_that_of_the_track(address, path):
    page = page_at(address, "t/tracks?_size=10")
    found = rows_of(address, "t/tracks.json?_size=10")
    urls = dict(read(path, "SELECT id, permalink_url FROM users"))
    assert [cell[-1][1] for cell in cells(page, "uploader_id")] == [urls[row["uploader_id"]] for row in found]
    assert [cell[-1][1] for cell in cells(page, "id")] == [row["permalink_url"] for row in found]


def test_the_subject_of_a_list_leads_on_as_what_it_is(address):
    told = rows_of(address, "t/tasks.json?_size=200&kind__in=track_likers,user_likes")
    page = page_at(address, "t/tasks?_size=200&kind__in=track_likers,user_likes")
    expected = [f"/t/{'tracks' if row['kind'] == 'track_likers' else 'users'}/{row['subject_id']}" for row in told]
    assert {row["kind"] for row in told} == {"track_likers", "user_likes"}
    assert [cell[0][1] for cell in cells(page, "subject_id")] == expected


def test_no_way_on_is_a_dead_end(address, seed, path):
    ((user,),) = read(path, "SELECT subject_id FROM tasks WHERE kind = 'user_likes' ORDER BY collected DESC LIMIT 1")
    for where in (f"t/tracks/{seed}", f"t/users/{user}"):
        page = page_at(address, where)
        inside = [link for _, link in links(by_id(page, "main")) if link.startswith(("/t/", "/-/"))]
        assert len(inside) > 5
        assert {link: get(address, link)[0] for link in inside} == dict.fromkeys(inside, 200)


def test_names_addresses_and_urns_are_taken_where_an_id_is(address, path):
    number, url, title = read(
        path,
        """
        SELECT id, permalink_url, title FROM tracks
        WHERE title IN (SELECT title FROM tracks GROUP BY title COLLATE NOCASE HAVING count(*) = 1)
        AND title NOT GLOB '*[^a-zA-Z ]*' AND id IN (SELECT track_id FROM likes) ORDER BY id
        """,
    )[0]
    expected = rows_of(address, f"t/fans-of.json?track={number}")
    assert expected
    for name in (url, f"soundcloud:tracks:{number}", f" {number} ", title, title.upper()):
        assert rows_of(address, f"t/fans-of.json?{urlencode({'track': name})}") == expected


@pytest.mark.parametrize("where", ["nothing", "nothing/here", "t/nothing", "t/tracks/7"])
def test_a_page_that_is_not_there_has_the_ways_on_of_any_other(address, where):
    page = page_at(address, where, status=404)
    assert words(page.find("body/main/h1")) == "There is no such page"
    assert len(words(classed(page, "error")[0])) > 10
    ways = [link for _, link in links(page.find("body/header"))]
    home = page_at(address, "")
    assert ways == [link for _, link in links(home.find("body/header"))]
    assert words(by_id(home, "lists-user-likes-desc"))  # where the way on leads: how each kind of list ended
    assert by_id(page, "find").get("name") == "q"


def test_what_is_not_in_the_file_is_said_beside_the_form_with_a_way_on(address):
    page = page_at(address, f"t/co-likes?track={quote(HOSTILE)}", status=400)
    (error,) = classed(page, "error")
    assert words(error).startswith(f"There is no track {HOSTILE} in this file")
    ways = [link for _, link in links(by_id(page, "main")) if link.startswith("/-/find?q=")]
    assert len(ways) == 1
    assert HOSTILE in words(page_at(address, ways[0]).find("body/main/h1"))
    (wrong,) = classed(page_at(address, "t/co-likes?limit=many", status=400), "error")
    assert words(wrong) == "limit of co-likes is a whole number, not 'many'."


def test_a_question_is_called_what_it_asks_and_says_how_it_is_asked_elsewhere(address, path, seed):
    page = page_at(address, f"t/co-likes?track={seed}&order=lift")
    question = named_queries()["co-likes"].question
    assert (words(page.find("head/title")), words(page.find("body/main/h1"))) == (f"{question} t", question)
    (command,) = classed(page, "command")
    assert words(command.find("code")) == f"harvest sql co-likes track={seed} order=lift --cache-path {path.resolve()}"
    assert [words(line) for line in classed(page, "export")][1:] == [
        "With --to near.m3u behind it, it saves these tracks as a playlist."
    ]
    assert len(classed(page_at(address, "t/top-genres"), "export")) == 1
    assert "select" not in words(page_at(address, "t?sql=select+1").find("head/title")).lower()


def test_a_question_that_takes_too_long_says_where_it_may(address, path):
    endless = "with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t"
    page = page_at(address, f"t?{urlencode({'sql': endless, '_timelimit': 20})}", status=400)
    (error,) = classed(page, "error")
    assert words(error) == "This takes longer than the 5 s a page may take."
    (command,) = classed(page, "command")
    assert words(command.find("code")) == f"harvest sql '{endless}' --cache-path {path.resolve()} --timeout 0"
    status, text = get(address, f"t.json?{urlencode({'sql': endless, '_timelimit': 20})}")
    assert (status, json.loads(text)["error"]) == (400, words(error))


def test_a_csv_that_takes_too_long_is_a_page_that_says_what_to_do(address, path):
    """Not one that is empty, and not what SQLite says of itself."""
    endless = "with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t"
    page = page_at(address, f"t.csv?{urlencode({'sql': endless, '_timelimit': 20})}", status=400)
    assert words(classed(page, "error")[0]) == "This takes longer than the 5 s a page may take."
    assert words(classed(page, "command")[0].find("code")).endswith(" --timeout 0")
    page = page_at(address, "t/near-several.csv?at_least=1&_timelimit=1", status=400)
    (error,) = classed(page, "error")
    assert words(page.find("body/main/h1")) == "This takes too long for a page"
    assert words(error).startswith(
        "This takes longer than the 5 s a page may take. On the command line it has any time:"
    )
    assert f"harvest sql near-several at_least=1 --cache-path {path.resolve()} --timeout 0" in words(error)


def test_the_first_page_says_how_whole_the_file_is_and_where_it_began(address, path, seed):
    ((title, url),) = read(path, "SELECT title, permalink_url FROM tracks WHERE id = ?", seed)
    ((whole, lists),) = read(
        path,
        """
        SELECT sum(outcome = 'complete'), count(*) FROM tasks JOIN list_kinds USING (kind)
        WHERE subject NOT IN ('seed', 'batch')
        """,
    )
    page = page_at(address, "")
    assert f"{whole} of {lists} lists are whole" in words(page)
    (first,) = classed(page, "seeds")
    assert links(first) == of_track(seed, url, f"{title} {seed}")
    assert {f"/t/{name}" for name in named_queries()} <= {link for _, link in links(page)}


def test_words_addresses_and_ids_find_what_they_name(address, path, seed):
    def found(sought):
        page = page_at(address, f"-/find?{urlencode({'q': sought})}")
        ids = [e.get("id") for e in page.iter() if e.get("id")]
        assert sorted(set(ids)) == sorted(ids)
        return [link for _, link in links(by_id(page, "main")) if link.startswith(("/t/tracks/", "/t/users/"))]

    ((url,),) = read(path, "SELECT permalink_url FROM tracks WHERE id = ?", seed)
    assert found(url) == found(f"soundcloud:tracks:{seed}") == [f"/t/tracks/{seed}"]
    assert f"/t/tracks/{seed}" in found("the seed")
    ((number,),) = read(path, "SELECT max(id) FROM users")
    people = [link for link in found(str(number)) if link.startswith("/t/users/")]
    assert people == [f"/t/users/{number}"] * 2  # by id, and by what they are called
    name, number = read(path, "SELECT username, id FROM users WHERE username NOT LIKE '%<%' ORDER BY id DESC")[0]
    assert f"/t/users/{number}" in found(name[:-1].upper() if name.isascii() else name)
    assert found("%") == [
        f"/t/users/{n}" for (n,) in read(path, "SELECT id FROM users WHERE username LIKE '%!%%' ESCAPE '!'")
    ]
    assert "Nothing in this file" in words(page_at(address, "-/find?q=zzzzqqqq"))


def test_why_something_is_here_is_told_up_to_the_seed(address, path, run):
    ((number,),) = read(path, "SELECT track_id FROM user_engagements WHERE track_list_rank IS NULL LIMIT 1")
    told = json.loads(run("why", "track", str(number), "--json", "--limit", "20", "--db", str(path)).stdout)
    page = page_at(address, f"-/why/track/{number}")
    (because,) = classed(page, "because")
    requests = [words(code) for code in because.iter("code")]
    assert requests == [b["request"] for b in told["because"]]
    chains = [[words(step).split(":")[0] for step in chain] for chain in classed(because, "chain")]
    assert chains == [[f"from {step['what']}" for step in b["chain"]] for b in told["because"]]
    assert get(address, "-/why/track/5")[0] == get(address, "-/why/nothing/5")[0] == 404


def test_what_two_people_share_and_what_days_brought_is_drawn(address):
    ((row),) = rows_of(address, "t/taste-overlap.json?")
    both = row["in_common"]
    page = page_at(address, "t/taste-overlap")
    only = [f"only {row['username']}: {row['likes'] - both:,}", f"only {row['other']}: {row['other_likes'] - both:,}"]
    expected = [only[0], f"both: {both:,}", only[1]]
    assert [words(entry) for entry in classed(page, "key")[0]] == expected
    wide = [float(bar.get("width")) for bar in classed(page, "stacked")[0].iter("rect")]
    assert wide[1] / sum(wide) == pytest.approx(both / (row["likes"] + row["other_likes"] - both), abs=0.01)
    days = rows_of(address, "t/growth-by-day.json?")
    growth = page_at(address, "t/growth-by-day")
    assert len(list(classed(growth, "growth")[0].iter("rect"))) == len(days)


def test_how_likes_are_spread_is_drawn(address, path):
    page = page_at(address, "-/curves")
    ((people,),) = read(
        path, "SELECT count(*) FROM tasks JOIN outcomes USING (outcome) WHERE kind = 'user_likes' AND answered"
    )
    assert f"Of {people} people whose lists have ended" in words(page)
    assert len([svg for svg in page.iter("svg") if svg.get("class") == "curves"]) == 2


def test_what_columns_mean_is_shown_and_not_how_it_is_written(address):
    page = page_at(address, "t/lists")
    (meanings,) = classed(page, "column-descriptions")
    assert list(meanings.iter("code"))
    for where in ("t/lists", "t/tracks", "t/co-likes", "t"):
        assert "`" not in words(page_at(address, where))


def test_what_matters_of_a_track_comes_first_and_the_rest_is_a_click_away(address):
    def heads(page):
        return [head.get("data-column") for head in page.iter("th")]

    page = page_at(address, "t/tracks")
    first = ["id", "title", "uploader_id", "genre", "likes_count", "playback_count", "created_at"]
    assert heads(page) == first
    (rest,) = [link for text, link in links(page) if text.startswith("Show all")]
    whole = heads(page_at(address, rest))
    assert whole[:7] == first
    assert len(whole) == len(json.loads(get(address, "t/tracks.json?_size=0")[1])["columns"])


@pytest.mark.parametrize("where", PAGES)
def test_every_page_can_be_read_without_eyes(address, where):
    page = page_at(address, where)
    assert page.get("lang") == "en"
    assert len(list(page.iter("h1"))) == 1
    labelled = {label.get("for") for label in page.iter("label")}
    fields = [e for e in page.iter() if e.tag in ("input", "select", "textarea") and e.get("type") != "hidden"]
    assert [e.get("name") for e in fields if e.get("id") not in labelled and not e.get("aria-label")] == []
    levels = [int(e.tag[1]) for e in page.iter() if e.tag in ("h1", "h2", "h3", "h4")]
    assert [b for a, b in pairwise(levels) if b > a + 1] == []


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_a_browser_goes_from_the_first_page_to_a_track_nearby_and_why_it_is_here(address, seed):
    """Search, co-likes, a row, why: by clicks, on a phone and on a desk, without an error in the console."""
    with chromium() as page:

        def look(*, wide=False):
            assert page.told("Runtime.exceptionThrown", "Log.entryAdded") == []
            assert page.value("document.title !== 'gone'")
            if not wide:
                assert (
                    page.value("document.documentElement.scrollWidth") <= width
                )  # a phone's window grows with the page

        for width, theme in ((390, "dark"), (1280, "light")):
            page.open(address, width=width, theme=theme)
            assert page.value("document.querySelector('h1').innerText") == "harvest: t"
            look()
            page.value("document.querySelector('#find').value = 'the seed'")
            page.follow(".find button")
            look()
            assert page.value("document.querySelector('#main .id a').pathname") == f"/t/tracks/{seed}"
            page.follow("#main .ways a")
            look()
            assert page.value("location.pathname + location.search") == f"/t/co-likes?track={seed}"
            near = page.value("document.querySelector('td.col-track_id a').pathname")
            page.follow("td.col-track_id a")
            look()
            assert page.value("location.pathname") == near
            if find_spec("graspologic_native"):
                page.follow("#main .ways a[href^='/-/explore']")
                told = page.value("document.querySelector('#track-name').innerText")
                assert told == page.value("document.querySelector('#track-name bdi').innerText")
                page.open(f"{address}-/curves", width=width, theme=theme)
                page.open(f"{address}-/explore#track-1", width=width, theme=theme)
                assert "not on this map" in page.value("document.querySelector('#track-told').innerText")
                page.open(f"{address.rstrip('/')}{near}", width=width, theme=theme)
                page.follow("#main .ways a[href^='/-/why']")
            else:
                page.follow("#main .ways a[href^='/-/why']")
            look()
            assert page.value("document.querySelectorAll('.chain li').length") > 1
            page.open(f"{address}t/tracks", width=width, theme=theme)
            look()
            assert page.value("document.querySelector('table.rows-and-columns').getBoundingClientRect().top") < 700
            assert page.value("document.querySelectorAll('.facet-info').length") == 2
            page.value(
                "document.querySelector('.dropdown-menu-icon').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
            )
            assert page.value("getComputedStyle(document.querySelector('.dropdown-menu')).display") == "block"
            page.open(f"{address}-/curves", width=width, theme=theme)
            look()


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_a_newcomer_leaves_with_a_playlist_of_what_is_near_and_known_to_few(address, path, seed, tmp_path):
    """First page, Explore, the seed by its title, few likes, M3U: typed and clicked, on a phone and on a desk."""
    counts = read(path, "SELECT likes_count FROM tracks WHERE likes_count > 0 ORDER BY 1")
    few = counts[len(counts) // 2][0]
    known = dict(read(path, "SELECT permalink_url, likes_count FROM tracks"))
    near_seed = {
        url
        for (url,) in read(
            path,
            """
            SELECT t.permalink_url FROM likes AS mine
            JOIN likes AS other ON other.user_id = mine.user_id JOIN tracks AS t ON t.id = other.track_id
            WHERE mine.track_id = ? AND other.track_id <> mine.track_id
            """,
            seed,
        )
    }
    rows = "document.querySelectorAll('#track-told .near tr').length"
    for width in (390, 1280):
        folder = tmp_path / str(width)
        with chromium() as page:
            page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
            page.open(address, width=width)
            page.follow("a[href='/-/explore']")
            page.value("document.getElementById('search').focus()")
            page.ask("Input.insertText", text="the seed")
            page.press("Enter")
            all_near = page.value(rows)
            page.value("document.getElementById('filters').open = true, document.getElementById('likes-to').focus()")
            page.ask("Input.insertText", text=str(few))
            page.press("Enter")
            click = "[...document.querySelectorAll('button')].find(b => b.textContent == '{}').click()"
            page.value(click.format("Put the nearest on the list"))
            page.value(click.format("M3U"))
            assert page.told("Runtime.exceptionThrown", "Log.entryAdded") == []
            left = page.value(rows)
            until((folder / "Near-each-other.m3u").exists)
            lines = (folder / "Near-each-other.m3u").read_text("utf-8").splitlines()
            saved = [line for line in lines if not line.startswith("#")]
        assert len(set(saved)) == len(saved) == left
        assert 0 < left < all_near
        assert {url for url in saved if (known[url] or few + 1) > few or url not in near_seed} == set()
