"""`harvest sql` as somebody at a keyboard meets it."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from rich.cells import cell_len

from harvest.cli.main import main
from harvest.explore.named import named_queries
from tests.acceptance.conftest import environment
from tests.crawling import crawl_world, read
from tests.repetitions import slow_but
from tests.terminals import on_a_terminal
from tests.waiting import PATIENCE, read_until

FULL = Path("/dev/full")
NEVER_ENDS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture(scope="module")
def path(tmp_path_factory, small_world):
    path = tmp_path_factory.mktemp("sql") / "t.db"
    crawl_world(path, small_world)
    return path


@pytest.fixture
def sql(path, capsys, monkeypatch, tmp_path):
    """Run `harvest sql ...` inside this process, which is quick; give its streams."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, code=0):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["sql", *arguments, "--db", str(path)])
        done = capsys.readouterr()
        assert ended.value.code == code, done.err
        return done

    yield call
    structlog.reset_defaults()


def test_without_arguments_the_queries_are_listed(run):
    """No file is needed for that."""
    lines = run("sql").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == list(named_queries())
    assert all(query.question in line for line, query in zip(lines, named_queries().values(), strict=True))


def test_about_tells_what_a_query_takes_and_assumes(run):
    told = run("sql", "negative-samples", "--about").stdout
    query = named_queries()["negative-samples"]
    assert told.startswith(f"{query.question}\n\n  harvest sql negative-samples [per_user=5] [seed=0]\n")
    assert query.notes in told
    assert told.rstrip().endswith(query.body)


def test_formats(sql, path):
    rows = read(path, "SELECT id, title, genre FROM tracks ORDER BY id LIMIT 5")
    ask = "SELECT id, title, genre FROM tracks ORDER BY id"
    lines = sql(ask, "-n", "5", "-f", "ndjson").out.splitlines()
    assert [tuple(json.loads(line).values()) for line in lines] == rows
    assert [tuple(row.values()) for row in json.loads(sql(ask, "--limit=5", "--format=json").out)] == rows
    told = list(csv.reader(io.StringIO(sql(ask, "-n5", "-fcsv").out)))
    assert [row[0] for row in told] == ["id", *(str(row[0]) for row in rows)]
    table = sql(ask, "-n", "5").out.splitlines()
    assert table[0].split() == ["id", "title", "genre"]
    assert [line.split()[0] for line in table[2:]] == [str(row[0]) for row in rows]


def test_a_piped_table_is_whole(sql, path):
    ((n,),) = read(path, "SELECT count(*) FROM user_engagements")
    assert len(sql("SELECT * FROM user_engagements").out.splitlines()) == n + 2


def test_a_limit_is_told_on_stderr_alone(sql):
    done = sql("tracks", "-n", "2")
    assert done.err == "The first 2 rows; --limit 0 gives all.\n"
    assert len(done.out.splitlines()) == 4
    assert sql("SELECT 1 WHERE 0").err == "No rows.\n"


def test_the_name_of_a_table_shows_it(sql, path):
    (row,) = [json.loads(line) for line in sql("Harvests", "-f", "ndjson").out.splitlines()]
    assert row["seed_id"] == read(path, "SELECT seed_id FROM harvests")[0][0]


def test_values_by_name_and_in_order(sql):
    assert sql("SELECT :a + 1, :b, :a", "b=x", "41", "-f", "csv").out.splitlines()[1] == "42,x,41"
    assert (
        sql("SELECT ?, typeof(?), typeof(?)", "007", "1.5", "9", "-f", "csv").out.splitlines()[1] == "007,real,integer"
    )
    largest = "9223372036854775807"
    assert sql("SELECT :a, typeof(:a), typeof(:b)", largest, f"{largest}0", "-f", "csv").out.splitlines()[1] == (
        f"{largest},integer,text"
    )
    assert sql("SELECT :url", "https://x.y/?a=b", "-f", "csv").out.splitlines()[1] == "https://x.y/?a=b"


