import io
import signal
import sqlite3
import sys

import pytest

from harvest.cli.output import spinner as module
from harvest.cli.output.spinner import patience

LONG = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {}) SELECT count(*) FROM s"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def connection():
    made = sqlite3.connect(":memory:")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("silence", "terminal", "quiet", "seen"),
    [(0.0, True, False, True), (60.0, True, False, False), (0.0, False, False, False), (0.0, True, True, False)],
)
def test_steps_are_shown_on_a_terminal_once_it_takes_long(connection, monkeypatch, silence, terminal, quiet, seen):
    monkeypatch.setattr(module, "_SECONDS_IN_SILENCE", silence)
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    monkeypatch.setenv("TERM", "xterm")
    with patience(connection, quiet=quiet) as tell:
        tell("counting sheep")
        assert connection.execute(LONG.format(1_500_000)).fetchone() == (1_500_000,)
        tell("counting stars")
    told = sys.stderr.getvalue()
    assert ("counting sheep" in told, "counting stars" in told) == (seen, seen)


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
