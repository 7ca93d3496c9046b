"""Apollo's multipart protocol for subscriptions, version 1.0
(https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol).

Every part is a JSON object: ``payload`` is a GraphQL response; ``{}`` a heartbeat; ``errors``
beside the payload null say that the subscription has ended by a failure that is no event's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from router.server.http.multipart import ENDING, OPENING, json_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.executor.context import ErrorDict

__all__ = ["MultipartStream"]


class MultipartStream:
    """Writes results as parts (see ``stream_format.StreamFormat``)."""

    opening = OPENING
    heartbeat = json_part(b"{}")
    ending = ENDING

    def result(self, payload: bytes) -> bytes:
        return json_part(b'{"payload":' + payload + b"}")

    def failure(self, errors: Sequence[ErrorDict]) -> bytes:
        return json_part(orjson.dumps({"payload": None, "errors": errors}))
