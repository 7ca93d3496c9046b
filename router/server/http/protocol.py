"""uvicorn's HTTP protocol, which can also cut a connection off.

uvicorn waits for peers that do not read to take what is buffered, which such a peer never does. The
end of a stream that has such a client needs more than ASGI has.
"""

from __future__ import annotations

from typing import Any, cast

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from router.server.http.subscription_stream import ABORT_EXTENSION

__all__ = ["HttpProtocol"]


class HttpProtocol(HttpToolsProtocol):
    """One connection; requests have the ASGI extension ``router.http.abort``."""

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"] = {ABORT_EXTENSION: {"abort": self.transport.abort}}
