"""`harvest analyze`, `related` and `similar` on a crawled world, as somebody at a terminal would use them."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import signal
import subprocess

import pytest

from harvest.analysis.beside import methods_of
from harvest.analysis.methods import METHODS, RELATED, Choices
from harvest.analysis.run import analyse
from harvest.cli.main import main
from harvest.errors import SettingsError, how_to_install
from harvest.models import Limits
from harvest.simulator import World
from harvest.system.clock import SystemClock
from tests.acceptance.conftest import ROOT
from tests.acceptance.test_docs import blocks, options
from tests.analysing import LikesFile
from tests.communities import analysed, by_lot, liked_tracks, popularity, precision_at_10, shared_information
from tests.crawling import crawl_world, read
from tests.repetitions import one_in, slow_but
from tests.waiting import PATIENCE, read_until, until

pytest.importorskip("scipy")
pytest.importorskip("graspologic_native")


@pytest.fixture(scope="module")
def world() -> World:
    """Eight taste groups; 200 of 300 people like the hit."""
    return World(5, users=300, tracks=1000, likes_per_user=60, communities=8, seed_likers=200)


@pytest.fixture(scope="module")
def crawled(world, tmp_path_factory):
    path = tmp_path_factory.mktemp("crawled") / "tracks.db"
    crawl_world(path, world)
    return path


@pytest.fixture(scope="module")
def analysed_file(crawled, tmp_path_factory):
    path = tmp_path_factory.mktemp("analysed") / "tracks.db"
    shutil.copy(crawled, path)
    analyse(path, METHODS, Choices(), clock=SystemClock(), memory_mb=512)
    return path


@pytest.fixture
def ask(capsys, tmp_path, monkeypatch):
    """Run `harvest ...` in this process, which saves the start of another; give what `run` gives."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            main([*arguments])
        told = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), told.out, told.err)

    return call


@pytest.mark.parametrize("method", one_in(2, RELATED))
def test_the_nearest_tracks_are_of_the_same_taste_group(world, analysed_file, method):
    tracks = liked_tracks(analysed_file)
    assert len(tracks) > 500
    chance = precision_at_10(world, tracks, by_lot(analysed_file))
    assert precision_at_10(world, tracks, analysed(analysed_file, method)) > 0.9
    assert precision_at_10(world, tracks, popularity(analysed_file)) < 0.2
    assert chance < 0.2


def test_people_near_one_another_are_of_the_same_taste_group(world, analysed_file):
    pairs = read(analysed_file, "SELECT user_id, other_user_id FROM user_similarity WHERE method = 'taste_cosine'")
    best = read(
        analysed_file,
        "SELECT user_id, other_user_id FROM ("
        " SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY score DESC, other_user_id) AS place"
        " FROM user_similarity WHERE method = 'taste_cosine') WHERE place <= 3",
    )

    def same(found):
        return sum(world.community_of_user(one) == world.community_of_user(other) for one, other in found) / len(found)

    assert len(best) > 500
    assert same(best) > 0.8
    assert same(pairs) > 2 / 8


def test_communities_are_the_taste_groups_that_were_planted(world, analysed_file):
    """Not to the last track: whoever likes one thing of another group draws it over."""
    tracks = read(analysed_file, "SELECT track_id, community FROM track_communities")
    people = read(analysed_file, "SELECT user_id, community FROM user_communities")
    assert (len(tracks) > 500, len(people) > 150) == (True, True)
    for found, group, least in ((tracks, world.community_of_track, 0.85), (people, world.community_of_user, 0.95)):
        assert shared_information([c for _, c in found], [group(thing) for thing, _ in found]) > least
    by_chance = [community for _, community in tracks]
    random.Random(1).shuffle(by_chance)
    assert shared_information(by_chance, [world.community_of_track(track) for track, _ in tracks]) < 0.1


