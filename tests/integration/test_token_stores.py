"""Where tokens outlive a process: files, a safe, and what disturbs them."""

from __future__ import annotations

import json
import os
import stat

import pytest

from harvest.auth.bearer import Bearer
from harvest.auth.grants import Token
from harvest.auth.token_store import FileKeeper, KeptToken
from harvest.errors import StorageFailed

KEPT = KeptToken(Token("access-000000", "refresh-000000", 3599.0, "2026-11-21T00:00:00Z", "*"), "f00", user="me")


class Safe:
    """A safe in memory, that can be made to fail."""

    def __init__(self):
        self.held = {}

    def get_password(self, service, name):
        return self.held.get((service, name))

    def set_password(self, service, name, secret):
        assert len(secret) < 1000
        self.held[service, name] = secret

    def delete_password(self, service, name):
        del self.held[service, name]


@pytest.fixture
def open_keeper(tmp_path):
    """Make keepers of one folder."""

    def open_keeper(client_id="id", auth_url="https://auth", vault=None):
        return FileKeeper(tmp_path / "state" / "credentials", client_id=client_id, auth_url=auth_url, vault=vault)

    return open_keeper


def save(store, kept):
    assert store.try_lock()
    try:
        store.save(kept)
    finally:
        store.unlock()


@pytest.fixture(params=["file", "safe"])
def keepers(request, open_keeper):
    """Two keepers, as two processes have them, with and without a safe."""
    safe = Safe() if request.param == "safe" else None
    return open_keeper(vault=safe), open_keeper(vault=safe), safe


def test_what_one_saves_another_finds(keepers):
    first, second, _ = keepers
    assert second.store("login").load() is None
    save(first.store("login"), KEPT)
    assert second.store("login").load() == KEPT
    again = KeptToken(
        Token("access-111111", "refresh-111111"), "f00", ended=True, placements={"refresh_token": "basic"}
    )
    save(second.store("login"), again)
    assert first.store("login").load() == again


def test_saving_the_same_tokens_again_keeps_them(keepers):
    first, second, _ = keepers
    save(first.store("login"), KEPT)
    save(first.store("login"), KEPT)
    assert second.store("login").load() == KEPT