def test_a_track_by_id_urn_and_address_is_the_same(sql, path):
    number, url = read(path, "SELECT t.id, t.permalink_url FROM tracks AS t JOIN harvests AS h ON h.seed_id = t.id")[0]
    spellings = [str(number), f"soundcloud:tracks:{number}", url, url.removeprefix("https://soundcloud.com/")]
    answers = {sql("co-likes", f"track={name}", "-n", "3", "-f", "csv").out for name in spellings}
    assert answers == {sql("co_likes", "--limit", "3", "-f", "csv").out}
    assert len(answers.pop().splitlines()) == 4


def test_a_limit_goes_beyond_the_usual_one_of_a_query(sql):
    assert len(sql("top-tracks", "-f", "csv").out.splitlines()) == 21
    assert len(sql("top-tracks", "-f", "csv", "--limit", "60").out.splitlines()) == 61
    assert len(sql("top-tracks", "-f", "csv", "--limit", "0").out.splitlines()) > 61


def test_search_takes_any_words(sql, path):
    ((title,),) = read(path, "SELECT title FROM tracks AS t JOIN harvests AS h ON h.seed_id = t.id")
    assert title in sql("search", *title.split()).out
    assert sql("search", title.split()[0][:3] + "*", "limit=1", "-f", "csv").out.count("\n") == 2
    for words in (['"'], ["a AND", "(("], ["x=y"], ["NEAR(a b)"], ["-x"], ["a", "-song", "-n", "3"]):
        sql("search", *words)


def test_sql_may_begin_with_a_comment(sql, path):
    for text in (
        "-- Which one?\nSELECT :a AS a;",
        "--Which --limit=1 one?\nSELECT :a AS a",
        "\n-- one\nSELECT :a AS a",
    ):
        assert sql(text, "-7", "-f", "csv").out == "a\n-7\n"
        assert sql("-f", "csv", text, "a=-7").out == "a\n-7\n"
    copy = named_queries()["top-genres"].sql
    assert sql(copy, "limit=3", "-f", "csv").out == sql("top-genres", "limit=3", "-f", "csv").out


def test_what_is_no_option_is_still_said(sql):
    assert "--limt" in sql("top-genres", "--limt", "3", code=2).err
    assert "-5 is not in the range" in sql("top-genres", "-n", "-5", code=2).err


@pytest.mark.skipif(not FULL.exists(), reason="this system has no file that is always full")
@pytest.mark.parametrize("words", ["sql users -f csv", "sql top-genres", "status", "status --json", "sql"])
def test_a_full_disk_behind_the_output_is_one_line_and_exit_4(path, words):
    command, *rest = words.split()
    arguments = [command, *rest, *([] if words == "sql" else ["--db", str(path)])]
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "harvest", *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False,
        )  # fmt: skip
    told = "harvest: The output cannot be written: No space left on device. Make room, or write it elsewhere.\n"
    assert (done.returncode, done.stderr) == (4, told)


