"""HTTP with TLS, by aiohttp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from router.executor.transport.base import (
    RESPONSE_CONTENT_TYPES,
    AnswerTooLargeError,
    ConnectionLostError,
    NotReachedError,
    SubgraphRequest,
    SubgraphResponse,
    TooManyWaitingError,
    UnreadableAnswerError,
)
from router.executor.transport.encoding import ACCEPT_ENCODING, content_encoding, decode_body
from router.executor.transport.http_pool import OWN_HEADERS
from router.executor.transport.multipart import MultipartBody

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
        self._running = 0

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._settings.max_connections, keepalive_timeout=self._settings.keep_alive
            )
            # total: the caller has the time limit; None switches off aiohttp's own of five minutes
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                trust_env=False,
                auto_decompress=False,  # within our limit instead
                cookie_jar=aiohttp.DummyCookieJar(),  # subgraphs' cookies are for clients
                skip_auto_headers=("accept-encoding", "user-agent"),
            )
        return self._session

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send a request. Raises TransportError."""
        if self._running >= self._settings.max_connections + self._settings.max_waiting:
            raise TooManyWaitingError("Too many requests wait for the subgraph.")
        self._running += 1
        try:
            return await self._execute(request)
        except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError):
            raise NotReachedError("The subgraph cannot be reached.") from None
        except aiohttp.ConnectionTimeoutError:
            raise NotReachedError("The subgraph cannot be reached.") from None
        except (aiohttp.ClientResponseError, ValueError):
            raise UnreadableAnswerError("The subgraph did not answer with HTTP.") from None
        except (aiohttp.ClientError, OSError):
            raise ConnectionLostError("The connection to the subgraph broke off.") from None
        finally:
            self._running -= 1

    async def _execute(self, request: SubgraphRequest) -> SubgraphResponse:
        form = MultipartBody(request) if request.files else None
        async with self._open().post(
            self._url,
            data=request.body if form is None else form.chunks(),
            headers=self._headers(request, form),
            allow_redirects=False,
            ssl=True if self._tls is None else self._tls,
        ) as response:
            body = await self._read(response)
        seen = tuple((name.lower(), value) for name, value in response.headers.items())
        limit = self._settings.max_response_size
        body = decode_body(body, content_encoding(seen), limit)
        return SubgraphResponse(response.status, body, seen)

    def _headers(
        self, request: SubgraphRequest, form: MultipartBody | None
    ) -> list[tuple[str, str]]:
        about_body: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
        if form is not None:
            about_body = (*form.headers, ("content-length", str(form.length)))
        headers = [
            *about_body,
            ("accept", RESPONSE_CONTENT_TYPES),
            *((name, value) for name, value in request.headers if name.lower() not in OWN_HEADERS),
        ]
        if self._settings.compression:
            headers.append(("accept-encoding", ACCEPT_ENCODING))
        return headers

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._settings.max_response_size:
                raise AnswerTooLargeError
            chunks.append(chunk)
        return b"".join(chunks)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
