"""HTTP with TLS, by aiohttp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from router.executor.transport.base import (
    RESPONSE_CONTENT_TYPES,
    SubgraphRequest,
    SubgraphResponse,
    TransportError,
)
from router.executor.transport.http_pool import OWN_HEADERS

if TYPE_CHECKING:
    import ssl

    from router.executor.transport.settings import TransportSettings

__all__ = ["HttpsClient"]


class HttpsClient:
    """Sends requests to one ``https:`` URL. The session is opened with the first request.

    ``tls`` is for servers whose certificate the system does not know.
    """

    def __init__(
        self, url: str, settings: TransportSettings, tls: ssl.SSLContext | None = None
    ) -> None:
        self._url = url
        self._settings = settings
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._settings.max_connections, keepalive_timeout=self._settings.keep_alive
            )
            # the caller has the time limit; None switches off aiohttp's own one of five minutes
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(total=None), trust_env=False
            )
        return self._session

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send a request. Raises TransportError."""
        headers = [
            ("content-type", "application/json"),
            ("accept", RESPONSE_CONTENT_TYPES),
            *((name, value) for name, value in request.headers if name.lower() not in OWN_HEADERS),
        ]
        try:
            async with self._open().post(
                self._url,
                data=request.body,
                headers=headers,
                allow_redirects=False,
                ssl=True if self._tls is None else self._tls,
            ) as response:
                body = await self._read(response)
        except (aiohttp.ClientError, OSError, ValueError):
            raise TransportError("The subgraph cannot be reached.") from None
        seen = tuple((name.lower(), value) for name, value in response.headers.items())
        return SubgraphResponse(response.status, body, seen)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._settings.max_response_size:
                raise TransportError("The subgraph's answer is too large.")
            chunks.append(chunk)
        return b"".join(chunks)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
