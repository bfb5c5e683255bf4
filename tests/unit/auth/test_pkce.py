"""What goes out with a sign-in, and what may come back."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from harvest.auth.pkce import Attempt, NotOurRedirect, authorize_url, begin, challenge, checked_redirect, read_redirect
from harvest.errors import LoginNeeded, SettingsError

HERE = "http://127.0.0.1:8765/callback"
ATTEMPT = Attempt("id", HERE, "v" * 50, "st&te")
BACK = f"{HERE}?code=c0de&state=st%26te"


def test_the_challenge_is_that_of_the_standard():
    """RFC 7636, appendix B."""
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_every_sign_in_has_a_verifier_and_a_state_of_its_own():
    first, second = begin("id", HERE), begin("id", HERE)
    assert len(first.verifier) == 86
    assert len({first.verifier, second.verifier, first.state, second.state}) == 4
    assert first.verifier not in repr(first)
    assert first.state not in repr(first)


def test_the_browser_sees_the_challenge_and_not_the_verifier():
    url = authorize_url("https://secure.soundcloud.com/", ATTEMPT)
    assert url.startswith("https://secure.soundcloud.com/authorize?")
    assert {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} == {
        "client_id": "id",
        "redirect_uri": HERE,
        "response_type": "code",
        "code_challenge": challenge("v" * 50),
        "code_challenge_method": "S256",
        "state": "st&te",
    }
    assert ATTEMPT.verifier not in url


@pytest.mark.parametrize(
    "address", [BACK, f"  {BACK}\n", "/callback?state=st%26te&code=c0de", "?code=c0de&state=st%26te"]
)
def test_the_code_is_taken_out_of_a_redirect(address):
    assert read_redirect(address, ATTEMPT) == "c0de"


@pytest.mark.parametrize(
    "address",
    [
        "",
        HERE,
        "c0de",
        f"{HERE}?code=c0de",
        f"{HERE}?code=c0de&state=other",
        f"{HERE}?code=c0de&state=st%26tex",
        f"{HERE}?state=st%26te",
        f"{HERE}?state=st%26te&code=%0a",
        f"{HERE}?error=access_denied&state=other",
        f"{HERE}?code=c0de&state=%C3%A9",
    ],
)
def test_what_is_not_this_sign_in_is_not_believed(address):
    with pytest.raises(NotOurRedirect):
        read_redirect(address, ATTEMPT)


@pytest.mark.parametrize(("error", "said"), [("access_denied", "access_denied"), ("%1b[2J<b>", "it gave no reason")])
def test_a_no_is_a_no_and_only_a_code_word_is_quoted(error, said):
    with pytest.raises(LoginNeeded) as raised:
        read_redirect(f"{HERE}?error={error}&state=st%26te", ATTEMPT)
    assert said in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "uri", [HERE, "http://localhost:8888/callback", "https://example.com/cb", "http://127.0.0.1:1/"]
)
def test_a_redirect_address_goes_out_unchanged(uri):
    assert checked_redirect(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "callback",
        "http://example.com/cb",
        "ftp://127.0.0.1/",
        "http://127.0.0.1:99999/",
        f"{HERE}?a=b",
        "http://u@127.0.0.1/",
    ],
)
def test_an_impossible_redirect_address_is_refused(uri):
    with pytest.raises(SettingsError):
        checked_redirect(uri)
