"""Asking a running subgraph for its SDL: ``{ _service { sdl } }``, as Federation defines it."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import orjson

from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IntrospectionError", "fetch_sdl"]

_QUERY: Final = b'{"query":"query SubgraphSDL { _service { sdl } }"}'
_TIMEOUT: Final = 10.0  # seconds
_MAX_BYTES: Final = 64 * 1024 * 1024


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
        with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
            body = response.read(_MAX_BYTES)
    except urllib.error.HTTPError as error:
        with error:  # GraphQL servers may well answer 400 with a proper error
            body = error.read(_MAX_BYTES)
    except (OSError, ValueError) as error:
        message = f'Cannot fetch the schema from "{url}": {error}.'
        raise IntrospectionError(ErrorCode.SUBGRAPH_UNREACHABLE, message) from error
    return _sdl_of(body, url)


def _sdl_of(body: bytes, url: str) -> str:
    try:
        answer = orjson.loads(body)
        sdl = answer["data"]["_service"]["sdl"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError) as error:
        message = f'"{url}" does not answer {{ _service {{ sdl }} }}; is it a federation subgraph?'
        raise IntrospectionError(ErrorCode.SUBGRAPH_WITHOUT_SERVICE, message) from error
    if not isinstance(sdl, str) or not sdl.strip():
        message = f'"{url}" answers {{ _service {{ sdl }} }} with an empty schema.'
        raise IntrospectionError(ErrorCode.SUBGRAPH_WITHOUT_SERVICE, message)
    return sdl
