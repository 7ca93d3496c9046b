"""Text messages to phones: an interface, a console for development, and an HTTP gateway.

A gateway gets ``POST <url>`` with ``{"to", "text", "from"}`` as JSON, the token as a bearer token,
and an ``Idempotency-Key`` that stays the same when the request is sent again. Any 2xx answer means
that it has taken the message over. Most providers speak this, or a small adapter does.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import aiohttp
import structlog

from shared.errors import ErrorCode, SocialnetError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = [
    "ConsoleSmsSender",
    "HttpSmsSender",
    "NoSmsSender",
    "SmsError",
    "SmsGateway",
    "SmsMessage",
    "SmsSender",
]

_log = structlog.get_logger(__name__)

_FIRST_PAUSE = 0.2  # seconds before the second attempt; doubled for each further one
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsMessage:
    """A message to one number (E.164). ``id`` lets a gateway know it when it comes again."""

    to: str
    text: str
    id: str = field(default_factory=lambda: uuid4().hex)


class SmsError(SocialnetError):
    """The message could not be handed over; whose fault it is, is in the log."""

    def __init__(self, *, retryable: bool = True) -> None:
        message = "The message could not be sent."
        super().__init__(ErrorCode.INTERNAL_SERVER_ERROR, message, {"retryable": retryable})


class SmsSender(Protocol):
    """Hands messages over to who delivers them."""

    async def send(self, message: SmsMessage) -> None:
        """Return once the message has been taken over. Raises ``SmsError`` when it was not."""
        ...


class ConsoleSmsSender:
    """Writes messages to the log. For development only: they hold codes."""

    async def send(self, message: SmsMessage) -> None:
        """Log the message, as a warning: it is to be seen whatever is logged."""
        _log.warning("text message", to=message.to, text=message.text)


class NoSmsSender:
    """Refuses: no gateway has been set up."""

    async def send(self, message: SmsMessage) -> None:
        """Refuse."""
        _log.error("text message not sent: USERS_SMS_URL is not set")
        raise SmsError(retryable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsGateway:
    """How a gateway is reached. ``timeout`` in seconds is for each of the ``attempts``."""

    url: str
    token: str | None = None
    sender: str | None = None
    timeout: float = 5.0
    attempts: int = 3


class HttpSmsSender:
    """Sends messages through a gateway; an asynchronous context manager, which holds its
    connections.

    What may pass (no answer, 429, 5xx) is tried again; another refusal is not.
    """

    def __init__(self, gateway: SmsGateway) -> None:
        self._gateway = gateway
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=self._gateway.timeout)
        self._http = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def send(self, message: SmsMessage) -> None:
        """Send the message."""
        for attempt in range(self._gateway.attempts):
            if attempt:
                pause = _FIRST_PAUSE * 2 ** (attempt - 1)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
            failure = await self._try(message)
            if failure is None:
                return
            _log.warning("text message not taken", attempt=attempt + 1, reason=failure.reason)
            if not failure.may_pass:
                raise SmsError(retryable=False)
        raise SmsError

    async def _try(self, message: SmsMessage) -> _Failure | None:
        if self._http is None:
            raise RuntimeError("the sender has not been opened")
        headers = {"idempotency-key": message.id}
        if self._gateway.token is not None:
            headers["authorization"] = f"Bearer {self._gateway.token}"
        body = {"to": message.to, "text": message.text}
        if self._gateway.sender is not None:
            body["from"] = self._gateway.sender
        try:
            async with self._http.post(
                self._gateway.url, json=body, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            return _Failure(type(error).__name__, may_pass=True)
        if 200 <= status < 300:
            return None
        return _Failure(str(status), may_pass=status == _TOO_MANY_REQUESTS or status >= 500)


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    may_pass: bool
