"""`harvest doctor --spec FILE`, as somebody runs it who has fetched a newer description."""

from __future__ import annotations

import json
import os

import yaml

from tests.describing import SENTENCE, described


def test_a_description_that_is_known_is_all_well_and_nothing_is_asked(run, server, tmp_path):
    (tmp_path / "api.yaml").write_text(yaml.safe_dump(described()))
    done = run("doctor", "--spec", "api.yaml", server=server)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "No difference from the description of 2026-07-19 that this version was made with.\n"
    assert server.total == 0


def test_what_differs_is_said_a_line_each_and_as_json(run, server, tmp_path):
    api = described()
    api["components"]["schemas"]["Track"]["properties"]["bpm"] = {"type": "string", "description": SENTENCE}
    del api["paths"]["/users/{urn}/likes/tracks"]
    (tmp_path / "api.json").write_text(json.dumps(api))
    done = run("doctor", "--spec", "api.json", server=server)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "GET /users/{urn}/likes/tracks: is gone; we ask it",
        "Track: bpm is string, was number; we read number and do not take string",
        "",
        "2 differences from the description of 2026-07-19 that this version was made with.",
    ]
    told = run("doctor", "--spec", "api.json", "--json")
    assert (told.returncode, told.stderr) == (1, "")
    assert json.loads(told.stdout) == {
        "known": "2026-07-19",
        "same": False,
        "differences": [
            {"where": "GET /users/{urn}/likes/tracks", "field": "", "what": "is gone; we ask it"},
            {"where": "Track", "field": "bpm", "what": "is string, was number; we read number and do not take string"},
        ],
    }
    assert server.total == 0


def test_a_file_that_is_no_description_gets_one_line(run, tmp_path):
    (tmp_path / "notes.md").write_text("# Notes\n- buy milk\n")
    done = run("doctor", "--spec", "notes.md")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "harvest: notes.md is no OpenAPI description: it has no `openapi` and `paths`.\n"


def test_a_file_that_is_not_there_and_a_pipe_without_a_writer_get_one_line(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("none.yaml", "cannot be read: No such file or directory."),
        ("pipe", "is no OpenAPI description"),
    ):
        done = run("doctor", "--spec", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"harvest: {name} {why}")
        assert len(done.stderr.splitlines()) == 1


def test_what_a_hostile_description_calls_its_fields_moves_no_cursor(run, tmp_path):
    api = described()
    api["components"]["schemas"]["Track"]["properties"]["\x1b[2Jmood\n"] = {"type": "string"}
    (tmp_path / "api.json").write_text(json.dumps(api))
    done = run("doctor", "--spec", "api.json")
    assert done.stdout.splitlines()[0] == r"Track: \x1b[2Jmood is new"
    assert done.returncode == 1
