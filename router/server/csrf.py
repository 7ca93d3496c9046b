"""CSRF prevention: operations run only for requests that another site's page cannot have made
silently.

A browser lets any page send GET requests and forms anywhere, with the user's cookies and from
inside the user's network. It asks first (a CORS preflight, which the server refuses to unknown
origins) as soon as a request has a header or content type that forms do not have. So a request must
have one. Browsers also say themselves where a request comes from: ``Sec-Fetch-Site`` cannot be set
by a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from router.server.headers import RequestHeaders

__all__ = ["require_preflight"]

_SIMPLE_CONTENT_TYPES = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
)


def require_preflight(headers: RequestHeaders) -> None:
    """Raise ``CSRF_ERROR`` unless the request proves that no other site's page is behind it."""
    if headers.preflighted:
        return
    content_type = headers.get(b"content-type")
    if content_type is not None:
        media_type = content_type.partition(b";")[0].strip().lower().decode("latin-1")
        if media_type and media_type not in _SIMPLE_CONTENT_TYPES:
            return
    if headers.get(b"sec-fetch-site") in {b"same-origin", b"none"}:
        return
    raise RequestError(
        RequestErrorCode.CSRF_ERROR,
        "This request could have been made by another site without a CORS preflight. "
        "Send a content-type of application/json, or a non-empty header apollo-require-preflight.",
    )
