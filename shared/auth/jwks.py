"""Where a verifier gets public keys from: a fixed set, or a JWKS document fetched by URL and
cached.

The remote source follows rotation: an unknown key id makes it fetch again, but not more often than
the minimum interval, so that tokens with invented ids cannot turn a service into a load on its
neighbour. When a fetch fails, the keys known so far stay in use.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import aiohttp
import structlog

from shared.auth.errors import SigningKeysUnavailableError
from shared.auth.keys import PublicKey, read_jwks
from shared.telemetry import propagation_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["KeySource", "RemoteKeys", "StaticKeys"]

_log = structlog.get_logger(__name__)

_MAX_DOCUMENT_BYTES = 64 * 1024


class KeySource(Protocol):
    """Finds the public key that a token names."""

    async def find(self, kid: str) -> PublicKey | None:
        """The key, or None when there is no such key.

        ``SigningKeysUnavailableError`` when that cannot be known.
        """
        ...


class StaticKeys:
    """Keys known beforehand: in the service that signs, in one process, in tests."""

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        self._keys = {key.kid: key for key in keys}

    async def find(self, kid: str) -> PublicKey | None:
        """The key with this id."""
        return self._keys.get(kid)


class RemoteKeys:
    """Keys of a JWKS document at ``url``, fetched at first use.

    Args:
        url: where the issuer publishes its keys.
        max_age: seconds after which the document is fetched again, so that withdrawn keys are
            forgotten.
        min_interval: seconds between two fetches at least.
        timeout: seconds for one fetch.
    """

    def __init__(
        self,
        url: str,
        *,
        max_age: float = 300.0,
        min_interval: float = 5.0,
        timeout: float = 5.0,
    ) -> None:
        self._url = url
        self._max_age = max_age
        self._min_interval = min_interval
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._keys: dict[str, PublicKey] | None = None
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> PublicKey | None:
        """The key with this id, after a fetch if the cached document is old or lacks it."""
        if (key := self._cached(kid)) is not None:
            return key
        # all who miss wait for one fetch
        async with self._lock:
            if (key := self._cached(kid)) is not None:
                return key
            if asyncio.get_running_loop().time() - self._tried_at >= self._min_interval:
                await self._refresh()
            if self._keys is None:
                raise SigningKeysUnavailableError
            return self._keys.get(kid)

    def _cached(self, kid: str) -> PublicKey | None:
        now = asyncio.get_running_loop().time()
        # an old document is still good between two attempts to renew it
        fresh = now - self._fetched_at < self._max_age or now - self._tried_at < self._min_interval
        return self._keys.get(kid) if fresh and self._keys is not None else None

    async def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        self._tried_at = loop.time()
        try:
            self._keys = read_jwks(await self._fetch())
            self._fetched_at = loop.time()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            _log.warning("jwks fetch failed", error=type(error).__name__)

    async def _fetch(self) -> bytes:
        async with (
            aiohttp.ClientSession(timeout=self._timeout) as http,
            http.get(self._url, allow_redirects=False, headers=propagation_headers()) as response,
        ):
            if response.status != 200:
                raise ValueError("the JWKS endpoint did not answer 200")
            document = await response.content.read(_MAX_DOCUMENT_BYTES + 1)
            if len(document) > _MAX_DOCUMENT_BYTES:
                raise ValueError("the JWKS document is too large")
            return document
