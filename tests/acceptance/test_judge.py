"""`harvest judge` and `db.judge`."""

from __future__ import annotations

import json

import pytest

import harvest
from harvest.errors import SeedError, SettingsError
from tests.analysing import LikesFile


@pytest.fixture
def path(tmp_path):
    with LikesFile(tmp_path / "t.db") as file:
        file.likes(1, [10, 11, 12])
    return file.path


def test_tracks_are_judged_one_by_one_and_from_a_list(run, path, tmp_path):
    one = run("judge", "soundcloud:tracks:10", "liked", "--db", path)
    assert (one.returncode, one.stdout, one.stderr) == (0, "1 track judged liked.\n", "")
    (tmp_path / "heard.txt").write_text("soundcloud:tracks:10  # heard\n\nsoundcloud:tracks:11\n")
    many = run("judge", "--from-file", tmp_path / "heard.txt", "liked", "--db", path)
    assert many.stdout == "2 tracks judged liked, 1 of them before already.\n"
    back = run("judge", "10", "none", "--json", "--db", path)
    assert json.loads(back.stdout) == {"verdict": "none", "tracks": 1, "changed": 1}
    shown = run("sql", "SELECT track_id, verdict FROM verdicts", "--db", path, "--format", "csv")
    assert shown.stdout == "track_id,verdict\n11,liked\n"


@pytest.mark.parametrize(
    ("given", "line", "code"),
    [
        (["10", "99", "liked"], "harvest: There is no track or playlist 99 with its tracks in this file", 2),
        (["track 10", "liked"], "`harvest sql search WORDS` finds it by its title.", 2),
        (["liked"], "Error: Say which tracks: addresses, ids or URNs before the verdict, or --from-file FILE.", 2),
        (["10", "loved"], "'loved' is not one of 'liked', 'not_interested', 'not_quite', 'none'", 2),
        (["10", "liked", "--db", "none.db"], "harvest: There is no file none.db", 4),
    ],
)
def test_what_cannot_be_judged_costs_one_line(run, path, given, line, code):
    done = run("judge", *given, *([] if "--db" in given else ["--db", path]))
    assert done.returncode == code
    assert line in done.stderr
    assert done.stdout == ""
    assert list(harvest.open(path).verdicts) == []


def test_python_judges_as_the_command_does(path):
    db = harvest.open(path)
    done = db.judge("10", "liked")
    assert (done.tracks, done.changed) == (1, 1)
    assert db.judge([10, "soundcloud:tracks:12"], "not_quite").changed == 2
    assert [(row.track_id, row.verdict, row.title) for row in db.verdicts] == [
        (10, "not_quite", "track 10"),
        (12, "not_quite", "track 12"),
    ]
    with pytest.raises(SettingsError, match="There is no verdict 'loved'; there are liked, "):
        db.judge(10, "loved")
    with pytest.raises(SeedError):
        db.judge(99, "liked")


def test_the_radio_plays_what_is_near_and_says_why(run, path, tmp_path):
    with LikesFile(tmp_path / "r.db") as file:
        for user in range(1, 5):
            file.likes(user, [10, 11, 12])
        file.likes(5, [11, 13])
        here = ("--db", file.path)
        told = run("radio", "10", "11", "--per-artist", "0", *here)
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout.splitlines() == [
            "  1. “track 12”",
            "     4 people like it and one of those, 4 people like it and several of those",
        ]
        found = json.loads(run("radio", "10", "11", "--json", *here).stdout)
        assert [one["track_id"] for one in found["tracks"]] == [12]
        assert harvest.open(file.path).radio(10, "11").as_json()["tracks"] == tuple(found["tracks"])
        assert run("judge", "10", "liked", *here).returncode == 0
        assert json.loads(run("radio", "--liked", "--json", *here).stdout)["given"] == [10]
        assert run("judge", "12", "not_quite", *here).returncode == 0
        assert run("radio", "10", "11", *here).stdout.startswith(
            "Nothing is near them that can be played and is not judged:"
        )
        assert "Name the tracks to continue from" in run("radio", *here).stderr
