"""Every fault of the simulator against the real crawl: what passes leaves no trace, what lasts ends one list alone.

The tables name every fault. After every crawl `verify` must find nothing (`tests/faulty.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from harvest.simulator.faults.base import EFFECTS
from harvest.simulator.oracle import expect
from tests.crawling import assert_holds, contents, read, told
from tests.faulty import PAGE, WORLD, cut_short, list_of, path_of, play, victim
from tests.repetitions import slow_but

VICTIM = victim()
LIKES = path_of(VICTIM)

ERRORS = [f"error_{status}_{body}" for status in (500, 502, 503, 504) for body in ("html", "text", "empty", "json")]
ERRORS.append("error_500_escapes")
UNANSWERED = ["close_before_headers", "reset_before_headers", "reset_in_headers"]
BROKEN_OFF = ["reset_in_body", "truncated_with_length"]
WIRE = [*UNANSWERED, *BROKEN_OFF]
SPOILED = ["truncated_without_length", "broken_json", "broken_json_gzip", "ok_html", "ok_empty"]
NOT_OF_THE_LIST = (421, 425, 431)
THROTTLED = ["throttled_gateway", "throttled_object", "throttled_text"]

# Faults that pass, and when they strike. What they spoil is asked for again, and nothing of them is left.
PASSING: dict[str, str] = {
    **{name: f"{name}=0.2" for name in [*ERRORS, *WIRE, *SPOILED, "missing_text", "broken_gzip"]},
    **{name: f"{name}@6,{name}@17*2" for name in THROTTLED},
    "throttled_until": "throttled_until@6,throttled_until(4)@17*2",
    "token_quota": "token_quota[/oauth/token]@1*2",
    "token_quota_until": "token_quota_until[/oauth/token]@1*2",
    "waf_challenge": "waf_challenge@6,waf_challenge@17*2",
    "blocked_html": "blocked_html@6,blocked_html@17*2",
    "forbidden_json": "forbidden_json@6,forbidden_json@15,forbidden_json@24",
    "forbidden_gateway": "forbidden_gateway@6,forbidden_gateway@15",
    "forbidden_empty": "forbidden_empty@6,forbidden_empty@15",
    "unauthorized": "unauthorized@6,unauthorized@20",
    "unauthorized_empty": "unauthorized_empty@6,unauthorized_empty@20",
    "trickle": f"trickle(0.2)[{LIKES}]@2*2",
    "slow": f"slow(30)[{LIKES}]@2*2",
    **{f"status_{status}": f"status_{status}=0.2" for status in NOT_OF_THE_LIST},
    "unavailable": "unavailable@6,unavailable(2)@17*2",
}
RETRY_AFTER = {f"{name} with Retry-After": f"{name}(1)@6,{name}(2)@17*2" for name in THROTTLED}

# Faults that a correct reader does not even notice.
HARMLESS: dict[str, str] = {
    name: f"{name}=0.7"
    for name in (
        *("href_internal_host", "href_foreign_host", "href_http", "href_other_port"),
        *("href_loses_access", "href_loses_partitioning", "items_null", "items_alien", "items_repeated"),
        *("items_too_many", "me_somebody_else", "field_missing", "field_added", "limit_header"),
    )
}


@dataclass(frozen=True)
class End:
    """How one list ends when a fault stays on it from its second page on; `failure` is class, status, retryable."""

    outcome: str
    failure: tuple[str, int, int] | None = None
    kept: int = PAGE
    at: int = 2
    number: str = ""


SERVER = "server"
LASTING: dict[str, End] = {
    **{name: End("failed", (SERVER, int(name.split("_")[1]), 1)) for name in ERRORS},
    **{name: End("failed", ("unreachable", 0, 1)) for name in UNANSWERED},
    **{name: End("failed", ("unreachable", 200, 1)) for name in [*BROKEN_OFF, "broken_gzip"]},
    **{name: End("failed", (SERVER, 200, 1)) for name in SPOILED},
    "missing_text": End("failed", (SERVER, 404, 1)),
    "trickle": End("failed", ("unreachable", 200, 1), number="(0.2)"),
    "slow": End("failed", ("unreachable", 0, 1), number="(30)"),
    "missing_json": End("gone", ("gone", 404, 0)),
    "missing_errors_only": End("gone", ("gone", 404, 0)),
    "forbidden_json": End("forbidden", ("forbidden", 403, 0)),
    "forbidden_gateway": End("forbidden", ("forbidden", 403, 0)),
    "forbidden_empty": End("forbidden", ("forbidden", 403, 0)),
    "bad_request_html": End("failed", ("bad_request", 400, 0)),
    **{f"status_{status}": End("failed", (SERVER, status, 1)) for status in NOT_OF_THE_LIST},
    **{f"status_{status}": End("failed", ("bad_request", status, 0)) for status in (400, 405)},
    "status_410": End("gone", ("gone", 410, 0)),
    "status_451": End("forbidden", ("forbidden", 451, 0)),
    "app_refused": End("forbidden", ("forbidden", 403, 0)),
    "redirect_foreign": End("unreadable", ("unexpected_reply", 302, 0)),
    "huge_body": End("unreadable", ("unexpected_reply", 200, 0)),
    **{
        name: End("unreadable", ("unexpected_reply", 200, 0))
        for name in ("shape_list", "shape_string", "shape_object", "shape_no_collection")
    },
    "href_loop_1": End("loop", kept=2 * PAGE),
    "href_loop_3": End("loop", kept=3 * PAGE, at=3),
    "href_backwards": End("loop", kept=2 * PAGE),
    "href_endless": End("loop"),
    "href_cut": End("short", kept=2 * PAGE),
    "items_none": End("short"),
    "bare_array": End("short", kept=2 * PAGE),
    "href_new_form": End("loop", kept=2 * PAGE),
}

# Faults of which something stands in the file, with a test of their own below.
TRACES = (
    "items_reordered",
    "urn_not_numeric",
    "id_too_large",
    "id_largest",
    "text_nul",
    "text_surrogate",
    "text_escapes",
    "counts_hidden",
    "field_renamed",
    "field_retyped",
)
ELSEWHERE = {"resolve_foreign": "test_faults_everywhere.py"}


# Given up after a second: a machine that is busy answers everything else within it.
LATE = ("trickle", "slow")
# The default run takes one of those that nothing but their body or their moment tells apart, and no ten seconds of
# waiting.
ALIKE = {
    *({*ERRORS} - {"error_500_json", "error_503_text"}),
    *("reset_before_headers", "reset_in_headers", "truncated_with_length", "broken_json_gzip", "ok_empty"),
    *("missing_errors_only", "shape_no_collection"),
    *("throttled_object", "throttled_text", "token_quota_until", "unauthorized_empty", "forbidden_empty"),
    *("throttled_gateway with Retry-After", "throttled_text with Retry-After", "shape_string", "shape_object"),
    *("status_421", "status_425", "status_400", "status_451"),
}
EVERY_PASSING = PASSING | RETRY_AFTER
# Of the others it leaves out most, by name: a fault that is new is in the default run, wherever its row stands.
LEFT_OUT_PASSING = {
    *("error_503_text", "reset_in_body", "broken_json", "missing_text", "throttled_gateway", "token_quota"),
    *("blocked_html", "forbidden_gateway", "trickle", "status_431", "throttled_object with Retry-After"),
    *("close_before_headers", "ok_html", "throttled_until", "forbidden_json", "slow"),
}
LEFT_OUT_LASTING = {
    *("error_500_json", "close_before_headers", "broken_gzip", "broken_json", "missing_text", "forbidden_json"),
    *("bad_request_html", "status_405", "app_refused", "huge_body", "href_loop_1", "href_backwards", "href_cut"),
    *("bare_array", "reset_in_body", "ok_html", "forbidden_gateway", "status_410", "shape_list", "href_endless"),
    "href_new_form",
}


def test_every_fault_of_the_simulator_stands_in_a_table():
    assert {*PASSING, *HARMLESS, *LASTING, *TRACES, *ELSEWHERE} == set(EFFECTS)


def test_the_tables_agree_with_what_the_simulator_says_of_its_faults():
    """What it declares to end lists has its row, and what it declares to change nothing can pass."""
    ends = {name for name, effect in EFFECTS.items() if effect.changes == "ends"}
    assert ends <= {*LASTING, *ELSEWHERE, "me_somebody_else"}
    assert {name for name, effect in EFFECTS.items() if not effect.changes} <= {*PASSING, *HARMLESS, *TRACES}


@pytest.mark.parametrize(
    "name", slow_but([name for name in EVERY_PASSING if name not in ALIKE | LEFT_OUT_PASSING], EVERY_PASSING)
)
def test_a_fault_that_passes_leaves_nothing_behind(name, tmp_path):
    async def scene(this):
        short = {"request_seconds": 1.0} if name in LATE else {}
        assert await this.crawl(**short) == "drained"
        assert this.server.plan.strikes
        this.assert_exact()
        assert {row[0] for row in this.failures()} <= {"gone", "forbidden"}

    play(tmp_path / "t.db", scene, faults=EVERY_PASSING[name])


@pytest.mark.parametrize(
    "name", slow_but(("href_foreign_host", "href_loses_access", "items_alien", "items_repeated"), HARMLESS)
)
def test_a_fault_that_a_reader_need_not_notice_changes_nothing(name, tmp_path):
    async def scene(this):
        assert await this.crawl() == "drained"
        assert name == "me_somebody_else" or this.server.plan.strikes
        this.assert_exact()

    play(tmp_path / "t.db", scene, faults=HARMLESS[name])


@pytest.mark.parametrize(
    "name", slow_but([name for name in LASTING if name not in {*ALIKE, *LATE, *LEFT_OUT_LASTING}], LASTING)
)
def test_a_fault_that_lasts_ends_one_list_alone(name, tmp_path):
    end = LASTING[name]

    async def scene(this):
        short = {"request_seconds": 1.0} if name in LATE else {}
        assert await this.crawl(**short) == "drained"
        assert_holds(this.path, cut_short(this.truth(), VICTIM, end.kept, end.outcome))
        state, outcome, collected, cursor = list_of(this.path, VICTIM)
        assert (state, outcome, collected) == ("ended", end.outcome, end.kept)
        assert (cursor is None) == (end.outcome == "short")
        assert failure_of(this.path) == end.failure
        if end.failure is not None:
            await this.mend(None if end.failure[2] else end.failure[0])
            this.assert_exact()
            assert failure_of(this.path) is None
            assert read(this.path, "SELECT status FROM users WHERE id = ?", VICTIM) == [("ok",)]

    play(tmp_path / "t.db", scene, faults=f"{name}{end.number}[{LIKES}]@{end.at}*100000")


def test_a_class_that_is_tried_again_brings_no_other_failed_list_back(tmp_path):
    async def scene(this):
        assert await this.crawl() == "drained"
        before = len(this.server.requests)
        await this.mend("gone")
        asked = [logged.target for logged in this.server.requests[before:]]
        assert any("/likes/tracks" in target for target in asked)
        assert not any(LIKES in target for target in asked)
        assert list_of(this.path, VICTIM)[:2] == ("ended", "failed")
        await this.mend()  # all that may pass
        assert list_of(this.path, VICTIM)[0:2] == ("ended", "complete")

    play(tmp_path / "t.db", scene, faults=f"error_500_html[{LIKES}]@1*100000")


def failure_of(path: Any) -> tuple[Any, ...] | None:
    """Class, status and retryable of what stands against the victim's list."""
    rows = read(
        path,
        "SELECT f.class, f.status, f.retryable, f.attempts FROM failures AS f JOIN tasks AS t ON t.id = f.task_id"
        " WHERE t.subject_id = ? AND t.kind = 'user_likes' AND f.resolved_at IS NULL",
        VICTIM,
    )
    assert len(rows) <= 1
    if rows and rows[0][2]:
        assert rows[0][3] == 10  # five in each of two rounds
    return rows[0][:3] if rows else None