def test_a_query_from_stdin(path):
    done = subprocess.run(
        [sys.executable, "-m", "harvest", "sql", "-", "-f", "csv", "--db", str(path), "n=3"],
        input="-- how many\nSELECT :n AS n;\n-- that is all\n",
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert done.stdout == "n\n3\n"


def test_what_is_wrong_is_one_line_and_exit_2(sql):
    for arguments, said in (
        (["SELECT titel FROM tracks"], "no such column: titel (column 8); did you mean title?"),
        (["co-liks"], "There is no query and no table named co-liks; did you mean co-likes?"),
        (["usrs"], "There is no query and no table named usrs; did you mean users?"),
        (["DELETE FROM tracks"], "This only reads: DELETE is not allowed."),
        (["SELECT :a"], "The query needs a value for :a; put a=VALUE behind it."),
        (["SELECT 1", "2"], "The query has no parameters, and '2' is one too many."),
        (["SELECT :a", "b=2"], "There is no parameter b; there are: a."),
        (["search"], "search needs words: harvest sql search WORDS [limit=20]"),
        (["co-likes", "track=nobody/nothing"], "There is no track nobody/nothing in this file; an id, a URN, the"
         " page's address or a whole name names one."),
        (["nothing", "--about"], "There is no query named nothing; `harvest sql` lists them."),
        (["/* nothing */"], "There is no query in this; `harvest sql` lists those that have a name."),
    ):  # fmt: skip
        done = sql(*arguments, code=2)
        assert (done.err, done.out) == (f"harvest: {said}\n", "")


def test_the_file_stays_as_it_is(sql, path):
    before = path.read_bytes()
    sql("methods")
    sql("UPDATE tracks SET title = ''", code=2)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_missing_file_is_named(run, tmp_path):
    done = run("sql", "methods", "--db", str(tmp_path / "none.db"))
    assert done.returncode == 4
    none = (
        f"harvest: There is no file {tmp_path / 'none.db'}: run `harvest URL` first, or name another with --cache-path"
    )
    assert done.stderr == f"{none}.\n"
    (tmp_path / "some.replies.db").touch()
    (tmp_path / "demo.db").touch()
    beside = run("sql", "methods", "--db", str(tmp_path / "none.db"))
    assert beside.stderr == f"{none}, for example {tmp_path / 'demo.db'}.\n"


def test_time_runs_out_with_exit_7(sql):
    done = sql(NEVER_ENDS, "--timeout", "0.2", code=7)
    assert done.err == "harvest: The query was stopped after 0.2 s; --timeout gives it more, 0 any time it needs.\n"


def test_ctrl_c_ends_a_query_that_works(start, path):
    """It gives ten rows, each of which pushes the one before out of the buffer, and then does nothing but count."""
    some = (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT printf('%20000s', '') AS wide, i FROM n WHERE i <= 10 OR i > 1e15"
    )
    process = start("sql", some, "-f", "ndjson", "--db", str(path))
    read_until(process.stdout, '"i":9}')
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "\nInterrupted.\n")


def test_a_reader_who_goes_away_is_no_error(path):
    command = f'"{sys.executable}" -m harvest sql user_engagements -f csv --db "{path}" | head -1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment(), check=False)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_rows_leave_before_the_query_is_done(start, path):
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    process = start("sql", endless, "-f", "ndjson", "--db", str(path))
    assert json.loads(process.stdout.readline()) == {"i": 1}


def shown_on_a_terminal(folder, *arguments, **options):
    """Run in a terminal of its own; give what it shows, and the exit code."""
    environ = environment(COLUMNS="80", LINES="40", TERM="xterm")
    environ.pop("NO_COLOR")
    shown, code = on_a_terminal(arguments, folder, environ, lines=40, **options)
    return shown.replace("\r\n", "\n"), code


def test_on_a_terminal_a_table_fits_and_its_length_is_bounded(path, tmp_path):
    pairs = "SELECT a.id, a.title, b.title AS other, NULL AS n, b.permalink_url FROM tracks AS a, tracks AS b"
    shown, code = shown_on_a_terminal(tmp_path, "sql", pairs, "--db", path)
    lines = shown.splitlines()
    assert code == 0
    assert max(cell_len(line.replace("\x1b[2m", "").replace("\x1b[0m", "")) for line in lines) == 80
    assert lines[-1] == "The first 1,000 rows; --limit 0 gives all."


@pytest.mark.slow
def test_on_a_terminal_a_long_query_says_that_it_works(path, tmp_path):
    stop = [("Ctrl-C stops", "\x03")]
    shown, code = shown_on_a_terminal(tmp_path, "sql", NEVER_ENDS, "--db", path, steps=stop)
    assert code == 130
    assert shown.endswith("asking; Ctrl-C stops\n\x1b[?25h\r\x1b[1A\x1b[2K\nInterrupted.\n"), shown  # the line is gone


def test_it_works_beside_a_running_crawl(sql, path):
    """A writer in the middle of its transaction is not waited for."""
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE totals SET users = users + 1")
    assert sql("SELECT count(*) FROM tracks", "-f", "csv").out
    writer.execute("ROLLBACK")
    writer.close()


