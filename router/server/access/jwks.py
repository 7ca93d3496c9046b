"""Where an issuer's keys come from: a secret, or a JWKS document by URL or file, cached.

A document is read again, in the background, when it has become old, and at once for a key id that
it lacks, since keys rotate. But never more often than once per interval, however many tokens with
invented ids come, and by one task for all who wait. While the endpoint is down the keys known last
stay in use.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
import structlog

from router.server.access.issuers import Algorithm
from router.server.access.keys import KeySet, VerificationKey, read_jwks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from pathlib import Path

__all__ = [
    "Jwks",
    "KeySource",
    "KeysUnavailableError",
    "SharedSecret",
    "read_file",
    "read_url",
]

_log = structlog.get_logger(__name__)

_MAX_DOCUMENT_BYTES: Final = 512 * 1024


class KeysUnavailableError(Exception):
    """The keys have never been read, so no token can be checked."""


class KeySource(Protocol):
    """The keys of one issuer."""

    @property
    def version(self) -> int:
        """Grows when the keys change: what was verified before may not be good any more."""
        ...

    def keep_fresh(self) -> None:
        """Look whether the keys have become old; costs next to nothing."""
        ...

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """Return the key of a token, None when there is none.

        Raises KeysUnavailableError.
        """
        ...

    async def aclose(self) -> None:
        """Give up what is under way."""
        ...


class SharedSecret:
    """One secret that issuer and router share (HS256)."""

    version = 0

    def __init__(self, secret: str) -> None:
        self._key = VerificationKey(None, Algorithm.HS256, secret.encode())

    def keep_fresh(self) -> None:
        """Do nothing: a secret only changes with the settings."""

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        return self._key if algorithm == self._key.algorithm else None

    async def aclose(self) -> None:
        """Do nothing."""


class Jwks:
    """The keys of a JWKS document that ``read`` gets.

    Args:
        read: gets the document; raises OSError, TimeoutError, ValueError or aiohttp.ClientError.
        algorithms: of the keys that are wanted.
        max_age: seconds after which it is read again.
        min_interval: seconds between two attempts at least.
        name: what the log calls it.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[bytes]],
        algorithms: Collection[Algorithm],
        *,
        max_age: float,
        min_interval: float,
        name: str,
    ) -> None:
        self._read = read
        self._algorithms = algorithms
        self._max_age = max_age
        self._min_interval = min_interval
        self._name = name
        self._keys: KeySet | None = None
        self._refresh_at = float("-inf")
        self._tried_at = float("-inf")
        self._running: asyncio.Task[None] | None = None
        self.version = 0

    def keep_fresh(self) -> None:
        """Begin to read the document again when it has become old."""
        if self._running is None and asyncio.get_running_loop().time() >= self._refresh_at:
            self._begin()

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """Return the key of a token, None when there is none. Raises KeysUnavailableError."""
        self.keep_fresh()
        found = self._keys.find(kid, algorithm) if self._keys is not None else None
        if found is not None:
            return found
        self._begin()
        if self._running is not None:
            await asyncio.shield(self._running)
        if self._keys is None:
            raise KeysUnavailableError
        return self._keys.find(kid, algorithm)

    async def aclose(self) -> None:
        """Give up reading."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    def _begin(self) -> None:
        """Read the document, unless that is under way or was tried a moment ago."""
        loop = asyncio.get_running_loop()
        if self._running is None and loop.time() - self._tried_at >= self._min_interval:
            self._tried_at = loop.time()
            self._running = loop.create_task(self._refresh(), name="jwks")

    async def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            keys = read_jwks(await self._read(), self._algorithms)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            _log.warning("jwks not read", jwks=self._name, error=repr(error))
            self._refresh_at = loop.time() + self._min_interval
        else:
            if self._keys is not None and keys.fingerprint != self._keys.fingerprint:
                self.version += 1
                _log.info("jwks changed", jwks=self._name, keys=len(keys.keys))
            self._keys = keys
            self._refresh_at = loop.time() + self._max_age
        finally:
            self._running = None


def read_url(url: str, *, timeout: float) -> Callable[[], Awaitable[bytes]]:
    """Return what gets a document by HTTP; redirects are not followed."""

    async def read() -> bytes:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            document = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                document += chunk
                if len(document) > _MAX_DOCUMENT_BYTES:
                    raise ValueError("the document is too large")
            return bytes(document)

    return read


def read_file(path: Path) -> Callable[[], Awaitable[bytes]]:
    """Return what reads a document from a file."""

    async def read() -> bytes:
        return await asyncio.to_thread(path.read_bytes)

    return read
