"""The Python interface: what docs/python.md shows runs, also where an event loop is running."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import structlog

import harvest
from harvest.errors import QueryError, SeedError, SettingsError, StoreError
from harvest.models import Limits
from harvest.python.worker import Worker
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, World, run_in_thread
from harvest.store.schema import schema_version
from tests.crawling import assert_exact, read, settings_for
from tests.repetitions import slow_but
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FRAMES = {"pandas": "to_pandas", "polars": "to_polars", "pyarrow": "to_arrow"}
GRAPHS = {"scipy": "to_scipy", "networkx": "to_networkx", "igraph": "to_igraph", "torch": "to_torch"}
WORLD = World(11, users=60, tracks=300, likes_per_user=15, seed_likers=30, seed_reposters=10, null_entries=0.05)


@pytest.fixture
def service():
    with run_in_thread(WORLD, keep_log=True) as running:
        yield running


@pytest.fixture
def here(tmp_path, monkeypatch, service):
    """An empty folder, with the simulator's credentials in the environment."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "SOUNDCLOUD_API_URL": service.url,
        "SOUNDCLOUD_AUTH_URL": service.url,
        "SOUNDCLOUD_CLIENT_ID": DEMO_CLIENT_ID,
        "SOUNDCLOUD_CLIENT_SECRET": DEMO_CLIENT_SECRET,
        "HARVEST_RETRY_SECONDS": "0.01",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def crawl(service, path, **options):
    return harvest.crawl(WORLD.seed_url(), path=path, settings=settings_for(service), delay=0, **options)


def test_every_example_runs_in_the_order_of_the_page(here, capsys):
    """The page's track is the simulator's; examples of libraries that are not installed are left out line by line."""
    names = {}
    for block in BLOCKS:
        code = block.replace("https://soundcloud.com/artist/track", WORLD.seed_url())
        code = code.replace('"https://soundcloud.com/artist"', f'"{WORLD.seed_url().rpartition("/")[0]}"')
        for bound in ("max_users=20", "max_users=40", "limit=20", "depth=0", 'older_than="7d"', "max_requests=200"):
            code = code.replace(f"{bound})", f"{bound}, delay=0)")  # two requests a second would take long
        code = code.replace('"10m")', '"10m", delay=0)').replace('{"uploads": 50}', '{"uploads": 50}, delay=0')
        code = code.replace("progress=show", "progress=show, delay=0")
        code = code.replace('credentials="application")', 'credentials="application", delay=0)')
        code = code.replace("=DEMO_CLIENT_SECRET", "=DEMO_CLIENT_SECRET, retry_seconds=0.01")
        for package, method in {**FRAMES, **GRAPHS}.items():
            if importlib.util.find_spec(package) is None:
                code = re.sub(rf"^.*\.{method}\(.*\)\n", "", code, flags=re.MULTILINE)
        exec(compile(code, "docs/python.md", "exec"), names)
    assert len(BLOCKS) == 24
    assert "complete" in capsys.readouterr().out
    assert_exact(here / "data/cache/tracks.db", WORLD, limits=Limits(max_users=40))


@pytest.mark.slow
def test_every_example_is_right_by_its_types(tmp_path):
    """As whoever builds on them has it: mypy --strict finds nothing in them, and does find what is wrong."""
    code = "".join(BLOCKS)
    (tmp_path / "right.py").write_text(code)
    (tmp_path / "wrong.py").write_text("import harvest\nharvest.open().tracks[0].titel\nharvest.crawl(max_user=3)\n")
    strict = [sys.executable, "-m", "mypy", "--strict", "--allow-redefinition", "--cache-dir", str(tmp_path / "cache")]
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\n[mypy-pandas.*,polars.*,pyarrow.*,networkx.*,igraph.*,torch.*,scipy.*]\n"
        "ignore_missing_imports = True\n"
    )
    done = subprocess.run(
        [*strict, "--config-file", "mypy.ini", "right.py", "wrong.py"],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)}, timeout=PATIENCE,
    )  # fmt: skip
    found = re.findall(r"^(\w+)\.py:(\d+): error: .*\[([a-z-]+)\]", done.stdout, re.MULTILINE)
    assert found == [("wrong", "2", "attr-defined"), ("wrong", "3", "call-arg")], done.stdout + done.stderr


