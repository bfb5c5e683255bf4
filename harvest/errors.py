"""Every error raised on purpose, as one tree; branches are named after what the catcher will do.

    HarvestError                 exit 1
    ├─ SettingsError             exit 2   names the setting and where to set it
    │  ├─ ExtraMissing                    a library that one of harvest's extras brings
    │  └─ SeedError              exit 2   this address cannot be a seed, or cannot be resolved
    ├─ QueryError                exit 2   a question to the file that it cannot answer, and where it goes wrong
    ├─ OutOfTime                 exit 7   a question that took longer than it was given
    ├─ AuthError                 exit 3
    │  ├─ LoginNeeded                     no one is signed in
    │  │  └─ CredentialsMissing           nothing to sign in with
    │  ├─ TokenRefused                    the service refuses what we have
    │  └─ AppRefused                      the service refuses the app, whatever it asks for
    ├─ ApiError                           carries request, status and a bounded piece of the reply
    │  ├─ TransientError                  ask again later
    │  │  ├─ Unreachable                  reset, timeout, a body cut short
    │  │  │  └─ NoConnection              no name, no answer at the address: no list is to blame
    │  │  ├─ RateLimited                  429; may say how long to wait
    │  │  └─ ServerTrouble                5xx, a plain-text 404, a body that is not JSON
    │  ├─ Challenged                      a block of the whole client: 202 challenge, HTML 403; wait, then ask again
    │  ├─ Unauthorized                    401: renew the token once, ask again
    │  ├─ PermanentError                  asking again is useless; the list ends, the crawl goes on
    │  │  ├─ Gone                         404 as JSON
    │  │  ├─ Forbidden                    403 as JSON, twice
    │  │  ├─ BadRequest                   400 and other 4xx
    │  │  └─ Withdrawn                    refused for every list of a kind
    │  └─ UnexpectedReply                 the API changed shape; the list becomes `unreadable`
    ├─ Blocked                   exit 5   the service keeps refusing us or cannot be reached; state kept
    └─ StoreError                exit 4
       ├─ NothingThere                    no file, or one that never got its tables
       ├─ NotADatabase                    the file is something else
       ├─ SchemaTooNew                    written by a newer harvest
       ├─ CrawlBusy                       another process holds this file
       ├─ KeyMissing                      something was forgotten in it, under a key that is not here
       └─ StorageFailed                   disk full, read-only, input/output error

Halted is no failure and stands outside the tree: a request that is no longer wanted. The engine catches it.

Exit codes: docs/settings.md. The first line of a class docstring is its default message.
"""

from __future__ import annotations

import errno
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

# The name on the package index, where `harvest` is another project.
DISTRIBUTION = "soundcloud-harvest"


class HarvestError(Exception):
    """Something went wrong that has no better name."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class Halted(Exception):
    """The crawl asks for nothing more: it was stopped, or its budget is spent.

    Not a cancellation, which belongs to the caller that cancels: timeouts and task groups count theirs.
    """


class SettingsError(HarvestError):
    """A setting is wrong or missing."""

    exit_code: ClassVar[int] = 2


class ExtraMissing(SettingsError):
    """A library is missing that one of harvest's extras brings."""

    def __init__(self, what: str, library: str, extra: str) -> None:
        super().__init__(f"{what} needs {library}: {how_to_install(extra)}")


def how_to_install(extra: str) -> str:
    """Give the command that adds an extra to the very Python that runs: from where harvest came itself. By the name
    `harvest`, a package index would give another project.
    """
    pip, clone = f"{shlex.quote(sys.executable)} -m pip install", Path(__file__).parents[1]
    if (clone / "pyproject.toml").is_file():
        return f"{pip} -e {shlex.quote(f'{clone}[{extra}]')}"
    if _came_from_an_index():
        return f"{pip} '{DISTRIBUTION}[{extra}]'"
    return f"{pip} '.[{extra}]' in the clone of harvest"


def _came_from_an_index() -> bool:
    """Say whether we were installed by name: a folder, a file or an address would have been written down (PEP 610)."""
    from importlib.metadata import PackageNotFoundError, distribution  # slow, and wanted here alone

    try:
        return distribution(DISTRIBUTION).read_text("direct_url.json") is None
    except PackageNotFoundError:
        return False


_STORAGE = (
    *("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_FULL", "SQLITE_INTERRUPT"),
    *("SQLITE_IOERR", "SQLITE_LOCKED", "SQLITE_NOMEM", "SQLITE_NOTADB", "SQLITE_READONLY"),
)


class PluginError(SettingsError):
    """A plug-in does not work, or is missing where a file needs it."""

    @classmethod
    def of(cls, plugin: str, why: object) -> PluginError:
        """Say what is wrong with a plug-in, and how to continue without it."""
        line = " ".join(str(why).split())
        return cls(f"The plug-in {plugin} does not work: {line}. HARVEST_PLUGINS=0 does without plug-ins.")

    @classmethod
    @contextmanager
    def blaming(cls, plugin: str, what: str) -> Iterator[None]:
        """Raise PluginError, which names the plug-in, for what goes wrong within; not for our own errors, or where the
        disk or the file is at fault.
        """
        try:
            yield
        except HarvestError:
            raise
        except Exception as error:
            if _is_of_storage(error):
                raise
            raise cls.of(plugin, f"{what}: {type(error).__name__}: {error}") from error