@pytest.mark.slow
def test_the_report_tells_of_them_and_without_an_analysis_has_no_such_section(ask, crawled, analysed_file, tmp_path):
    assert ask("report", str(tmp_path / "r.html"), "--db", str(analysed_file)).returncode == 0
    page = (tmp_path / "r.html").read_text("utf-8")
    part = page.split('<section id="communities"')[1].split("</section>")[0]
    ((things, communities, modularity),) = read(
        analysed_file,
        "SELECT things, communities, modularity FROM partitions JOIN derivations ON id = derivation_id"
        " WHERE method = 'leiden_tracks'",
    )
    assert f"{things:,} tracks of what they like fall into\n{communities} communities" in part
    assert f"Modularity is {modularity:.2f} " in part
    shown = re.findall(r'<th scope="row" class="number">(\d+)</th>\n<td class="number">([\d,]+)</td>', part)
    sizes = read(analysed_file, "SELECT community, count(*) FROM track_communities GROUP BY 1 ORDER BY 1 LIMIT 12")
    assert [(int(number), int(size.replace(",", ""))) for number, size in shown] == sizes
    assert ask("report", str(tmp_path / "plain.html"), "--db", str(crawled)).returncode == 0
    assert 'id="communities"' not in (tmp_path / "plain.html").read_text("utf-8")


def test_the_query_of_communities_counts_what_stands_in_them(ask, analysed_file):
    for of, table, key in (("tracks", "track_communities", "track_id"), ("people", "user_communities", "user_id")):
        found = json.loads(ask("sql", "communities", f"of={of}", "--db", str(analysed_file), "--format", "json").stdout)
        sizes = read(analysed_file, f"SELECT community, count(*) FROM {table} GROUP BY 1 ORDER BY 1")
        assert [(row["community"], row["members"]) for row in found] == sizes
        ends = f"JOIN {table} c ON c.{key} = e.{key}"
        ((first,),) = read(
            analysed_file,
            f"SELECT x.title FROM user_engagements e {ends} JOIN track_texts x ON x.track_id = e.track_id"
            " WHERE c.community = 0 AND e.engagement_type = 'like' AND e.track_id NOT IN (SELECT track_id FROM frames)"
            " GROUP BY e.track_id ORDER BY count(*) DESC, e.track_id LIMIT 1",
        )
        assert found[0]["top"].startswith(f"{first} · ")
        assert found[0]["modularity"] > 0.5


def test_the_seed_is_in_no_community_since_all_like_it(world, analysed_file):
    found = read(analysed_file, "SELECT * FROM track_communities WHERE track_id = ?", world.seed_ids(1)[0])
    assert found == []


def test_the_summary_says_how_good_the_communities_are(ask, analysed_file, tmp_path):
    shutil.copy(analysed_file, tmp_path / "t.db")
    told = ask("analyze", "--db", "t.db").stdout
    ((modularity, rand, communities),) = read(
        analysed_file,
        "SELECT modularity, rand, communities FROM partitions JOIN derivations ON id = derivation_id"
        " WHERE method = 'leiden_tracks'",
    )
    assert f"leiden_tracks: {communities} communities of " in told
    assert f"; modularity {modularity:.3f}, agreement of 10 seeds {rand:.2f} (adjusted Rand, mean).\n" in told


def test_the_seed_is_measured_as_in_the_whole_world(world, analysed_file):
    """The file knows the likes of the seed's likers alone; its cosine is that of everybody's likes in the world."""
    seed = world.seed_ids(1)[0]
    rows = read(
        analysed_file,
        "SELECT related_track_id, score, common, basis FROM related_tracks"
        " WHERE track_id = ? AND method = 'colike_cosine'",
        seed,
    )
    mine = set(world.listing("track_likers", seed))
    assert len(rows) == 50
    for track, score, common, basis in rows:
        assert basis == "service"
        theirs = set(world.listing("track_likers", track))
        true = len(mine & theirs) / math.sqrt(len(mine) * len(theirs))
        assert score == pytest.approx(true, rel=0.05), (track, common)