def test_what_is_forgotten_is_gone(keepers, tmp_path):
    first, second, safe = keepers
    save(first.store("login"), KEPT)
    store = first.store("login")
    assert store.try_lock()
    store.forget()
    store.unlock()
    assert second.store("login").load() is None
    assert not any(b"000000" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not (safe and safe.held)


def test_a_safe_holds_the_secrets_and_the_file_only_their_names(open_keeper, tmp_path):
    safe = Safe()
    store = open_keeper(vault=safe).store("login")
    for n in range(3):
        save(store, KeptToken(Token(f"access-{n}", f"refresh-{n}")))
    assert sorted(safe.held.values()) == ["access-2", "refresh-2"]
    assert not any(b"access-" in path.read_bytes() for path in tmp_path.rglob("*.json"))


def test_a_safe_that_is_locked_is_found_out_before_a_token_is_spent(open_keeper):
    class Locked(Safe):
        def set_password(self, service, name, secret):
            raise RuntimeError(f"locked, {secret} not kept")

    store = open_keeper(vault=Locked()).store("login")
    assert store.try_lock()
    with pytest.raises(StorageFailed, match="keyring does not work"):
        store.prepare()
    store.unlock()


def test_apps_hosts_and_ways_of_signing_in_do_not_mix(open_keeper):
    stores = [
        open_keeper().store("login"),
        open_keeper().store("client_credentials"),
        open_keeper(client_id="other").store("login"),
        open_keeper(auth_url="https://other").store("login"),
    ]
    for n, store in enumerate(stores):
        save(store, KeptToken(Token(f"access-{n}")))
    assert [store.load().token.access_token for store in stores] == [f"access-{n}" for n in range(4)]
    assert open_keeper(auth_url="https://auth/").store("login").load() == stores[0].load()


def test_files_are_for_their_owner_alone_whatever_the_umask(open_keeper):
    before = os.umask(0)
    try:
        keeper = open_keeper()
        save(keeper.store("login"), KEPT)
    finally:
        os.umask(before)
    assert stat.S_IMODE(keeper.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in keeper.folder.iterdir()} == {0o600}


def test_the_lock_keeps_others_out_until_it_is_given_back(open_keeper):
    first, second = open_keeper().store("login"), open_keeper().store("login")
    assert first.try_lock()
    assert not second.try_lock()
    first.unlock()
    assert second.try_lock()
    second.unlock()


def test_what_a_killed_process_wrote_and_did_not_move_is_taken_up(open_keeper):
    keeper = open_keeper()
    save(keeper.store("login"), KeptToken(Token("access-old")))
    (path,) = keeper.folder.glob("*.json")
    new = json.loads(path.read_text())
    new["token"]["access_token"] = "access-new"
    path.with_name(path.name + ".new").write_bytes(json.dumps(new).encode() + b" " * 5000)
    store = open_keeper().store("login")
    assert store.load().token.access_token == "access-old"
    assert store.try_lock()
    assert store.load().token.access_token == "access-new"
    store.unlock()
    assert not list(keeper.folder.glob("*.new"))


@pytest.mark.parametrize("left", [b"", b" " * 8192, b'{"token": {"access'])
def test_what_a_killed_process_did_not_finish_is_left_out(open_keeper, left):
    keeper = open_keeper()
    save(keeper.store("login"), KEPT)
    (path,) = keeper.folder.glob("*.json")
    path.with_name(path.name + ".new").write_bytes(left)
    store = open_keeper().store("login")
    assert store.try_lock()
    assert store.load() == KEPT
    store.unlock()


def test_room_that_was_not_needed_is_given_back(open_keeper):
    keeper = open_keeper()
    store = keeper.store("login")
    assert store.try_lock()
    store.prepare()
    assert [path.stat().st_size for path in keeper.folder.glob("*.new")] == [8192]
    store.unlock()
    assert not list(keeper.folder.glob("*.new"))


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}{", b'{"token": {"no": "token"}}', b'{"token": 5}'])
def test_a_damaged_file_is_no_sign_in(open_keeper, damage):
    keeper = open_keeper()
    save(keeper.store("login"), KEPT)
    (path,) = keeper.folder.glob("*.json")
    path.write_bytes(damage)
    assert keeper.store("login").load() is None


def test_a_full_disk_is_found_out_before_the_old_token_is_spent(open_keeper, clock, tmp_path):
    """The place of the new file is taken by a folder: it cannot be opened."""

    async def send(path, headers, form):
        raise AssertionError("a token was spent")

    keeper = open_keeper()
    save(keeper.store("login"), KeptToken(Token("", "refresh-000000")))
    (path,) = keeper.folder.glob("*.json")
    path.with_name(path.name + ".new").mkdir()
    import asyncio

    bearer = Bearer(send=send, clock=clock, client_id="id", client_secret="secret", keeper=keeper)
    with pytest.raises(StorageFailed, match="cannot be kept"):
        asyncio.run(bearer.token())


async def test_two_processes_in_a_race_renew_once(open_keeper, clock):
    """In one process here, but with stores and locks of their own; the real thing is an acceptance test."""
    import asyncio

    asked = []

    async def send(path, headers, form):
        asked.append(form["refresh_token"])
        await asyncio.sleep(0.01)
        return 200, json.dumps({"access_token": f"a{len(asked)}", "refresh_token": "r2", "expires_in": 3599}).encode()

    save(open_keeper().store("login"), KeptToken(Token("old", "r1", 3599.0, "2026-11-20T00:00:00Z")))
    bearers = [
        Bearer(send=send, clock=clock, client_id="id", client_secret="secret", keeper=open_keeper()) for _ in range(5)
    ]
    tokens = await asyncio.gather(*(bearer.token() for bearer in bearers))
    assert {token.access_token for token in tokens} == {"a1"}
    assert asked == ["r1"]