@pytest.mark.parametrize("settled", [False, True], ids=["nobody chose", "the program chose"])
def test_a_crawl_says_nothing_on_stdout_and_leaves_a_programs_own_logging_alone(tmp_path, service, capsys, settled):
    before = structlog.get_config() if structlog.is_configured() else None
    heard = []
    structlog.reset_defaults()
    try:
        if settled:
            structlog.configure(processors=[lambda _, __, event: heard.append(event["event"]) or "", _drop])
        crawl(service, tmp_path / "t.db")
    finally:
        structlog.reset_defaults()
        if before is not None:
            structlog.configure(**before)
    assert capsys.readouterr() == ("", "")
    assert ("auth.token_renewed" in heard) is settled


def _drop(*event):
    raise structlog.DropEvent


def test_a_crawl_gives_the_file_and_the_same_again_asks_nothing(tmp_path, service):
    db = crawl(service, tmp_path / "t.db")
    assert_exact(tmp_path / "t.db", WORLD)
    asked = service.total
    assert repr(crawl(service, tmp_path / "t.db")) == repr(db)
    assert service.total == asked


def test_it_works_where_an_event_loop_is_running(tmp_path, service):
    async def cell():
        return crawl(service, tmp_path / "t.db", max_users=5)

    assert len(asyncio.run(cell()).likes) > 0


def test_progress_is_told_in_the_thread_of_the_caller_of_pages_that_are_in_the_file(tmp_path, service):
    path, told = tmp_path / "t.db", []

    def progress(page):
        told.append((page, threading.current_thread(), read(path, "SELECT count(*) FROM pages")[0][0]))

    crawl(service, path, max_users=8, progress=progress)
    assert {thread for _, thread, _ in told} == {threading.current_thread()}
    assert all(stored >= page.pages for page, _, stored in told)
    last = told[-1][0]
    assert (last.pages, last.kept_in_all) == read(path, "SELECT count(*), sum(kept) FROM pages WHERE kept >= 0")[0]


def test_leaving_the_loop_stops_the_crawl_which_can_be_resumed(tmp_path, service):
    path = tmp_path / "t.db"
    for page in harvest.pages(WORLD.seed_url(), path=path, settings=settings_for(service), delay=0.01, page_size=5):
        if page.pages == 6:
            break
    assert read(path, "SELECT state FROM harvests") == [("paused",)]
    assert read(path, "SELECT count(*) FROM lease") == [(0,)]
    assert [t.name for t in threading.enumerate() if t.name == "harvest"] == []
    db = harvest.resume(path, settings=settings_for(service), delay=0)
    assert [seed.state for seed in db.seeds] == ["drained"]
    assert_exact(path, WORLD, page_size=5)


def test_an_interrupted_cell_stops_after_the_pages_in_flight(tmp_path, service):
    path = tmp_path / "t.db"

    def press_the_stop_button(page):
        if page.pages == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crawl(service, path, progress=press_the_stop_button)
    assert read(path, "SELECT stop_reason FROM runs") == [("interrupted",)]
    crawl(service, path)
    assert_exact(path, WORLD)


def test_a_sample_is_an_order_and_a_bound(tmp_path, service):
    db = crawl(service, tmp_path / "t.db", sample=7, sample_seed=3)
    limits = Limits(max_users=7, order="random", sample_seed=3)
    assert_exact(tmp_path / "t.db", WORLD, limits=limits)
    assert sum(row.once and row.chosen for row in db.sample) == 7


def test_a_recipe_and_caps_are_options_and_a_person_is_a_seed(tmp_path, service):
    person = WORLD.seed_url().rpartition("/")[0]
    db = harvest.crawl(
        person, path=tmp_path / "t.db", settings=settings_for(service), delay=0, seed_read=["likes"], cap={"likes": 2}
    )
    assert [(row.kind, row.collected) for row in db.lists] == [("user_likes", 2)]
    again = harvest.crawl(
        person, path=tmp_path / "t.db", settings=settings_for(service), delay=0, seed_read="+followers"
    )
    kinds = {row.kind: row.collected for row in again.lists}
    assert kinds.keys() == {"user_likes", "user_reposts", "user_tracks", "user_playlists", "user_followers"}
    assert kinds["user_likes"] == 2  # what was said of the cap stays


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"max_requests": 5}, "max_requests"),
        pytest.param({"for_": 0.01}, "max_time", marks=pytest.mark.slow),
        pytest.param({"for_": "1s", "delay": 0.4}, "max_time", marks=pytest.mark.slow),
        pytest.param({"max_failures": 1}, "max_failures", marks=pytest.mark.slow),
    ],
)
def test_a_crawl_stops_at_its_bounds_and_the_same_again_goes_on(tmp_path, bounds, reason):
    path = tmp_path / "t.db"
    with run_in_thread(WORLD, faults="error_500_html@12*100000" if reason == "max_failures" else "") as service:
        crawl(service, path, **bounds) if "delay" not in bounds else harvest.crawl(
            WORLD.seed_url(), path=path, settings=settings_for(service), **bounds
        )
        assert read(path, "SELECT stop_reason FROM runs") == [(reason,)]
        service.use("")
        crawl(service, path)
        harvest.resume(path, settings=settings_for(service))
    assert read(path, "SELECT state FROM harvests") == [("drained",)]