@pytest.mark.slow
def test_analysing_twice_says_that_nothing_is_new(run, crawled, tmp_path):
    shutil.copy(crawled, tmp_path / "t.db")
    done = run("analyze", "--db", "t.db")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "colike_cosine" in done.stdout
    assert "Left out are lists of likes that are not whole: " in done.stdout
    again = json.loads(run("analyze", "--db", "t.db", "--json").stdout)
    assert {method["computed"] for method in again["methods"]} == {0}
    assert [method["method"] for method in again["methods"]] == [
        "colike_cosine", "taste_cosine", "coliked", "shared_fans", "featuring", "remix", "together", "label",
        "leiden_tracks", "leiden_people",
    ]  # fmt: skip


def test_an_answer_is_the_same_computed_now_and_analysed_before(ask, crawled, analysed_file):
    wanted = [str(track) for track in liked_tracks(crawled)[:40:20]]
    for track in wanted:
        now = json.loads(ask("related", track, "--db", str(crawled), "--json").stdout)
        before = json.loads(ask("related", track, "--db", str(analysed_file), "--json").stdout)
        assert (now.pop("why_now"), before.pop("why_now")) == ("not analysed", None)
        assert now == before
        assert len(now["near"]) == 10


def test_a_track_and_its_neighbours_as_people_read_them(ask, world, analysed_file):
    track = liked_tracks(analysed_file)[0]
    url = world.track_url(track)
    told = ask("related", url, "--db", str(analysed_file), "--limit", "2").stdout
    ((other, common),) = read(
        analysed_file,
        "SELECT related_track_id, common FROM related_tracks"
        " WHERE track_id = ? AND method = 'colike_cosine' AND rank = 0",
        track,
    )
    assert told.startswith("Near “")
    assert url in told.splitlines()[0]
    assert f"     {common} people like both; " in told
    assert " times more than chance\n" in told
    assert world.track_url(other) in told
    assert "is left out: all people read were chosen for liking it." in told
    assert "\n  3. " not in told


def test_the_seed_says_whose_counts_it_rests_on(ask, world, analysed_file):
    told = ask("related", world.seed_url(), "--db", str(analysed_file)).stdout
    assert "They were chosen for it, so nearness rests on SoundCloud's own counts of likes." in told
    assert "chance" not in told
    told = ask("related", world.seed_url(), "--db", str(analysed_file), "--method", "colike_lift").stdout
    assert "nothing can be said against chance" in told


def test_somebody_of_like_taste_and_what_they_share(ask, world, crawled, analysed_file):
    ((user, other, common),) = read(
        analysed_file,
        "SELECT user_id, other_user_id, common FROM user_similarity WHERE method = 'taste_cosine'"
        " ORDER BY score DESC, user_id LIMIT 1",
    )
    told = ask("similar", world.user_url(user), "--db", str(analysed_file), "--limit", "3").stdout
    assert f"{common} tracks in common, of " in told
    assert world.user_url(other) in told
    now = json.loads(ask("similar", str(user), "--db", str(crawled), "--json").stdout)
    before = json.loads(ask("similar", str(user), "--db", str(analysed_file), "--json").stdout)
    assert (now.pop("why_now"), before.pop("why_now")) == ("not analysed", None)
    assert now == before
    assert (now["near"][0]["user_id"], now["near"][0]["common"]) == (other, common)
    assert all(name[0] or name[1] for near in now["near"] for name in near["shared"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("related", "soundcloud:tracks:1"), "There is no track soundcloud:tracks:1 in this file"),
        (("similar", "https://soundcloud.com/nobody-of-this-name"), "There is no user https://"),
        (("similar", "https://["), "There is no user https://[ in this file"),
        (("related", "1", "--db", "no.db"), "There is no file no.db"),
        (("analyze", "--db", "no.db"), "There is no file no.db"),
        (("analyze", "--memory", "50"), "likes need more memory: say --memory "),
    ],
)
def test_what_cannot_be_answered_is_one_line(ask, crawled, tmp_path, arguments, said):
    shutil.copy(crawled, tmp_path / "t.db")
    done = ask(*arguments, *(() if "--db" in arguments else ("--db", "t.db")))
    assert done.returncode == (4 if "no.db" in arguments else 2)
    lines = [line for line in done.stderr.splitlines() if "analysis.at" not in line]
    assert [line.startswith("harvest: ") for line in lines] == [True]
    assert said in lines[0]
    assert done.stdout == ""


