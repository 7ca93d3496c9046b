"""uvicorn's WebSocket protocol, with two endings of our own.

uvicorn closes sockets at shutdown with 1012 and waits for peers that do not read to take what is
buffered, which such a peer never does. Ours says 1001, which clients of graphql-transport-ws
reconnect after, and cuts stuck peers off.
"""

from __future__ import annotations

from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from router.server.websocket.messages import CloseCode

__all__ = ["WebSocketProtocol"]


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection; uvicorn makes it when a client asks for an upgrade."""

    @override
    def shutdown(self) -> None:
        """Send 1001 and close; called for every open connection when the server stops."""
        if not self.handshake_complete or self.close_sent or self.conn.state is not State.OPEN:
            super().shutdown()
            return
        self.stop_keepalive()
        code, reason = int(CloseCode.GOING_AWAY), "Going away"
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
        self._abort_if_stuck()

    @override
    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._abort_if_stuck()

    @override
    async def run_asgi(self) -> None:
        await super().run_asgi()
        self._abort_if_stuck()

    def _abort_if_stuck(self) -> None:
        """Give up a peer that has stopped reading: close() alone would wait for it for ever."""
        if not self.writable.is_set():
            self.transport.abort()
