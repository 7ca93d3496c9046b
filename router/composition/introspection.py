"""Asking a running subgraph for its SDL: ``{ _service { sdl } }``, as Federation defines it."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson

from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IntrospectionError", "fetch_sdl"]

_QUERY: Final = b'{"query":"query SubgraphSDL { _service { sdl } }"}'
_TIMEOUT: Final = 10.0  # seconds, for the connection and for the whole answer
_MAX_BYTES: Final = 64 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_EXCERPT: Final = 200  # characters of what a server says


class IntrospectionError(Exception):
    """A subgraph that could not be asked, or has no answer."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def fetch_sdl(url: str, headers: Mapping[str, str], *, timeout: float = _TIMEOUT) -> str:
    """Ask the subgraph at ``url`` for its SDL; ``timeout`` in seconds.

    Raises:
        IntrospectionError: it cannot be reached, or does not answer ``_service { sdl }``.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        message = f'Cannot fetch the schema from "{url}": only http and https are supported.'
        raise IntrospectionError(ErrorCode.CONFIG_INVALID, message)
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url,
        data=_QUERY,
        headers={"content-type": "application/json", "accept": "application/json", **headers},
    )
    try:
        status, body = _ask(request, timeout)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        message = f'Cannot fetch the schema from "{url}": {str(reason) or type(reason).__name__}.'
        raise IntrospectionError(ErrorCode.SUBGRAPH_UNREACHABLE, message) from error
    return _sdl_of(body, url, status)


def _ask(request: urllib.request.Request, timeout: float) -> tuple[int, bytes]:
    """Status and body of the answer, whatever the status."""
    deadline = time.monotonic() + timeout
    response: HTTPResponse | urllib.error.HTTPError
    try:
        response = urllib.request.urlopen(request, timeout=timeout)  # noqa: S310 - see above
    except urllib.error.HTTPError as error:
        response = error  # GraphQL servers may well answer 400 with a proper error
    with response:
        return response.status or 0, _read(response, deadline)


def _read(response: HTTPResponse | urllib.error.HTTPError, deadline: float) -> bytes:
    """The whole answer. A server that sends a byte now and then must not hold us for ever."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > _MAX_BYTES:
            message = f"the answer is longer than {_MAX_BYTES} bytes"
            raise OSError(message)
        if time.monotonic() > deadline:
            message = "timed out"
            raise TimeoutError(message)
    return b"".join(chunks)


def _sdl_of(body: bytes, url: str, status: int) -> str:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = body[:_EXCERPT].decode("utf-8", "replace").strip() or "nothing"
        raise _without_service(url, f"HTTP {status}, and no JSON: {said}") from None
    try:
        sdl = answer["data"]["_service"]["sdl"]
    except (KeyError, TypeError, IndexError):
        raise _without_service(url, _first_error(answer) or f"HTTP {status}") from None
    if not isinstance(sdl, str) or not sdl.strip():
        raise _without_service(url, "an empty schema")
    return sdl


def _first_error(answer: Any) -> str | None:
    """The message of a GraphQL answer's first error."""
    try:
        return str(answer["errors"][0]["message"])[:_EXCERPT]
    except (KeyError, TypeError, IndexError):
        return None


def _without_service(url: str, said: str) -> IntrospectionError:
    message = f'"{url}" does not answer {{ _service {{ sdl }} }}. It says: {said}.'
    return IntrospectionError(ErrorCode.SUBGRAPH_WITHOUT_SERVICE, message)
