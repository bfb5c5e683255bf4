"""Which way of signing in is chosen."""

from __future__ import annotations

import pytest

from harvest.auth.credential_chain import Credentials, configured, fingerprint
from harvest.auth.grants import Token
from harvest.auth.token_store import KeptToken, MemoryKeeper

CLIENT = {"client_id": "id", "client_secret": "secret"}
LOGIN = KeptToken(Token("l", "lr"))


def kinds(credentials, **stored):
    keeper = MemoryKeeper()
    for kind, kept in stored.items():
        keeper.store(kind).save(kept)
    return [chain.kind for chain in configured(Credentials.checked(**credentials), keeper)]


@pytest.mark.parametrize(
    ("given", "stored", "chosen"),
    [
        ({}, {}, []),
        ({"client_id": "id"}, {}, []),
        ({"refresh_token": "r"}, {}, []),
        ({"access_token": "a"}, {}, ["access_token"]),
        ({"access_token": "a", "refresh_token": "r"}, {}, ["access_token"]),
        ({**CLIENT}, {}, ["client_credentials"]),
        ({**CLIENT}, {"login": LOGIN}, ["login", "client_credentials"]),
        ({"client_id": "id"}, {"login": LOGIN}, ["login"]),
        ({**CLIENT}, {"login": KeptToken(ended=True)}, ["client_credentials"]),
        ({**CLIENT, "access_token": "a"}, {}, ["access_token", "client_credentials"]),
        ({**CLIENT, "access_token": "a", "refresh_token": "r"}, {}, ["refresh_token", "client_credentials"]),
        ({**CLIENT, "refresh_token": "r"}, {"login": LOGIN}, ["refresh_token", "login", "client_credentials"]),
    ],
)
def test_what_the_environment_says_comes_first_then_a_login_then_the_app(given, stored, chosen):
    assert kinds(given, **stored) == chosen


def test_a_spent_pair_of_the_environment_gives_way_to_the_chain_that_grew_out_of_it():
    keeper = MemoryKeeper()
    keeper.store("refresh_token").save(KeptToken(Token("a9", "r9"), fingerprint("r1")))
    (chain, _) = configured(Credentials.checked(**CLIENT, refresh_token="r1"), keeper)
    assert chain.kept().token == Token("a9", "r9")


def test_a_new_pair_begins_a_new_chain():
    keeper = MemoryKeeper()
    keeper.store("refresh_token").save(KeptToken(Token("a9", "r9"), fingerprint("r1"), ended=True))
    (chain, _) = configured(Credentials.checked(**CLIENT, access_token="b1", refresh_token="r2"), keeper)
    assert chain.kept() == KeptToken(Token("b1", "r2"), fingerprint("r2"))


def test_a_chain_that_ended_is_passed_over_as_long_as_nothing_new_is_there():
    ended = KeptToken(None, fingerprint("r1"), ended=True)
    assert kinds({**CLIENT, "refresh_token": "r1"}, refresh_token=ended) == ["client_credentials"]
    assert kinds({**CLIENT, "refresh_token": "r2"}, refresh_token=ended) == ["refresh_token", "client_credentials"]


def test_credentials_show_no_secret():
    shown = repr(Credentials.checked(client_id="id", client_secret="AAA", access_token="BBB", refresh_token="CCC"))
    assert not any(secret in shown for secret in ("AAA", "BBB", "CCC"))