def test_communities_keep_to_the_memory_that_there_may_be(crawled, tmp_path, monkeypatch):
    """The graph of what is near each other is in memory as a whole; it is refused before it is made."""
    path = shutil.copy(crawled, tmp_path / "t.db")
    monkeypatch.setattr("harvest.analysis.communities._BYTES_PER_THING", 10_000_000)

    def run(memory):
        return analyse(path, ["leiden_tracks"], Choices(), clock=SystemClock(), memory_mb=memory)

    with pytest.raises(
        SettingsError, match=r"The communities of \d+ tracks need more memory: say --memory \d+ "
    ) as told:
        run(512)
    things, least = map(int, re.findall(r"\d+", str(told.value).replace(",", ""))[:2])
    assert (least, read(path, "SELECT count(*) FROM track_communities")) == (100 + 10 * things, [(0,)])
    ((pairs,),) = read(path, "SELECT count(*) FROM related_tracks WHERE method = 'colike_cosine'")
    assert pairs > 0
    with pytest.raises(SettingsError):
        run(least - 1)
    run(least)
    assert read(path, "SELECT count(*) FROM track_communities") == [(things,)]


def test_likes_that_were_cut_or_never_asked_for_are_not_compared(ask, world, tmp_path):
    crawl_world(tmp_path / "t.db", world, limits=Limits(max_users=20, max_user_likes=30))
    ((cut,),) = read(
        tmp_path / "t.db", "SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND outcome = 'capped' LIMIT 1"
    )
    done = ask("similar", str(cut), "--db", "t.db")
    assert (done.returncode, "were cut by --max-user-likes" in done.stderr) == (2, True)
    ((never,),) = read(
        tmp_path / "t.db",
        "SELECT user_id FROM user_engagements"
        " WHERE user_id NOT IN (SELECT subject_id FROM tasks WHERE kind = 'user_likes') LIMIT 1",
    )
    done = ask("similar", str(never), "--db", "t.db")
    assert (done.returncode, "were not asked for: a higher --max-users" in done.stderr) == (2, True)
    assert ask("analyze", "--db", "t.db", "--include-incomplete").returncode == 0
    found = json.loads(ask("similar", str(cut), "--db", "t.db", "--json").stdout)
    ((lists,),) = read(tmp_path / "t.db", "SELECT count(*) FROM tasks WHERE kind = 'user_likes' AND collected > 0")
    assert (found["people"], found["why_now"]) == (lists, None)


@pytest.mark.parametrize("missing", slow_but(["scipy"], ["numpy", "scipy", "graspologic_native"]))
def test_without_the_extra_one_line_says_what_to_install(run, crawled, tmp_path, missing):
    """And the questions about one track or person are answered all the same."""
    (tmp_path / "lacking" / missing).mkdir(parents=True)
    (tmp_path / "lacking" / missing / "__init__.py").write_text(f"raise ModuleNotFoundError(name={missing!r})")
    lacking = {"PYTHONPATH": f"{tmp_path / 'lacking'}:{ROOT}"}
    done = run("analyze", "--db", str(crawled), **lacking)
    assert done.returncode == 2
    assert done.stderr == f"harvest: harvest analyze needs {missing}: {how_to_install('analysis')}\n"
    assert run("related", str(liked_tracks(crawled)[0]), "--db", str(crawled), **lacking).returncode == 0


