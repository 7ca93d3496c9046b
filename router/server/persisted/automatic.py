"""Automatic persisted queries: a client sends a hash, and the text only when we do not know it.

Apollo's protocol: ``extensions.persistedQuery`` has ``version`` 1 and ``sha256Hash``, the SHA-256
of the document's text in UTF-8, in hexadecimal. Texts are kept in memory within bounds, and in a
store that all workers share if there is one.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Protocol

from router.server.errors import RequestError, RequestErrorCode
from router.server.lru import LruCache

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AutomaticDocuments", "SharedStore"]


class SharedStore(Protocol):
    """Where workers find each other's documents. It never raises: one that is down is empty."""

    async def get(self, digest: str) -> str | None:
        """Return the text of a hash, None when it is not known."""
        ...

    async def put(self, digest: str, text: str) -> None:
        """Keep a text for all workers."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class AutomaticDocuments:
    """Texts by their hash. ``count`` is told what came of each request: ``hit``, ``shared_hit``,
    ``miss`` or ``registered``.
    """

    def __init__(
        self, *, max_bytes: int, store: SharedStore | None, count: Callable[[str], None]
    ) -> None:
        # Bounded by bytes alone: an entry weighs at least as much as the smallest string.
        self._texts: LruCache[str, str] = LruCache(max_entries=max_bytes, max_weight=max_bytes)
        self._store = store
        self._count = count

    def recall(self, digest: str) -> str | None:
        """Return the text of a hash if it is in memory."""
        text = self._texts.get(digest)
        if text is not None:
            self._count("hit")
        return text

    async def find(self, digest: str) -> str | None:
        """Return the text of a hash that is not in memory, None when nobody knows it."""
        if self._store is not None and _is_digest(digest):
            text = await self._store.get(digest)
            if text is not None and _digest(text) == digest:  # others may write there too
                self._keep(digest, text)
                self._count("shared_hit")
                return text
        self._count("miss")
        return None

    async def register(self, digest: str, text: str) -> None:
        """Remember a text; raises ``PERSISTED_QUERY_HASH_MISMATCH`` when the hash is not its."""
        if self._texts.get(digest) == text:
            return
        if _digest(text) != digest:
            raise RequestError(
                RequestErrorCode.PERSISTED_QUERY_HASH_MISMATCH,
                "'sha256Hash' is not the SHA-256 of 'query'",
            )
        self._keep(digest, text)
        self._count("registered")
        if self._store is not None:
            await self._store.put(digest, text)

    async def aclose(self) -> None:
        """Close the connections to the shared store."""
        if self._store is not None:
            await self._store.aclose()

    def _keep(self, digest: str, text: str) -> None:
        self._texts.put(digest, text, sys.getsizeof(text) + sys.getsizeof(digest))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_digest(digest: str) -> bool:
    return len(digest) == 64 and digest.isascii() and digest.isalnum()
