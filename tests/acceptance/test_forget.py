"""`harvest forget` on the command line: what it shows, asks, says, and how it ends."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3

import pytest

from tests.crawling import read
from tests.forgetting import bytes_beside, contradictions, texts_of
from tests.repetitions import slow_but
from tests.replaying import everything


@pytest.fixture
def crawled(run, server, tmp_path):
    """A small crawl, and the person in it who likes most."""
    done = run(server.world.seed_url(), "--cache-path", "t.db", "--max-users", "6", "-q", server=server)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "t.db"
    ((who,),) = read(path, "SELECT user_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    return path, who


def forget(run, *arguments, **more):
    return run("forget", *arguments, "--cache-path", "t.db", **more)


def test_what_would_go_goes_and_is_proven(run, server, crawled):
    path, who = crawled
    texts, before = texts_of(path, "user", who), path.read_bytes()
    shown = forget(run, f"soundcloud:users:{who}", "--dry-run", "--json")
    assert path.read_bytes() == before
    would_go = json.loads(shown.stdout)["rows"]
    told = {table: read(path, f"SELECT count(*) FROM {table}") for table in would_go}
    done = forget(run, texts[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^Forgotten: [\d,]+ things?, [\d,]+ rows\.$", done.stdout, re.MULTILINE)
    assert re.search(
        r"^Searched [\d,.]+ MB in [\d,]+ files for [\d,]+ names, addresses or URNs: none is there\.$",
        done.stdout,
        re.MULTILINE,
    )
    left = {table: read(path, f"SELECT count(*) FROM {table}") for table in would_go}
    assert {table: told[table][0][0] - left[table][0][0] for table in would_go} == would_go
    assert [text for text in texts if text.encode() in bytes_beside(path)] == []
    assert contradictions(path) == {}
    assert forget(run, texts[1]).returncode == 2
    again = run(server.world.seed_url(), "--cache-path", "t.db", "-q", "--max-users", "8", server=server)
    assert again.returncode == 0
    assert [text for text in texts if text.encode() in bytes_beside(path)] == []
    assert contradictions(path) == {}


def test_a_list_of_many_and_of_who_is_not_there_yet(run, crawled, tmp_path):
    path, who = crawled
    (tmp_path / "erase.txt").write_text(f"# asked on Monday\nsoundcloud:users:{who}\n\nsoundcloud:users:77\n")
    done = forget(run, "--from-file", "erase.txt", "--json")
    assert (done.returncode, json.loads(done.stdout)["erased"], json.loads(done.stdout)["found"]) == (0, True, {})
    assert len(read(path, "SELECT hash FROM suppressed")) >= 2
    refused = run("crawl", "soundcloud:users:77", "--cache-path", "t.db")
    assert refused.returncode in (2, 3)


def test_an_address_of_what_was_forgotten_is_no_harvest(run, server, crawled):
    seed, other = server.world.seed_urls(2)
    assert forget(run, seed).returncode == 0
    small = ("--cache-path", "t.db", "--max-users", "2", "-q")
    for seeds, found in (([seed], False), ([other, seed], True)):
        refused = run(*seeds, *small, server=server)
        assert refused.returncode == 2
        assert f"{seed} leads to what was forgotten in this file" in refused.stderr
        assert ("Nothing to go on with" in refused.stdout) is not found
    assert run(other, *small, server=server).returncode == 0


def test_without_the_key_the_file_is_read_and_not_written(run, server, crawled, tmp_path):
    _, who = crawled
    assert forget(run, f"soundcloud:users:{who}").returncode == 0
    assert run("forget", "--export-key", "key").returncode == 0
    elsewhere = {"XDG_STATE_HOME": str(tmp_path / "elsewhere")}
    assert run("status", "--cache-path", "t.db", **elsewhere).returncode == 0
    refused = run("resume", "--cache-path", "t.db", server=server, **elsewhere)
    refused = run(server.world.seed_url(), "--cache-path", "t.db", "--max-users", "9", server=server, **elsewhere)
    assert refused.returncode == 4
    assert "harvest forget --import-key FILE" in refused.stderr
    assert run("forget", "--import-key", "key", **elsewhere).stdout.startswith("1 key added")
    done = run(server.world.seed_url(), "--cache-path", "t.db", "-q", server=server, **elsewhere)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "arguments", [(), ("soundcloud:nonsense:1",), ("https://soundcloud.com/nobody-here",), ("--import-key", "missing")]
)
def test_what_makes_no_sense_changes_nothing(run, crawled, arguments):
    path, _ = crawled
    before = path.read_bytes()
    done = forget(run, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_it_lists_what_has_left_the_file(run, crawled, tmp_path):
    _, who = crawled
    dried = ("dehydrate", "dried", "--ids", "raw")
    for made in (("export", "shared"), ("report", "page.html"), ("snapshot", "copy.db"), dried):
        assert run(*made, "--cache-path", "t.db").returncode == 0
    done = json.loads(forget(run, f"soundcloud:users:{who}", "--json").stdout)
    manifest, of_ids = (
        hashlib.sha256((tmp_path / folder / "manifest.json").read_bytes()).hexdigest() for folder in ("shared", "dried")
    )
    listed = [(one["what"], one["path"], one["hash"]) for one in done["handed_out"]]
    assert listed == [
        ("export", str(tmp_path / "shared"), manifest),
        ("report", str(tmp_path / "page.html"), None),
        ("snapshot", str(tmp_path / "copy.db"), None),
        ("export", str(tmp_path / "dried"), of_ids),
    ]


def test_a_file_that_may_only_be_read_is_exported_all_the_same(run, crawled, tmp_path):
    path, _ = crawled
    path.chmod(0o400)
    tmp_path.chmod(0o700)
    assert run("report", "page.html", "--cache-path", "t.db").returncode == 0


def test_verify_checks_it_once_more(run, crawled, tmp_path):
    _, who = crawled
    assert forget(run, f"soundcloud:users:{who}").returncode == 0
    assert run("verify", "--forgotten", "--cache-path", "t.db").returncode == 0
    elsewhere = run("verify", "--forgotten", "--cache-path", "t.db", XDG_STATE_HOME=str(tmp_path / "elsewhere"))
    assert elsewhere.returncode == 4


def test_comply_asks_for_everybody_and_empties_who_is_gone(run, server, crawled):
    path, _ = crawled
    done = run("comply", "--cache-path", "t.db", "--json", "-q", server=server)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    gone = {table: read(path, f"SELECT count(*) FROM {table} WHERE status = 'gone'")[0][0] for table in told["emptied"]}
    assert told["emptied"] == gone
    assert sum(gone.values()) > 0
    left = read(path, "SELECT username, permalink_url, avatar_url, followers_count FROM users WHERE status = 'gone'")
    assert set(left) <= {(None, None, None, None)}
    assert contradictions(path) == {}


def test_purge_asks_how_old_and_says_what_went(run, server, crawled):
    path, _ = crawled
    assert run("purge", "--cache-path", "t.db").returncode == 2
    assert "as old as that" in run("purge", "--older-than", "30d", "--cache-path", "t.db").stdout
    assert run("tend", "--retain", "1 fortnight", "--cache-path", "t.db", server=server).returncode == 2
    done = run("purge", "--all", "--cache-path", "t.db", "--json")
    assert (done.returncode, json.loads(done.stdout)["erased"]) == (0, True)
    assert read(path, "SELECT count(*) FROM users") == [(0,)]
    assert contradictions(path) == {}


def test_who_asks_gets_every_row_that_forgetting_would_take(run, crawled):
    path, who = crawled
    held = json.loads(run("why", "person", str(who), "--everything", "--json", "--cache-path", "t.db").stdout)["rows"]
    (own,) = held["users"]
    assert own["id"] == who
    likes = read(path, "SELECT count(*) FROM user_engagements WHERE user_id = ?", who)
    assert len(held["user_engagements"]) == likes[0][0]
    assert {row["subject_id"] for row in held["tasks"]} == {who}
    assert len(held["pages"]) == sum(row["pages_read"] for row in held["readings"]) > 0
    assert forget(run, f"soundcloud:users:{who}").returncode == 0
    assert run("why", "person", str(who), "--everything", "--json", "--cache-path", "t.db").returncode == 2


@pytest.mark.parametrize("command", slow_but([["comply", "-q"]], [["purge", "--all"], ["comply", "-q"]]))
def test_purge_and_comply_reach_kept_replies_too(run, server, tmp_path, command):
    path, replies = tmp_path / "t.db", tmp_path / "t.replies.db"
    kept = ("--cache-path", "t.db", "--max-users", "6", "--keep-replies", "-q")
    assert run(server.world.seed_url(), *kept, server=server).returncode == 0
    done = run(*command, "--cache-path", "t.db", server=server)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Also from t.replies.db: `harvest replay` makes the file as it is now." in done.stdout
    assert run("refresh", "--cache-path", "t.db", "-q", server=server).returncode == 0
    assert run("replay", replies, "-o", "again.db").returncode == 0
    assert everything(tmp_path / "again.db") == everything(path)


def test_status_says_that_bytes_are_left_until_they_are_erased(run, crawled):
    path, who = crawled
    assert forget(run, f"soundcloud:users:{who}").returncode == 0
    assert "--finish" not in run("status", "--cache-path", "t.db").stdout
    with sqlite3.connect(path) as connection:  # as a kill leaves it, between the rows and the bytes
        connection.execute("UPDATE forgettings SET erased_at = NULL")
    connection.close()
    (told,) = re.findall(
        r"harvest (forget --finish --cache-path t\.db)$", run("status", "--cache-path", "t.db").stdout, re.M
    )
    assert run(*told.split()).returncode == 0
    assert "--finish" not in run("status", "--cache-path", "t.db").stdout


def test_logs_of_earlier_runs_say_nothing_more_and_verify_looks_into_them(run, server, tmp_path):
    path, log = tmp_path / "t.db", tmp_path / "log.jsonl"
    kept = ("--db", path, "--max-users", "6", "-q", "--keep-replies", "--log-file", log)
    assert run(server.world.seed_url(), *kept, server=server).returncode == 0
    assert run("resume", "--db", path, "-q", "--log-file", log, server=server).returncode == 0
    assert read(path, "SELECT what, path FROM handouts") == [("log", str(log))]
    assert run("snapshot", "copy.db", "--db", path).returncode == 0
    ((who,),) = read(path, "SELECT user_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    texts, before = texts_of(path, "user", who), log.read_text().splitlines()
    naming = [any(text in line for text in texts) or f'"subject": {who},' in line for line in before]
    assert 2 <= sum(naming) < len(before)
    done = forget(run, f"soundcloud:users:{who}", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["found"]) == (0, {})
    assert str(log) in told["searched"]
    assert [one["path"] for one in told["handed_out"]] == [str(tmp_path / f"copy{end}.db") for end in ("", ".replies")]
    after = log.read_text().splitlines()
    silent = {"event": "forgotten"}
    assert [json.loads(line) == silent for line in after] == naming
    assert [line for line, named in zip(after, naming, strict=True) if not named] == [
        line for line, named in zip(before, naming, strict=True) if not named
    ]
    assert run("verify", "--forgotten", "--db", path).returncode == 0
    with log.open("a") as file:  # as an older harvest, or somebody else, would bring it back
        file.write(f'{{"list": "user_likes", "subject": {who}, "event": "page.committed"}}\n')
    replies = tmp_path / "t.replies.db"
    cut = replies.read_bytes()
    shutil.copy(tmp_path / "copy.replies.db", replies)
    found = run("verify", "--forgotten", "--db", path)
    assert found.returncode == 1
    assert re.findall(r"^forgotten\.[a-z]+", found.stdout, re.MULTILINE) == ["forgotten.logs", "forgotten.replies"]
    log.unlink()
    replies.write_bytes(cut)
    gone = json.loads(forget(run, "soundcloud:users:77", "--json").stdout)["handed_out"]
    assert {"at": gone[0]["at"], "what": "log", "path": str(log), "hash": None} == gone[0]


def test_kept_replies_are_reached_and_the_file_comes_back_with_the_key(run, server, tmp_path):
    path, replies = tmp_path / "t.db", tmp_path / "t.replies.db"
    url = server.world.seed_url()
    assert run(url, "--db", path, "--max-users", "6", "-q", "--keep-replies", server=server).returncode == 0
    ((who,),) = read(path, "SELECT user_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    texts = texts_of(path, "user", who)
    done = forget(run, f"soundcloud:users:{who}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Also in t.replies.db: `harvest replay` makes the file as it is now." in done.stdout
    assert [text for text in texts if text.encode() in bytes_beside(replies)] == []
    elsewhere = run("replay", replies, "-o", "again.db", XDG_STATE_HOME=str(tmp_path / "elsewhere"))
    assert (elsewhere.returncode, (tmp_path / "again.db").exists()) == (4, False)
    assert run("replay", replies, "-o", "again.db").returncode == 0
    assert everything(tmp_path / "again.db") == everything(path)
    assert run("verify", "--forgotten", "--cache-path", "again.db").returncode == 0
    assert run("refresh", "--full", "--retain", "30d", "--cache-path", "t.db", "-q", server=server).returncode == 0
    assert [text for text in texts if text.encode() in bytes_beside(replies)] == []
    assert run("replay", replies, "-o", "again.db", "--force").returncode == 0
    assert everything(tmp_path / "again.db") == everything(path)