def test_a_running_crawl_keeps_the_analysis_out(run, crawled, tmp_path):
    import os
    import socket
    import sqlite3
    from datetime import UTC, datetime

    from harvest.system.processes import born

    shutil.copy(crawled, tmp_path / "t.db")
    connection = sqlite3.connect(tmp_path / "t.db")
    with connection:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = (socket.gethostname(), os.getpid(), born(os.getpid()), now)
        connection.execute("INSERT INTO lease VALUES (1, '', ?, ?, ?, ?)", row)
    connection.close()
    done = run("analyze", "--db", "t.db")
    assert done.returncode == 4
    assert f"is being crawled by process {os.getpid()}" in done.stderr
    assert done.stderr.rstrip().endswith("then analyse again.")


def test_names_cannot_play_with_the_terminal(ask, tmp_path):
    with LikesFile(tmp_path / "t.db") as file:
        for user in (1, 2, 3):
            file.name(user, f"\x1b[2J{user}")
            file.likes(user, [1, 2, 3, 4])
        for track in (1, 2, 3, 4):
            file.title(track, "\x1b[31mred\n\u202eback", artist=1)
        for command in (("related", "1"), ("similar", "1")):
            told = ask(*command, "--db", "t.db").stdout
            assert told.count("\\x1b[31mred\\x0a\\u202eback") >= 3
            assert "\x1b" not in told
            assert "\u202e" not in told


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 1])
def test_ctrl_c_says_how_to_go_on_and_the_next_one_ends_the_same(start, run, tmp_path, kept):
    """A file of 150,000 likes, interrupted in the middle; in the end it equals one that was left alone."""
    from tests.bench.generated import generate

    generate(tmp_path / "t.db", 150_000)
    shutil.copy(tmp_path / "t.db", tmp_path / "alone.db")
    process = start("analyze", "--db", "t.db", "--method", "colike_cosine", "--memory", "180")
    read_until(process.stderr, "colike_cosine")
    rows = "SELECT track_id, related_track_id, score, common, rank, basis FROM related_tracks"
    until(lambda: len(read(tmp_path / "t.db", f"{rows} LIMIT 1")) >= kept or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    if process.returncode != 0:  # it may have been quicker than we
        assert process.returncode == 130
        assert said.splitlines()[-1] == "Stopped. Finished results are kept; run `harvest analyze` to continue."
        assert read(tmp_path / "t.db", "SELECT count(*) FROM lease") == [(0,)]
    assert run("analyze", "--db", "t.db", "--method", "colike_cosine").returncode == 0
    assert run("analyze", "--db", "alone.db", "--method", "colike_cosine").returncode == 0
    assert read(tmp_path / "t.db", rows) == read(tmp_path / "alone.db", rows)


PAGE = (ROOT / "docs" / "analysis.md").read_text("utf-8")


@pytest.mark.parametrize("command", ["analyze", "related", "similar"])
def test_the_page_of_documentation_names_every_option_and_method(command):
    shared = {"--cache-path", "--log-format", "--log-level", "--log-file", "--quiet", "--verbose"}
    flags = {flag for name, option in options() if name == command for flag in option.opts if flag.startswith("--")}
    assert [flag for flag in flags - shared if f"`{flag}" not in PAGE and flag not in ("--json", "--db")] == []
    methods = {*METHODS, *methods_of("track"), *methods_of("user")}
    assert [method for method in methods if f"`{method}`" not in PAGE] == []


@pytest.mark.parametrize("sql", blocks(PAGE, "sql"))
def test_every_query_of_the_page_answers_something(analysed_file, sql):
    assert read(analysed_file, sql)


def test_the_defaults_on_the_page_are_those_of_the_program():
    rows = {cells[1].strip(" `").split(" ")[0]: cells[2].strip() for cells in map(_cells, PAGE.splitlines()) if cells}
    shown = {name: rows[f"--{name.replace('_', '-')}"] for name in ("neighbours", "min_common", "newest", "memory")}
    assert shown == {"neighbours": "50", "min_common": "3", "newest": "1000", "memory": "512"}
    defaults = {o.name: str(o.default) for name, o in options() if name == "analyze" and o.name in shown}
    assert defaults == shown


def _cells(line: str) -> list[str]:
    return line.split("|") if line.startswith("| `--") else []