def _is_of_storage(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE)
    return getattr(error, "sqlite_errorname", "").startswith(_STORAGE)


class SeedError(SettingsError):
    """This address cannot be a seed."""


class QueryError(HarvestError):
    """The query cannot be answered."""

    exit_code: ClassVar[int] = 2


class OutOfTime(HarvestError):
    """The query took longer than it was given."""

    exit_code: ClassVar[int] = 7


class AuthError(HarvestError):
    """Signing in failed."""

    exit_code: ClassVar[int] = 3


class LoginNeeded(AuthError):
    """You are not signed in."""


class CredentialsMissing(LoginNeeded):
    """There is nothing to sign in with."""


class TokenRefused(AuthError):
    """SoundCloud refuses your credentials."""


class AppRefused(AuthError):
    """SoundCloud refuses this app."""


class ApiError(HarvestError):
    """A request did not bring what was asked for.

    `request` is method, path and query without secrets; `status` is 0 when no status line arrived; `reply` is
    the beginning of the body as text, kept as evidence; `attempts` says how often we asked before giving up. A refusal
    that came `quietly` has stopped no other request yet. `body` is all of an unreadable reply, where replies are kept.
    """

    name: ClassVar[str] = "api"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, *, request: str = "", status: int = 0, reply: str = "") -> None:
        super().__init__(message)
        self.request = request
        self.status = status
        self.reply = reply
        self.attempts = 1
        self.quietly = False
        self.body: bytes | None = None


class TransientError(ApiError):
    """Asking again later may help."""

    name: ClassVar[str] = "transient"
    retryable: ClassVar[bool] = True


class Unreachable(TransientError):
    """SoundCloud did not answer."""

    name: ClassVar[str] = "unreachable"


class NoConnection(Unreachable):
    """The address of the API does not answer."""


class ServerTrouble(TransientError):
    """SoundCloud returned a server error."""

    name: ClassVar[str] = "server"


class RateLimited(TransientError):
    """The service asks us to slow down; `wait_seconds` is None when it does not say for how long."""

    name: ClassVar[str] = "rate_limited"

    def __init__(
        self,
        message: str | None = None,
        *,
        request: str = "",
        status: int = 429,
        reply: str = "",
        wait_seconds: float | None = None,
    ) -> None:
        super().__init__(message, request=request, status=status, reply=reply)
        self.wait_seconds = wait_seconds


class Challenged(ApiError):
    """SoundCloud blocks this client for now."""

    name: ClassVar[str] = "challenged"
    retryable: ClassVar[bool] = True


class Unauthorized(ApiError):
    """SoundCloud did not accept the token."""

    name: ClassVar[str] = "unauthorized"


class PermanentError(ApiError):
    """Trying again is useless."""

    name: ClassVar[str] = "permanent"


class Gone(PermanentError):
    """Deleted, private, or hidden from the API."""

    name: ClassVar[str] = "gone"


class Forbidden(PermanentError):
    """SoundCloud does not allow reading this list."""

    name: ClassVar[str] = "forbidden"


class BadRequest(PermanentError):
    """SoundCloud rejects the request as malformed."""

    name: ClassVar[str] = "bad_request"


class Withdrawn(PermanentError):
    """SoundCloud no longer returns lists of this kind."""

    name: ClassVar[str] = "withdrawn"


class UnexpectedReply(ApiError):
    """The reply has an unknown format."""

    name: ClassVar[str] = "unexpected_reply"


def failure_classes() -> list[str]:
    """List the names under which the failures of lists are kept."""
    return sorted(set(failures_by_name()) - {ApiError.name, TransientError.name, PermanentError.name})


def failures_by_name() -> dict[str, type[ApiError]]:
    """Give the errors of lists by the names under which they are kept; of two of one name the more general."""
    branches: list[type[ApiError]] = [ApiError]
    for branch in branches:
        branches += branch.__subclasses__()
    return {error.name: error for error in reversed(branches)}


class Blocked(HarvestError):
    """SoundCloud keeps refusing requests or cannot be reached."""

    exit_code: ClassVar[int] = 5


class StoreError(HarvestError):
    """The database file cannot be used."""

    exit_code: ClassVar[int] = 4


class NothingThere(StoreError):
    """There is no harvest yet."""


class NotADatabase(StoreError):
    """The file is not a harvest database."""


class SchemaTooNew(StoreError):
    """The file was written by a newer version of harvest."""


class CrawlBusy(StoreError):
    """Another process is crawling into this file."""


class KeyMissing(StoreError):
    """This file has forgotten people, and their key is missing."""


class StorageFailed(StoreError):
    """The file cannot be written."""