def test_entries_in_another_order_change_ranks_only(tmp_path):
    async def scene(this):
        assert await this.crawl() == "drained"
        found, truth = contents(this.path), told(this.truth())
        assert found["engagements"].keys() == truth["engagements"].keys()
        assert found["lists"] == truth["lists"]
        assert found["engagements"] != truth["engagements"]

    play(tmp_path / "t.db", scene, faults="items_reordered")


@pytest.mark.parametrize("name", ["urn_not_numeric", "id_too_large"])
def test_an_entry_that_cannot_be_held_is_a_failure_and_no_row(name, tmp_path):
    async def scene(this):
        assert await this.crawl() == "drained"
        this.assert_exact()
        assert list_of(this.path, VICTIM)[1] == "complete"
        assert failure_of(this.path) == ("unsupported_urn", 200, 0)
        (message,) = read(this.path, "SELECT message FROM failures WHERE class = 'unsupported_urn'")[0]
        assert ("a1b2-c3d4" if name == "urn_not_numeric" else str(2**63)) in message

    play(tmp_path / "t.db", scene, faults=f"{name}[{LIKES}]@2")


def test_the_largest_number_is_kept(tmp_path):
    async def scene(this):
        assert await this.crawl() == "drained"
        found, truth = contents(this.path), told(this.truth())
        more = (VICTIM, 2**63 - 1, "like")
        assert found["engagements"].keys() == truth["engagements"].keys() | {more}
        assert found["tracks"].keys() == truth["tracks"].keys() | {2**63 - 1}
        outcome, collected, claimed = truth["lists"]["user_likes", VICTIM]
        assert found["lists"]["user_likes", VICTIM] == (outcome, collected + 1, claimed)
        assert read(this.path, "SELECT urn FROM tracks WHERE id = ?", 2**63 - 1) == [
            (f"soundcloud:tracks:{2**63 - 1}",)
        ]

    play(tmp_path / "t.db", scene, faults=f"id_largest[{LIKES}]@2")


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("text_nul", "\ufffda\ufffd"),
        ("text_surrogate", "\ufffd"),
        ("text_escapes", "\x1b[2J\x1b]0;owned\x07\u202e\x9b31m\r\n\u2028"),
    ],
)
def test_texts_that_no_text_can_hold_are_kept_readable(name, mark, tmp_path):
    """What SQLite text cannot hold becomes U+FFFD; what only a terminal would obey is kept as it came."""

    async def scene(this):
        assert await this.crawl() == "drained"
        found, truth = contents(this.path), told(this.truth())
        for part, column in (("users", "username"), ("tracks", "title")):
            assert found[part].keys() == truth[part].keys()
            for key, row in truth[part].items():
                text = found[part][key][column]
                assert text == mark + (row[column] or "") or text is row[column] is None
                assert found[part][key] == {**row, column: text}
        assert found["engagements"] == truth["engagements"]
        assert found["lists"] == truth["lists"]

    play(tmp_path / "t.db", scene, faults=name)


def test_the_world_of_these_tests_is_worth_its_name():
    """The victim's list has pages to lose, and some list ends otherwise than whole."""
    truth = expect(WORLD, page_size=PAGE)
    assert truth.lists["user_likes", VICTIM][1] > 4 * PAGE
    assert {ended[0] for ended in truth.lists.values()} > {"complete"}


@pytest.mark.parametrize(("name", "column"), [("field_renamed", "permalink_url"), ("field_retyped", "created_at")])
def test_a_field_that_has_changed_is_unknown_and_all_else_is_kept(name, column, tmp_path):
    """As if the service had changed it for whatever a reply is about; what stands inside of it may say it still."""

    async def scene(this):
        assert await this.crawl() == "drained"
        found, truth = contents(this.path), told(this.truth())
        for part in ("users", "tracks"):
            assert found[part].keys() == truth[part].keys()
            for key, row in truth[part].items():
                assert found[part][key] == {**row, column: found[part][key][column]}
                assert found[part][key][column] in (None, row[column])
        assert {row[column] for row in found["tracks"].values()} == {None}
        assert found["engagements"] == truth["engagements"]
        assert found["lists"] == truth["lists"]

    play(tmp_path / "t.db", scene, faults=name)
