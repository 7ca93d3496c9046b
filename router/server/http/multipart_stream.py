"""Apollo's multipart protocol for subscriptions, version 1.0
(https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol).

Every part is a JSON object: ``payload`` is a GraphQL response; ``{}`` a heartbeat; ``errors``
beside the payload null say that the subscription has ended by a failure that is no event's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from router.server.http.multipart import MultipartBody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.executor.context import ErrorDict

__all__ = ["MultipartStream"]

_BODY: Final = MultipartBody("graphql")  # as negotiation.StreamType.MULTIPART says


class MultipartStream:
    """Writes results as parts (see ``stream_format.StreamFormat``)."""

    opening = _BODY.opening
    heartbeat = _BODY.part(b"{}")
    ending = _BODY.ending

    def result(self, payload: bytes) -> bytes:
        return _BODY.part(b'{"payload":' + payload + b"}")

    def failure(self, errors: Sequence[ErrorDict]) -> bytes:
        return _BODY.part(orjson.dumps({"payload": None, "errors": errors}))
