"""Numbers on the command line: what no file and no clock can hold is refused where it is read."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from harvest.cli.main import COMMANDS, cli
from harvest.cli.options.budgets import Seconds
from harvest.errors import SettingsError
from harvest.models import LONGEST_DELAY, MOST
from harvest.python.crawling import pages
from harvest.settings import read_settings


def numeric_options():
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        for option in command.params:
            if isinstance(option.type, click.IntRange | click.FloatRange) and name != "demo":
                yield option


def test_every_path_may_begin_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    paths = [p for name in COMMANDS for p in cli.get_command(click.Context(cli), name).params]
    paths = [param for param in paths if isinstance(param.type, click.Path) and param.type.file_okay]
    assert len(paths) > 10
    for param in paths:
        assert param.type.convert("~/data/t.db", None, None) == Path("/home/somebody/data/t.db")
        assert param.type.convert("~no-body-here/t.db", None, None) == Path("~no-body-here/t.db")
        assert param.type.convert("a~b.db", None, None) == Path("a~b.db")


@pytest.mark.parametrize("value", ["9223372036854775808", "-9223372036854775809", "inf", "nan", "1e308", "9" * 5000])
def test_no_number_is_beyond_what_sqlite_holds(value):
    for option in numeric_options():
        with pytest.raises(click.BadParameter):
            option.type.convert(value, option, None)


@pytest.mark.parametrize(("text", "seconds"), [("0.5", 0.5), ("90", 90.0), ("2m", 120.0), ("1h", LONGEST_DELAY)])
def test_seconds_are_a_number_or_a_length_of_time(text, seconds):
    assert Seconds(0, LONGEST_DELAY).convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "option",
    [{"delay": float("nan")}, {"delay": 1e308}, {"max_users": MOST + 1}, {"depth": 2**63}, {"sample_seed": -1}],
)
def test_the_same_from_python(option):
    with pytest.raises(SettingsError, match=f"--{next(iter(option)).replace('_', '-')} must be a number from 0 to"):
        pages("a/b", **option)


@pytest.mark.parametrize("name", ["HARVEST_HOLD_SECONDS", "HARVEST_RETRY_SECONDS", "HARVEST_REQUEST_SECONDS"])
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e308"])
def test_a_wait_that_cannot_be_waited_is_refused(name, value):
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


def test_no_time_at_all_is_enough_to_wait_and_not_to_ask():
    assert read_settings({"HARVEST_HOLD_SECONDS": "0", "HARVEST_RETRY_SECONDS": "0"}).hold_seconds == 0
    with pytest.raises(SettingsError, match=r"from 0\.1 on"):
        read_settings({"HARVEST_REQUEST_SECONDS": "0"})


@pytest.mark.parametrize("name", ["SOUNDCLOUD_API_URL", "SOUNDCLOUD_AUTH_URL"])
@pytest.mark.parametrize("address", ["http://127.0.0.1:99999", "https://a.example:port", "https://[::1"])
def test_an_address_without_a_port_that_exists_is_refused(name, address):
    with pytest.raises(SettingsError, match=name):
        read_settings({name: address})
