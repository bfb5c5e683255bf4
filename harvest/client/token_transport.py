"""Let the token requests of auth through the same line as everything else.

in: path, headers and form of a token request; out: status and body of an answer that speaks about credentials.
Throttling, blocks and trouble of the token service are waited out here: they are no lost session
(soundcloud/api issue 517). A token service that stays silent ends the run, since no list can be read without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from harvest.api import responses
from harvest.client.retry import Retry
from harvest.client.transport import Sender, ServiceAddress
from harvest.errors import Blocked, Challenged, TransientError

SIGN_OUT_PATH = "/sign-out"
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class TokenDoor:
    """The only way to the token service; it leads to no other host."""

    def __init__(self, sender: Sender, *, retry: Retry, auth_url: str = "https://secure.soundcloud.com") -> None:
        self._sender = sender
        self._retry = retry
        self._service = ServiceAddress(auth_url, "SOUNDCLOUD_AUTH_URL")

    async def __call__(self, path: str, headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a form and give status and body."""
        return await self._patiently(path, {**headers, "Content-Type": _FORM}, urlencode(form).encode("ascii"))

    async def sign_out(self, access_token: str) -> bool:
        """End a session; say whether there was one. The token stands in the body (official description, /sign-out)."""
        body = json.dumps({"access_token": access_token}).encode()
        status, _ = await self._patiently(SIGN_OUT_PATH, {"Content-Type": _JSON}, body)
        return status == 200

    async def _patiently(self, path: str, headers: Mapping[str, str], content: bytes) -> tuple[int, bytes]:
        async def attempt(failures: int) -> tuple[int, bytes]:
            slot = await self._sender.slot()
            with self._sender.pace.judged(slot):
                return await self._post(path, headers, content)

        try:
            return await self._retry.run(attempt)
        except TransientError as error:
            raise Blocked(
                f"SoundCloud's sign-in returned no token: {error} Everything fetched so far is kept; "
                "continue later with `harvest resume`."
            ) from error

    async def _post(self, path: str, headers: Mapping[str, str], content: bytes) -> tuple[int, bytes]:
        reply = await self._sender.send(
            "POST", self._service.at(path), headers=headers, content=content, shown=f"POST {path}"
        )
        now = self._sender.clock.now()
        if reply.status == 200:  # a sign-out may answer with nothing at all
            return reply.status, reply.body if path == SIGN_OUT_PATH else responses.success(reply, now=now)
        failure = responses.failure(reply, now=now)
        if isinstance(failure, TransientError | Challenged):
            failure.reply = ""  # whatever it says, an answer about tokens is not kept
            raise failure
        return reply.status, reply.body
