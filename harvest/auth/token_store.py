"""Keep the Token on disk, private, replaced in one move; one file per app, sign-in host and way of signing in.

in: what a renewal brought; out: the same, to any process of this user; never: `.env`, a database, a secret in an error.

Rule 1. Who renews holds the lock. Readers need none: a file is replaced whole or not at all.
Rule 2. Room is made before a refresh token is spent, so that a full disk or a folder that cannot be written is found
out while the old token still counts.
Rule 3. A new pair is written beside the file, brought to the disk, then moved over it. What was written and not moved
is found by the process that has the lock next. So a kill loses a pair only between the arrival of the answer and the
return of one write() into a file that is open already: well under a millisecond. (A power cut: until the fsync after
it.)
Rule 4. Files are 0600 in a folder of 0700. On Windows the user's profile protects them, modes mean nothing there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from harvest.auth.grants import Placement, Token
from harvest.errors import StorageFailed
from harvest.system import redaction

_ROOM = 8192


@dataclass(frozen=True, slots=True)
class KeptToken:
    """What outlives a process: where a chain of tokens stands, how it began, whose it is."""

    token: Token | None = None
    origin: str = ""  # fingerprint of the token it began with, when that came from outside
    ended: bool = False  # nothing more comes of it
    user: str = ""  # the name of the person, for a login
    user_urn: str = ""
    placements: Mapping[str, Placement] = field(default_factory=dict)


class TokenStore(Protocol):
    """Where one chain of tokens outlives the process."""

    where: str

    def load(self) -> KeptToken | None:
        """Give what was saved last."""

    def prepare(self) -> None:
        """Make sure that the next `save` will succeed; the caller has the lock."""

    def save(self, kept: KeptToken) -> None:
        """Keep this durably, before it is used; the caller has the lock."""

    def forget(self) -> None:
        """Keep nothing any more; the caller has the lock."""

    def try_lock(self) -> bool:
        """Keep other processes from renewing, if none is at it."""

    def unlock(self) -> None:
        """Let the others."""


class Keeper(Protocol):
    """Gives the store of each way of signing in."""

    def store(self, kind: str) -> TokenStore:
        """Give the store of one way of signing in."""


class MemoryStore:
    """Tokens that end with the process."""

    where = "the memory of this process"

    def __init__(self, kept: KeptToken | None = None) -> None:
        self._kept = kept

    def load(self) -> KeptToken | None:
        """Give what was saved last."""
        return self._kept

    def prepare(self) -> None:
        """Do nothing: there is room."""

    def save(self, kept: KeptToken) -> None:
        """Keep this until the process ends."""
        self._kept = kept

    def forget(self) -> None:
        """Keep nothing any more."""
        self._kept = None

    def try_lock(self) -> bool:
        """Do nothing: no other process sees it."""
        return True

    def unlock(self) -> None:
        """Do nothing."""


class MemoryKeeper:
    """Stores that end with the process."""

    def __init__(self) -> None:
        self._stores: dict[str, MemoryStore] = {}

    def store(self, kind: str) -> TokenStore:
        """Give the store of one way of signing in."""
        return self._stores.setdefault(kind, MemoryStore())


class AppKeeper:
    """Of the stores of another keeper that of the app itself: the person who is signed in stays out of it."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def store(self, kind: str) -> TokenStore:
        """Give the store of one way of signing in; of any but the app's own, one that is empty."""
        return self._keeper.store(kind) if kind == "client_credentials" else MemoryStore()


class Vault(Protocol):
    """A safe for short secrets: the `keyring` module, or a stand-in."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """Give a secret."""

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Keep a secret."""

    def delete_password(self, service: str, username: str, /) -> None:
        """Drop a secret."""


class FileKeeper:
    """Stores in a folder, shared by all processes of this user; apps and hosts do not mix.

    With an `api_url`, what is kept is for this one address of the API alone.
    """

    def __init__(
        self, folder: Path, *, client_id: str, auth_url: str, api_url: str = "", vault: Vault | None = None
    ) -> None:
        self.folder = folder
        self._owner = {"client_id": client_id, "auth_url": auth_url.rstrip("/")}
        if api_url:
            self._owner["api_url"] = api_url.rstrip("/")
        self._vault = vault
        self._stores: dict[str, FileStore] = {}

    def store(self, kind: str) -> TokenStore:
        """Give the store of one way of signing in."""
        if kind not in self._stores:
            whose = hashlib.sha256("\n".join(self._owner.values()).encode()).hexdigest()[:16]
            path = self.folder / f"{kind}-{whose}.json"
            label = {"kind": kind, **self._owner}
            self._stores[kind] = VaultStore(path, label, self._vault) if self._vault else FileStore(path, label)
        return self._stores[kind]


