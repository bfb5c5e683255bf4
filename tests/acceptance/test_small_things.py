"""What people see: seeds that are tried again, one of a thing, names with tabs, options that are documented."""

from __future__ import annotations

import pytest

from harvest.cli.output.formatting import counted
from harvest.cli.output.table import table
from harvest.simulator import World, run_in_thread
from harvest.system.logs import printable
from tests.crawling import read


@pytest.mark.parametrize("given", [["--class", "gone"], []])
def test_a_seed_that_failed_is_looked_for_again(run, tmp_path, given):
    """Seen as gone for a while; without a class only what may pass is tried again."""
    world = World(11, users=20, tracks=60, seed_likers=5, seed_reposters=1)
    with run_in_thread(world, faults="missing_json[/resolve]", keep_log=True) as server:
        lost = run(world.seed_url(), "--db", "t.db", "--max-users", "1", "--delay", "0", server=server)
        assert lost.returncode == 2
        assert read(tmp_path / "t.db", "SELECT class FROM failures WHERE resolved_at IS NULL") == [("gone",)]
        server.use("")
        done = run("retry", *given, "--db", "t.db", server=server)
    if given:
        assert (done.returncode, done.stderr.splitlines()[0]) == (0, "1 list put back."), done.stderr
        assert read(tmp_path / "t.db", "SELECT state FROM harvests") == [("drained",)]
        assert read(tmp_path / "t.db", "SELECT count(*) FROM tracks") > [(0,)]
    else:
        assert "Nothing to retry." in done.stderr
        assert read(tmp_path / "t.db", "SELECT state FROM harvests") == [("failed",)]


def test_one_of_a_thing_is_singular():
    assert [counted(n, "list") for n in (0, 1, 2, 1200)] == ["0 lists", "1 list", "2 lists", "1,200 lists"]


def test_a_tab_in_a_name_shifts_no_column():
    assert list(table([(printable("a\tb"), "1"), ("abc", "2")])) == [r"  a\x09b  1", r"  abc     2"]


def test_the_page_size_is_in_the_help(run):
    assert "--page-size N" in run("crawl", "--help").stdout
