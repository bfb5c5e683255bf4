import io
import signal
import sqlite3
import threading
from contextlib import redirect_stderr

import click
import pytest

from harvest.cli.output.spinner import patience, spinner
from tests.waiting import until

LONG = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {}) SELECT count(*) FROM s"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def timers():
    return sum(isinstance(thread, threading.Timer) for thread in threading.enumerate())


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


@pytest.fixture
def connection():
    made = sqlite3.connect(":memory:")
    yield made
    made.close()


def test_steps_are_shown_on_a_terminal_once_it_takes_long(terminal):
    with redirect_stderr(terminal), spinner("counting sheep", after=0.0) as tell:
        until(lambda: "counting sheep" in terminal.getvalue())
        tell("counting stars")
        until(lambda: "counting stars" in terminal.getvalue())


def test_what_is_over_soon_shows_nothing(terminal):
    with redirect_stderr(terminal), spinner("counting sheep", after=60.0):
        assert timers() == 1
    assert (terminal.getvalue(), timers()) == ("", 0)


@pytest.mark.parametrize("reason", ["no terminal", "TERM", "quiet"])
def test_who_cannot_or_will_not_look_is_shown_nothing(terminal, monkeypatch, reason):
    if reason == "no terminal":
        monkeypatch.setattr(terminal, "isatty", lambda: False)
    elif reason == "TERM":
        monkeypatch.setenv("TERM", "dumb")
    context = click.Context(click.Command("any"))
    context.meta["quiet"] = reason == "quiet"
    with redirect_stderr(terminal), context, spinner("counting sheep", after=60.0):
        assert timers() == 0


# It may come as the handler begins, before anything can catch it: SQLite stops all the same, but where tracebacks of
# its callbacks were switched on (datasette does that), Python warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interruption_is_heard_while_sqlite_works(connection):
    def interrupt(*_):
        raise KeyboardInterrupt

    def count_on():  # wherever it is when the alarm rings
        with patience(connection):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            connection.execute(LONG.format(10**12)).fetchone()

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            count_on()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert connection.execute(LONG.format(1000)).fetchone() == (1000,)


def test_other_complaints_of_sqlite_pass(connection):
    with pytest.raises(sqlite3.OperationalError, match="no such table"), patience(connection):
        connection.execute("SELECT * FROM nowhere")
