"""What an operator may set about connections to a subgraph."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TransportSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """Limits of one subgraph's connections; times in seconds, sizes in bytes.

    ``keep_alive`` is how long an idle connection is used again. It is to be shorter than the
    server's own limit (5 s with uvicorn and Node), else requests meet connections that are just
    being closed. ``max_waiting`` requests may wait for one of ``max_connections``.
    ``max_response_size`` bounds an answer both as it comes and decompressed. ``compression`` offers
    gzip to the subgraph: worth it across data centres, a loss on one machine.
    """

    max_connections: int = 100
    max_waiting: int = 1000
    connect_timeout: float = 5.0
    keep_alive: float = 4.0
    max_response_size: int = 16 * 1024 * 1024
    compression: bool = False
    websocket_open_timeout: float = 10.0
    websocket_close_timeout: float = 2.0
    max_event_size: int = 4 * 1024 * 1024
    max_waiting_events: int = 1000  # per subscription, before it overflows
    max_waiting_bytes: int = 1024 * 1024  # the same, by the length of their messages
    ping_interval: float = 20.0  # between WebSocket pings to the subgraph, which must answer ...
    ping_timeout: float = 20.0  # ... within this, or the connection is lost