def test_until_a_time_of_day_is_a_bound_too(tmp_path, service):
    with pytest.raises(SettingsError, match="06:00"):
        crawl(service, tmp_path / "t.db", until="six")
    crawl(service, tmp_path / "t.db", until="06:00", max_requests=5)
    assert read(tmp_path / "t.db", "SELECT options ->> '$.budget.until' FROM runs") == [("06:00",)]


def test_what_is_wrong_is_said_before_anything_is_asked_or_written(tmp_path, service):
    settings = settings_for(service)
    wrong = ({"max_user": 3}, {"order": "best"}, {"sample": 3, "order": "popular"}, {"max_users": -1}, {"read": "like"})
    for options in (*wrong, {"for_": "soon"}, {"max_requests": 0}):
        with pytest.raises(SettingsError):
            harvest.crawl(WORLD.seed_url(), path=tmp_path / "t.db", settings=settings, **options)
    with pytest.raises(SettingsError):
        harvest.crawl(path=tmp_path / "t.db")
    with pytest.raises(SeedError):
        harvest.crawl("https://example.com/a/b", path=tmp_path / "t.db", settings=settings)
    with pytest.raises(StoreError):
        harvest.open(tmp_path / "t.db")
    assert (service.total, list(tmp_path.iterdir())) == (0, [])


def test_a_seed_that_is_not_there_is_an_error(tmp_path, service):
    with pytest.raises(SeedError, match="could not be found"):
        harvest.crawl("nobody/nothing", path=tmp_path / "t.db", settings=settings_for(service), delay=0)


def test_typed_rows_have_the_columns_of_their_table(tmp_path, service):
    db = crawl(service, tmp_path / "t.db", max_users=5)
    for rows in (db.seeds, db.users, db.tracks, db.likes, db.reposts, db.lists, db.sample, db.interactions):
        assert len(rows) == len(list(rows))
        assert rows.columns == list(rows.first()._fields)
    assert db.query("SELECT 1 AS one WHERE 0").first() is None
    assert db.status().rows["users"] == len(db.users)


def test_a_reader_cannot_write(tmp_path, service):
    db = crawl(service, tmp_path / "t.db", max_users=1)
    with pytest.raises(QueryError, match="This only reads: DELETE is not allowed"):
        db.query("DELETE FROM users RETURNING id")


@pytest.mark.parametrize(("package", "method"), list(FRAMES.items()))
def test_a_library_that_is_missing_is_named_with_the_extra_that_brings_it(
    tmp_path, service, monkeypatch, package, method
):
    db = crawl(service, tmp_path / "t.db", max_users=1)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install -e \S+\[\w+\]"):
        getattr(db.likes, method)()


@pytest.mark.parametrize(("package", "method"), list(FRAMES.items()))
def test_a_data_frame_has_the_rows_and_unknown_stays_unknown(tmp_path, service, package, method):
    pytest.importorskip(package)
    db = crawl(service, tmp_path / "t.db", max_users=5)
    rows = list(db.likes)
    frame = getattr(db.likes, method)()
    assert frame.shape == (len(rows), len(db.likes.columns))
    ranks = [row.track_list_rank for row in rows]
    assert None in ranks
    column = frame["track_list_rank"]
    found = column.to_pylist() if package == "pyarrow" else column.to_list()
    assert [None if not isinstance(value, int) else value for value in found] == ranks
    assert getattr(db.query("SELECT id FROM users WHERE id < 0"), method)().shape == (0, 1)


