from __future__ import annotations

from urllib.parse import urlsplit

from harvest.cli.commands.simulate import simulate
from harvest.settings import REDIRECT_URI


def test_a_login_in_the_browser_does_not_end_at_the_simulator():
    """Both run side by side with what they use when nothing is said."""
    port = next(option for option in simulate.params if option.name == "port")
    assert port.default != urlsplit(REDIRECT_URI).port
