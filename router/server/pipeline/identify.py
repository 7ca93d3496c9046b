"""Stage 1b, identify: which document a request means, and whether that one may run.

A request has the text itself, or a hash or id of one that the server has: from a manifest, or
learnt before (automatic persisted queries). Every transport asks here, so the allow-list holds for
all of them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import structlog

from router.server.errors import RequestError, RequestErrorCode, RouterConfigError
from router.server.lru import LruCache
from router.server.persisted.allow_list import AllowList
from router.server.persisted.automatic import AutomaticDocuments, SharedStore
from router.server.settings import PersistedDocuments

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.server.pipeline.read import GraphQLRequest
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics

__all__ = ["DocumentFinder"]

_log = structlog.get_logger(__name__)

_MAX_REPORTED = 10_000
_MAX_REPORTED_CHARACTERS = 4_000_000


class DocumentFinder:
    """Finds documents for all requests of a process. Raises RouterConfigError for a manifest that
    cannot be used.
    """

    def __init__(self, settings: RouterSettings, metrics: Metrics) -> None:
        self._count = metrics.persisted_document
        self._enforces = settings.persisted_documents is PersistedDocuments.ENFORCE
        self._listed = _allow_list(settings)
        # While the list is enforced there is nothing to learn from clients.
        learns = settings.apq and not self._enforces
        self._learnt = _automatic(settings, self._count) if learns else None
        self._reported: LruCache[str, str] = LruCache(
            max_entries=_MAX_REPORTED, max_weight=_MAX_REPORTED_CHARACTERS
        )

    async def find(self, request: GraphQLRequest) -> str:
        """Return the text of the document to run.

        Raises RequestError for a hash or id that is not known, a hash that is not the text's, and a
        document that may not run.
        """
        text = request.query
        listed = self._listed
        if listed is None:
            if request.digest is None and text is not None:
                return text  # as nearly always
            return await self._find(request)
        await listed.refresh()
        text = await self._find(request)
        if not listed.allows(text):
            self._notice(text, request)
        return text

    async def aclose(self) -> None:
        """Close the connections to the shared store."""
        if self._learnt is not None:
            await self._learnt.aclose()

    async def _find(self, request: GraphQLRequest) -> str:
        text = request.query
        if text is None:
            identifier = request.document_id or request.digest or ""
            return self._known(identifier) or await self._recall(request)
        if request.digest is not None and self._learnt is not None:
            await self._learnt.register(request.digest, text)
        return text

    def _known(self, identifier: str) -> str | None:
        text = None if self._listed is None else self._listed.find(identifier)
        if text is not None:
            self._count("listed")
        return text

    async def _recall(self, request: GraphQLRequest) -> str:
        """Return what was learnt from an earlier request, or refuse as the client understands."""
        if request.digest is None or self._learnt is None:
            if self._listed is not None:
                self._count("not_listed")
                raise RequestError(
                    RequestErrorCode.PERSISTED_QUERY_NOT_IN_LIST,
                    "There is no document of this id",
                    well_formed=True,
                )
            # Clients with automatic persisted queries take this message as the sign to send whole
            # texts from now on.
            raise RequestError(
                RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
                "PersistedQueryNotSupported",
                well_formed=True,
            )
        text = self._learnt.recall(request.digest) or await self._learnt.find(request.digest)
        if text is None:
            # Status and message are Apollo's: the sign to send the text together with the hash.
            raise RequestError(
                RequestErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound", status=200
            )
        return text

    def _notice(self, text: str, request: GraphQLRequest) -> None:
        """Count a document beside the list, log it when it is new, refuse it if so set."""
        self._count("refused" if self._enforces else "reported")
        if self._reported.get(text) is None:
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            self._reported.put(text, digest, len(text))
            _log.warning(
                "document not in the allow-list",
                operation=request.operation_name,
                sha256=digest,
                refused=self._enforces,
            )
        if self._enforces:
            raise RequestError(
                RequestErrorCode.QUERY_NOT_IN_SAFELIST,
                "Only the documents of the allow-list may run",
            )


def _allow_list(settings: RouterSettings) -> AllowList | None:
    if settings.persisted_documents is PersistedDocuments.OFF:
        return None
    if not settings.persisted_documents_files:
        raise RouterConfigError("persisted_documents needs persisted_documents_files")
    return AllowList(
        settings.persisted_documents_files, check_interval=settings.persisted_documents_interval
    )


def _automatic(settings: RouterSettings, count: Callable[[str], None]) -> AutomaticDocuments:
    store: SharedStore | None = None
    if settings.apq_redis_url is not None:
        # Imported here: the client costs memory and start-up time that others need not pay.
        from router.server.persisted.redis_store import RedisStore

        store = RedisStore(
            settings.apq_redis_url.get_secret_value(),
            ttl=settings.apq_ttl,
            timeout=settings.apq_redis_timeout,
            count=count,
        )
    return AutomaticDocuments(max_bytes=settings.apq_cache_bytes, store=store, count=count)
