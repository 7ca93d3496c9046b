"""Searching users: what is typed becomes terms, every shard gives its best, the best come first."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING

from shared.errors import BadUserInputError
from shared.pagination import KeyPart, Keyset
from shared.sharding import ScatterQuery, scatter
from shared.text import folded_words
from subgraphs.users.repository import SearchTerms
from subgraphs.users.service.profiles import present

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.limits import RateLimit, RateLimiter
    from shared.sharding import ScatterPage, Shards
    from subgraphs.users.repository import FoundUser, SearchRepository
    from subgraphs.users.service.profiles import Profile

__all__ = ["SearchService", "search_terms"]

_MAX_QUERY = 100
_MAX_WORDS = 8
_MAX_WORD = 64
_HANDLE = re.compile(r"[a-z0-9_]{2,30}", re.ASCII)
_KEY = (KeyPart.INTEGER, KeyPart.INTEGER, KeyPart.UUID)


def search_terms(query: str) -> SearchTerms:
    """What to look for.

    Raises:
        BadUserInputError: nothing to look for in it, or more than anybody types. One letter is
            enough in scripts whose words are that short, not in ASCII.
    """
    if len(query) > _MAX_QUERY:
        message = f"query may have at most {_MAX_QUERY} characters."
        raise BadUserInputError(message, field="query")
    typed = query.strip().removeprefix("@").lower()
    handle = typed if _HANDLE.fullmatch(typed) else None
    found = dict.fromkeys(word[:_MAX_WORD] for word in folded_words(query))
    words = tuple(found)[:_MAX_WORDS]
    text = "".join(words)
    if handle is None and (not text or (len(text) < 2 and text.isascii())):
        raise BadUserInputError("query needs at least 2 letters or digits.", field="query")
    return SearchTerms(handle=handle, words=words)


class SearchService:
    """Finds users for a viewer."""

    def __init__(
        self,
        shards: Shards,
        repository: SearchRepository,
        limiter: RateLimiter,
        limit: RateLimit | None,
    ) -> None:
        self._shards = shards
        self._repository = repository
        self._limiter = limiter
        self._limit = limit

    async def search(
        self, viewer: Viewer, query: str, *, first: int, after: str | None
    ) -> ScatterPage[Profile]:
        """Active users whose handle begins with ``query``, or whose name has words that begin with
        its words; who has blocked the viewer is not found. One statement per shard.

        Raises:
            BadUserInputError: nothing to search for, or a cursor of another search.
            RateLimitedError: the viewer searches too often.
        """
        terms = search_terms(query)
        if viewer.user_id is not None:
            await self._limiter.hit(self._limit, str(viewer.user_id))
        found = await scatter(self._shards, self._query(viewer, terms), first=first, after=after)
        return found.map(lambda user: present(user.seen, viewer))

    def _query(self, viewer: Viewer, terms: SearchTerms) -> ScatterQuery[FoundUser]:
        # in the name, so that a cursor goes on only with the search that it came from
        digest = hashlib.blake2b(repr(terms).encode(), digest_size=8).hexdigest()
        return ScatterQuery(
            keyset=Keyset(f"users:search:{digest}", _KEY),
            key=lambda user: user.key,
            fetch=partial(self._repository.list_matches, viewer.user_id, terms),
        )