def test_heavy_libraries_are_left_alone(path):
    code = (
        "import sys; sys.argv[1:] = ['sql', 'co-likes', '--db', sys.argv[1]]\n"
        "from harvest.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx', 'sqlite_utils', 'datasette', 'uvicorn', 'scipy', 'numpy', 'pyarrow'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr


GREEDY = {
    "zeroblob": "SELECT zeroblob(1e9)",
    "randomblob": "SELECT hex(randomblob(500000000))",
    "replace": "SELECT replace(hex(zeroblob(8000000)), '0', 'xx')",
    "a long pattern": "SELECT 'a' LIKE '" + "%a" * 5000 + "'",
    "a long glob": "SELECT 'a' GLOB '" + "*a" * 5000 + "'",
    "group_concat": "SELECT group_concat(a.id || hex(zeroblob(9000))) FROM tracks AS a, tracks AS b",
    "json": "SELECT json_group_array(hex(zeroblob(900000))) FROM tracks",
}


@pytest.mark.parametrize("query", GREEDY.values(), ids=GREEDY)
def test_a_query_that_makes_something_huge_is_refused_in_one_line(sql, query):
    done = sql(query, code=2)
    assert done.out == ""
    assert done.err.startswith("harvest: ")
    assert done.err.count("\n") == 1


@pytest.mark.slow
def test_printf_makes_nothing_huge_either(sql):
    """This SQLite gives NULL instead; one that refuses it would fail here, and rightly belong above."""
    query = "SELECT coalesce(length(printf('%.1000000000c', 'x')), 0) > 16000000 AS huge"
    assert sql(query, "-f", "csv").out == "huge\n0\n"


@pytest.mark.slow
def test_a_query_that_sqlite_cannot_be_woken_from_ends_at_its_timeout(run, path):
    """One call of a function, which compares for minutes and looks at no clock."""
    deaf = "SELECT instr(hex(zeroblob(7000000)), hex(zeroblob(3500000)) || 'x')"
    done = run("sql", deaf, "--timeout", "1", "--db", path)
    assert (done.returncode, done.stdout) == (7, "")
    assert done.stderr == "harvest: The query was stopped after 1 s; --timeout gives it more, 0 any time it needs.\n"


def test_a_table_of_large_rows_is_laid_out_by_a_few_of_them(sql):
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 30)"
    done = sql(f"{numbers} SELECT i, hex(zeroblob(1000000)) FROM n")
    assert [line.split()[0] for line in done.out.splitlines()[2:]] == [str(i) for i in range(1, 31)]


HOLDING = {
    "columns": f"SELECT {', '.join(['zeroblob(15000000)'] * 60)}",
    "sorted": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 60)"
    " SELECT i, zeroblob(15000000) AS z FROM n ORDER BY z, i DESC",
}


@pytest.mark.parametrize("query", slow_but([*HOLDING][:1], HOLDING))
def test_a_query_that_holds_too_much_at_once_leaves_the_machine_its_memory(path, query):
    """Each text is small enough, all of them together are 900 MB: it costs one line, and no more than is allowed."""
    with subprocess.Popen(
        [sys.executable, "-m", "harvest", "sql", HOLDING[query], "-f", "csv", "--db", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        told = process.stderr.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert (process.returncode, told.count("\n")) == (2, 1), told
    assert "holds too much at once" in told
    unit = 1 if sys.platform == "darwin" else 1024
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # what a process begins as counts as its own
    assert used.ru_maxrss * unit < max(600_000_000, ours * unit + 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b'SELECT "\xff"', "no text in UTF-8"),
        (None, "no stdin"),
        (b"SELECT 1 --" + b"-" * 16_000_000, "longer than 16 MB"),
        (b"[" * 100_000, "Unrecognized token: "),
        (b"a" * 1_000_000, "Syntax error at aaa"),
    ],
    ids=["bytes", "closed", "endless", "never closed", "one word"],
)
def test_a_query_from_stdin_that_is_none_costs_one_line(path, given, said):
    command = [sys.executable, "-m", "harvest", "sql", "-", "--db", str(path)]
    closing = ["sh", "-c", 'exec "$@" <&-', "sh", *command] if given is None else command
    done = subprocess.run(closing, input=given, capture_output=True, env=environment(), timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert len(done.stderr) < 2100  # of what goes on and on, the beginning
