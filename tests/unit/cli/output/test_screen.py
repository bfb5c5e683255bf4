"""The lines of the display for every width."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from harvest.cli.output.formatting import about, duration, rate, remaining
from harvest.cli.output.screen import Moment, frame
from harvest.cli.output.wait_reason import Waits
from harvest.crawler.progress import CrawlProgress
from harvest.models import Gauge
from harvest.store.standing import Lists, Standing

LISTS = Lists("user_likes", todo=890, doing=1, outcomes=(("capped", 133), ("complete", 512), ("gone", 12)), asked=1204)
STANDING = Standing(20_311, 190_221, 298_000, 3_233, 1_204, (LISTS,), "users", 1, 1_690, False)
PROGRESS = CrawlProgress(STANDING, Gauge(1240, 4, 0.5), 724.0, 201.0, 1.9, 130.0, 1020.0, False)
MOMENT = Moment(4, 724.0, 0.0, "waiting 42 s: SoundCloud asks us to slow down")


def lines(progress=PROGRESS, moment=MOMENT, **size):
    return [line.plain for line in frame(progress, moment, **{"width": 80, "height": 24, **size})]


def test_eighty_columns():
    assert lines() == [
        "Reading what they like" + " " * 45 + "12 min 04 s",
        "━" * 22 + "╌" * 32 + "  42%  about 17 min left",
        "pages  1,204 done · 1,690 to go · 4 in flight",
        "found  20,311 users · 190,221 tracks · 301,233 edges, 201/s",
        "pace   1.9/s now · 2.0/s allowed · waited 2 min 10 s",
        "lists  512 complete · 133 capped · 12 gone · 891 waiting",
        "waiting 42 s: SoundCloud asks us to slow down",
    ]


def test_forty_columns_say_the_same_on_more_lines():
    shown = lines(width=40)
    assert max(map(cell_len, shown)) <= 40
    text = " · ".join(shown)
    for fact in ("1,204 done", "1,690 to go", "301,233 edges, 201/s", "133 capped", "891 waiting", "waiting 42 s"):
        assert fact in text


@pytest.mark.parametrize("width", [1, 5, 20, 39, 40, 59, 60, 79, 80, 200])
@pytest.mark.parametrize("height", [2, 8, 9, 50])
@pytest.mark.parametrize("plain", [False, True])
def test_no_line_is_wider_than_the_terminal(width, height, plain):
    for progress in (None, PROGRESS):
        assert all(cell_len(line) <= width for line in lines(progress, width=width, height=height, plain=plain))


def test_a_low_terminal_gets_one_line():
    assert lines(height=6) == ["waiting 42 s: SoundCloud asks us to slow down · 1,204 pages, 1,690 to go · 301,…"]


def test_plain_is_ascii():
    assert "".join(lines(plain=True, width=50)).isascii()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "3 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 05 min"),
        (172_799, "47 h 59 min"),
        (28_505_940, "329 days 22 h"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(1, "5 s"), (43, "45 s"), (700, "12 min"), (7600, "2 h 05 min")])
def test_estimates_are_no_finer_than_they_are_known(seconds, words):
    assert about(seconds) == words


@pytest.mark.parametrize(("n", "words"), [(0, "0/s"), (1.94, "1.9/s"), (201, "201/s"), (0.5, "30/min"), (0.01, "36/h")])
def test_rates(n, words):
    assert rate(n) == words


def test_what_remains():
    assert remaining(0, at_least=False, seconds=0) == ""
    assert remaining(5, at_least=False, seconds=None) == "time left not known yet"
    assert remaining(5, at_least=True, seconds=120) == "≥ 2 min left"


class TestWaits:
    def setup_method(self):
        self.now = 100.0
        self.waits = Waits(lambda: self.now)

    def words(self, in_flight=0, interval=0.5, hold_reason=None):
        return self.waits.words(in_flight=in_flight, interval=interval, hold_reason=hold_reason)

    def test_a_hold_is_counted_down(self):
        self.waits.begin("SoundCloud asks us to slow down", 42)
        assert self.words() == "waiting 42 s: SoundCloud asks us to slow down"
        self.now += 40.5
        assert self.words() == "waiting 2 s: SoundCloud asks us to slow down"
        self.now += 2
        assert self.words() == ""

    def test_a_short_wait_of_one_request_does_not_hide_a_long_one_of_all(self):
        self.waits.begin("SoundCloud asks us to slow down", 42)
        self.waits.begin("trying again", 1)
        assert "42 s" in self.words()

    def test_who_asks_does_not_wait(self):
        self.waits.begin("trying again", 5)
        assert self.words(in_flight=1) == ""

    def test_the_first_request_after_a_hold_is_named(self):
        assert self.words(in_flight=1, hold_reason="SoundCloud blocks us for now").startswith("asking whether")

    def test_a_slow_pace_of_our_own_is_a_wait_too(self):
        self.waits.sent()
        self.now += 10
        assert self.words(interval=30) == "waiting 20 s: our pace is one request in 30 s"
