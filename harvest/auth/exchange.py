"""Ask the token service, with id and secret where it wants them.

in: how to build a request; out: a Token; never: a retry of what was refused, but for id and secret in the other place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from harvest.auth import grants
from harvest.auth.grants import InvalidClient, Placement, Token, TokenRequest
from harvest.system import redaction
from harvest.system.clock import Clock, as_text

Send = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[tuple[int, bytes]]]

# The documented places (developers.soundcloud.com guide); both sides were changed in March 2026.
USUAL: Mapping[str, Placement] = {
    "client_credentials": "basic",
    "refresh_token": "body",
    "authorization_code": "body",
}


class Exchange:
    """The token calls of this process, and where the service was last willing to find id and secret."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._other: dict[str, Placement] = {}

    @property
    def placements(self) -> Mapping[str, Placement]:
        """Where id and secret went, for those grants where the usual place was not understood."""
        return dict(self._other)

    def recall(self, placements: Mapping[str, Placement]) -> None:
        """Take up what an earlier process found out."""
        self._other = {grant: place for grant, place in placements.items() if grant in USUAL}

    async def ask(self, grant: str, build: Callable[[Placement], TokenRequest]) -> Token:
        """Ask with id and secret in the usual place, and once in the other one if that is not understood."""
        first = self._other.get(grant, USUAL[grant])
        try:
            return await self._exchange(build(first))
        except InvalidClient:
            other: Placement = "body" if first == "basic" else "basic"
            token = await self._exchange(build(other))
            self._other[grant] = other
            return token

    async def _exchange(self, request: TokenRequest) -> Token:
        status, body = await self._send(request.path, request.headers, request.form)
        token = grants.read_token(status, body, obtained_at=as_text(self._clock.now()))
        redaction.remember(token.access_token, token.refresh_token)
        return token