class FileStore:
    """One chain of tokens in one file."""

    def __init__(self, path: Path, label: Mapping[str, str]) -> None:
        self._path = path
        self._new = path.with_name(path.name + ".new")
        self._label = dict(label)
        self._lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600, thread_local=False)
        self._room: int | None = None
        self.where = str(path)

    def load(self) -> KeptToken | None:
        """Give what was saved last; a damaged file is no sign-in."""
        with self._storage_errors():
            return self._read(self._path)

    def prepare(self) -> None:
        """Open the file of the next `save` and take its room on the disk."""
        with self._storage_errors():
            self._close_room()
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            self._room = os.open(self._new, flags, 0o600)
            with contextlib.suppress(AttributeError):  # Windows
                os.fchmod(self._room, 0o600)
            os.write(self._room, b" " * _ROOM)
            os.lseek(self._room, 0, os.SEEK_SET)

    def save(self, kept: KeptToken) -> None:
        """Keep this durably."""
        if self._room is None:
            self.prepare()
        with self._storage_errors():
            assert self._room is not None
            os.write(self._room, self._sealed(kept))  # from here on a kill loses nothing; blanks at its end are JSON
            os.fsync(self._room)
            self._close_room()
            self._move()

    def forget(self) -> None:
        """Remove the file."""
        with self._storage_errors():
            self._close_room()
            self._path.unlink(missing_ok=True)
            self._new.unlink(missing_ok=True)
            self._settle()

    def try_lock(self) -> bool:
        """Keep other processes from renewing, if none is at it; take up what a killed one has left."""
        with self._storage_errors():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.parent.chmod(0o700)
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                return False
            try:
                self._recover()
            except BaseException:
                self._lock.release()
                raise
            return True

    def unlock(self) -> None:
        """Let the others."""
        if self._room is not None:  # prepared and not used: the answer was no
            self._close_room()
            with contextlib.suppress(OSError):
                self._new.unlink(missing_ok=True)
        self._lock.release()

    def _recover(self) -> None:
        if self._read(self._new) is not None:  # brought by a process that was killed before the move
            self._move()

    def _move(self) -> None:
        self._new.replace(self._path)
        self._settle()

    def _settle(self) -> None:
        """Bring the folder's own entry to the disk."""
        if os.name == "nt":
            return
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _close_room(self) -> None:
        if self._room is not None:
            os.close(self._room)
            self._room = None

    def _read(self, path: Path) -> KeptToken | None:
        try:
            record = json.loads(path.read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        return self._opened(record) if isinstance(record, dict) else None

    def _sealed(self, kept: KeptToken) -> bytes:
        return json.dumps({"version": 1, **self._label, **asdict(kept)}, indent=1).encode()

    def _opened(self, record: dict[str, Any]) -> KeptToken | None:
        try:
            token = Token(**record["token"]) if record.get("token") else None
            known = {f.name: record[f.name] for f in fields(KeptToken) if f.name in record}
        except (TypeError, KeyError):
            return None
        if token:
            redaction.remember(token.access_token, token.refresh_token)
        return KeptToken(**{**known, "token": token})

    @contextlib.contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageFailed(
                f"The sign-in cannot be kept in {self._path.parent} ({error.strerror or type(error).__name__}). Make "
                "room or give access there, or set HARVEST_CREDENTIAL_STORE=memory to sign in again for each run."
            ) from error


class VaultStore(FileStore):
    """The tokens in the system's safe, the rest in the file.

    Access and refresh token are two short entries (Windows keeps 2,560 bytes at most), under names that change with
    each save: the file that names them is replaced in one move, so a kill leaves the old pair or the new one.
    """

    def __init__(self, path: Path, label: Mapping[str, str], vault: Vault) -> None:
        super().__init__(path, label)
        self._vault = vault
        self.where = f"the system's keyring (named in {path})"

    def prepare(self) -> None:
        """Take the room on the disk, and see that the safe can be written."""
        super().prepare()
        with self._safe_errors():
            self._vault.set_password("harvest", f"{self._path.stem}-probe", "probe")
            self._vault.delete_password("harvest", f"{self._path.stem}-probe")

    def save(self, kept: KeptToken) -> None:
        """Keep this durably, then drop what it replaces."""
        before = self._names(self._path)
        super().save(kept)
        for name in set(before) - set(self._names(self._path)):
            self._drop(name)

    def forget(self) -> None:
        """Remove the file and its secrets."""
        names = self._names(self._path)
        super().forget()
        for name in names:
            self._drop(name)

    def _sealed(self, kept: KeptToken) -> bytes:
        record = {"version": 1, **self._label, **asdict(kept)}
        if kept.token:
            turn = hashlib.sha256(kept.token.access_token.encode()).hexdigest()[:12]
            for part in ("access_token", "refresh_token"):
                secret, name = record["token"][part], f"{self._path.stem}-{turn}-{part}"
                if secret:
                    with self._safe_errors():
                        self._vault.set_password("harvest", name, secret)
                    record["token"][part] = {"keyring": name}
        return json.dumps(record, indent=1).encode()

    def _opened(self, record: dict[str, Any]) -> KeptToken | None:
        token = record.get("token")
        if isinstance(token, dict):
            for part in ("access_token", "refresh_token"):
                if isinstance(token.get(part), dict):
                    with self._safe_errors():
                        token[part] = self._vault.get_password("harvest", str(token[part].get("keyring")))
            if not (token.get("access_token") or token.get("refresh_token")):
                return None
            token["access_token"] = token.get("access_token") or ""
        return super()._opened(record)

    def _names(self, path: Path) -> list[str]:
        try:
            token = json.loads(path.read_bytes()).get("token") or {}
        except (OSError, ValueError, AttributeError):
            return []
        return [str(part["keyring"]) for part in token.values() if isinstance(part, dict)]

    @contextlib.contextmanager
    def _safe_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each system's safe has errors of its own
            raise StorageFailed(
                f"The keyring does not work ({type(error).__name__}): unlock it, or set HARVEST_CREDENTIAL_STORE=file."
            ) from error

    def _drop(self, name: str) -> None:
        with contextlib.suppress(Exception):  # the safe's own errors: what is left there is spent
            self._vault.delete_password("harvest", name)
