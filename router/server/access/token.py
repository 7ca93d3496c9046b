"""Where a request carries its access token: a header with a scheme, or a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.server.access.verifier import invalid_token

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TokenSource"]


class TokenSource:
    """Finds the token.

    Args:
        header: lower-case name of the header, of which a request may have one.
        scheme: what stands before the token in it, in any case; empty for the bare token.
        cookie: name of a cookie to look for when the header is absent.
    """

    def __init__(self, header: str, scheme: str, cookie: str | None) -> None:
        self.header = header
        self._header = header.encode("latin-1")
        self._scheme = scheme.lower()
        self._cookie = cookie
        names = {self._header} if cookie is None else {self._header, b"cookie"}
        self.headers = frozenset(names)
        """The names of the headers that :meth:`find` has to be given."""

    def find(self, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        """Return the token, None when there is none.

        Raises RequestError (``INVALID_TOKEN``) for several headers or another scheme: which token
        counts must not be a matter of who reads them.
        """
        values = [value for name, value in headers if name == self._header]
        if len(values) > 1:
            raise invalid_token("The request has several access tokens")
        if values and (token := self.read(values[0].decode("latin-1"))) is not None:
            return token
        return None if self._cookie is None else self._from_cookie(headers)

    def read(self, value: str) -> str | None:
        """Return the token in a header's value, None when it is empty."""
        value = value.strip()
        if not value:
            return None
        if self._scheme:
            scheme, _, value = value.partition(" ")
            if scheme.lower() != self._scheme:
                raise invalid_token("The authorization scheme is not supported")
            value = value.strip()
        if not value or any(character in value for character in " ,"):
            raise invalid_token()
        return value

    def _from_cookie(self, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        found: list[str] = []
        for name, value in headers:
            if name == b"cookie":
                for pair in value.decode("latin-1").split(";"):
                    key, _, token = pair.partition("=")
                    if key.strip() == self._cookie and token.strip():
                        found.append(token.strip().strip('"'))
        if len(found) > 1:
            raise invalid_token("The request has several access tokens")
        return found[0] if found else None