def imported_by(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, harvest; {code}; print(*sys.modules)"],
        capture_output=True, text=True, cwd=ROOT, check=True, timeout=PATIENCE,
    )  # fmt: skip
    return set(done.stdout.split())


def test_the_import_alone_is_light():
    assert {name for name in imported_by("pass") if name.startswith("harvest")} == {"harvest", "harvest._version"}
    assert not {"httpx", "asyncio", "sqlite3", "click"} & imported_by("pass")


@pytest.mark.parametrize("before", slow_but(["pass"], ["pass", "import harvest.crawler.session", "harvest.open"]))
def test_crawl_can_be_called_whatever_was_imported_before(before):
    """The name is that of a package as well."""
    code = f"{before}\nimport harvest\nassert callable(harvest.crawl)\nharvest.open\nassert callable(harvest.crawl)\n"
    code += "import harvest.crawler.session as s\nassert s.crawl\ntry:\n    harvest.crawl()\n"
    code += "except harvest.python.options.SettingsError as error:\n    print(error)\n"
    done = subprocess.run(
        [sys.executable, "-c", f"import harvest\n{code}"], capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE
    )
    assert done.stdout == "Name at least one track, person or playlist to start from.\n", done.stderr


def test_the_terms_are_told_once_at_the_first_crawl_of_the_real_service(monkeypatch, capsys, tmp_path):
    """Nobody is asked: the thread ends before anything is sent."""
    monkeypatch.setattr(Worker, "_run", lambda self: self._tell_of(None))
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with pytest.raises(StoreError):  # nothing was made
            harvest.crawl("https://soundcloud.com/a/b", path="t.db")
    assert capsys.readouterr().err.count("Note: SoundCloud's API terms") == 1


def test_a_service_that_gives_up_raises_and_the_file_can_be_resumed(tmp_path):
    path = tmp_path / "t.db"
    with run_in_thread(WORLD, faults="waf_challenge@8*100000") as blocked, pytest.raises(harvest.errors.Blocked):
        harvest.crawl(WORLD.seed_url(), path=path, settings=settings_for(blocked, hold_seconds=0.01), delay=0)
    with run_in_thread(WORLD) as well:
        harvest.resume(path, settings=settings_for(well), delay=0)
    assert_exact(path, WORLD)


def test_a_crawl_seen_from_elsewhere_can_be_read_meanwhile(tmp_path, service):
    path = tmp_path / "t.db"
    seen = []
    for page in harvest.pages(WORLD.seed_url(), path=path, settings=settings_for(service), delay=0):
        if page.pages in (3, 10):
            seen.append(len(harvest.open(path).likes))
    assert seen[0] < seen[1] <= len(harvest.open(path).likes)


BIG = 2**53 + 1


@pytest.mark.parametrize(
    ("sql", "names", "rows"),
    [
        ("SELECT 1 AS a -- all of them", ["a"], [(1,)]),
        ("SELECT 1 AS a; -- x", ["a"], [(1,)]),
        ("SELECT 1 AS a /* x */ ;", ["a"], [(1,)]),
        ("-- x\nSELECT 1 AS a, 2 AS a", ["a", "a_2"], [(1, 2)]),
        ("PRAGMA user_version", ["user_version"], [(schema_version(),)]),
        (f"SELECT {BIG} AS id UNION ALL SELECT NULL", ["id"], [(BIG,), (None,)]),
        ("SELECT 1 AS id WHERE 0", ["id"], []),
    ],
)
def test_any_query_can_be_gone_through_counted_and_named(db, db_path, sql, names, rows):
    asked = harvest.open(db_path).query(sql)
    assert (list(asked), len(asked), asked.columns) == (rows, len(rows), names)


@pytest.mark.parametrize(
    ("method", "library", "values"),
    [
        ("to_pandas", "pandas", lambda found: found.dropna().tolist()),
        ("to_arrow", "pyarrow", lambda found: found.drop_null().to_pylist()),
        ("to_polars", "polars", lambda found: found.drop_nulls().to_list()),
    ],
)
def test_large_whole_numbers_stay_what_they_are_beside_what_is_missing(db, db_path, method, library, values):
    pytest.importorskip(library)
    asked = harvest.open(db_path).query(f"SELECT {BIG} AS id UNION ALL SELECT NULL UNION ALL SELECT {2**63 - 1}")
    assert values(getattr(asked, method)()["id"]) == [BIG, 2**63 - 1]
