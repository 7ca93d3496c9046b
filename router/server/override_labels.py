"""Progressive ``@override``: which labels are on for a request.

``percent(5)`` is on for 5 % of the requests; what any other label means is in the settings. Whose
requests these are is decided by a point between 0 and 1: at random for each request, or the same
for all requests of one client, when a header tells clients apart. Labels of the form ``percent(x)``
share the point, so who is among the first 5 % is among the first 10 % too; every other label has a
point of its own, so that two roll-outs do not meet the same clients.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.server.headers import ForwardedHeaders
    from router.server.settings import RouterSettings
    from router.supergraph import Supergraph

__all__ = ["OverrideLabels"]

_PERCENT = re.compile(r"percent\((\d{1,3}(?:\.\d{1,8})?)\)")
_NONE: frozenset[str] = frozenset()


class OverrideLabels:
    """Switches the labels of one supergraph."""

    def __init__(self, labels: Iterable[str], settings: RouterSettings) -> None:
        shares = {label: _share(label, settings.override_labels.get(label)) for label in labels}
        self._always = frozenset(label for label, share in shares.items() if share >= 1.0)
        self._sometimes = tuple(
            (label, share, b"" if _PERCENT.fullmatch(label) else label.encode())
            for label, share in sorted(shares.items())
            if 0.0 < share < 1.0
        )
        self.likely = self._always.union(
            label for label, share, _ in self._sometimes if share >= 0.5
        )
        self._sticky_header = settings.override_sticky_header

    @classmethod
    def of(cls, supergraph: Supergraph, settings: RouterSettings) -> OverrideLabels | None:
        """Return the switch for a supergraph, None when it has no labels."""
        labels = _NONE.union(*supergraph.override_labels.values())
        return cls(labels, settings) if labels else None

    def on_for(self, headers: ForwardedHeaders) -> frozenset[str]:
        """Return the labels that are on for a request with these headers."""
        if not self._sometimes:
            return self._always
        client = self._client(headers)
        return self._always.union(
            label for label, share, salt in self._sometimes if _point(client, salt) < share
        )

    def _client(self, headers: ForwardedHeaders) -> bytes:
        """Return what tells clients apart; of a request that says nothing, something random."""
        for name, value in headers:
            if name == self._sticky_header and value:
                return _subject(value) or value.encode()
        return os.urandom(16)


def _share(label: str, setting: bool | float | None) -> float:
    if isinstance(setting, bool):
        return float(setting)
    if setting is not None:
        return setting / 100
    percent = _PERCENT.fullmatch(label)
    return float(percent[1]) / 100 if percent else 0.0


def _point(client: bytes, salt: bytes) -> float:
    return int.from_bytes(blake2b(client, digest_size=8, key=salt[:64]).digest()) / 2**64


def _subject(value: str) -> bytes | None:
    """Return whom a bearer token is for, since the token itself is another one after a while.

    Nothing is verified: who lies about it has chosen a share, and nothing else.
    """
    scheme, _, token = value.partition(" ")
    parts = token.split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return None
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except (binascii.Error, ValueError):
        return None
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject.encode() if isinstance(subject, str) else None
