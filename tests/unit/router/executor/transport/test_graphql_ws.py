"""The graphql-transport-ws client against a real WebSocket server that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from router.executor import SubgraphRequest, SubscriptionError, SubscriptionFailure
from router.executor.transport import NetworkTransport, TransportSettings, network_transport

REQUEST = SubgraphRequest(
    body=b'{"query":"subscription{n}"}', connection_init={"authorization": "Bearer t"}
)


@dataclass
class Server:
    """Acknowledges and then only listens; tests send what they want by ``send``."""

    acknowledge: bool = True
    subprotocols: tuple[str, ...] = ("graphql-transport-ws",)
    port: int = 0
    connections: list[ServerConnection] = field(default_factory=list)
    messages: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    closes: asyncio.Queue[int | None] = field(default_factory=asyncio.Queue)

    async def handle(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        try:
            async for text in connection:
                message = orjson.loads(text)
                self.messages.put_nowait(message)
                if message["type"] == "connection_init" and self.acknowledge:
                    await self.send({"type": "connection_ack"}, connection)
        except ConnectionClosed:
            pass
        self.closes.put_nowait(connection.close_code)

    async def send(self, message: Any, connection: ServerConnection | None = None) -> None:
        text = message if isinstance(message, str) else orjson.dumps(message).decode()
        await (connection or self.connections[-1]).send(text)

    async def next(self, kind: str) -> dict[str, Any]:
        """Return the next message from the client, which has to be of a kind."""
        async with asyncio.timeout(5):
            message = await self.messages.get()
        assert message["type"] == kind
        return message

    async def event(self, id_: str, n: int) -> None:
        await self.send({"id": id_, "type": "next", "payload": {"data": {"n": n}}})


@asynccontextmanager
async def setup(
    server: Server, settings: TransportSettings | None = None
) -> AsyncIterator[NetworkTransport]:
    subprotocols = [Subprotocol(name) for name in server.subprotocols] or None
    async with serve(server.handle, "127.0.0.1", 0, subprotocols=subprotocols) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        transport = network_transport(f"http://127.0.0.1:{server.port}/graphql", settings)
        try:
            yield transport
        finally:
            await transport.aclose()


def first_of(transport: NetworkTransport) -> tuple[Any, asyncio.Task[Any]]:
    """Subscribe and start waiting for the first event."""
    stream = transport.subscribe(REQUEST)
    return stream, asyncio.ensure_future(anext(stream))


async def test_events_come_in_order_until_complete() -> None:
    server = Server()
    async with setup(server) as transport:
        stream, first = first_of(transport)
        init = await server.next("connection_init")
        subscribe = await server.next("subscribe")
        for n in range(3):
            await server.event("1", n)
        await server.send({"id": "1", "type": "complete"})

        got = [await first, *[event async for event in stream]]

        assert got == [{"data": {"n": n}} for n in range(3)]
        assert init["payload"] == {"authorization": "Bearer t"}
        assert subscribe == {
            "id": "1",
            "type": "subscribe",
            "payload": {"query": "subscription{n}"},
        }
        assert await server.closes.get() == 1000
        assert server.messages.empty()


async def test_subscriptions_of_the_same_client_share_a_connection() -> None:
    server = Server()
    async with setup(server) as transport:
        one, first = first_of(transport)
        two, second = first_of(transport)
        await server.next("connection_init")
        await server.next("subscribe")
        await server.next("subscribe")
        await server.event("2", 2)
        await server.event("1", 1)
        assert (await first, await second) == ({"data": {"n": 1}}, {"data": {"n": 2}})

        await one.aclose()
        assert await server.next("complete") == {"id": "1", "type": "complete"}
        await server.event("1", 9)
        await server.event("2", 3)
        assert await anext(two) == {"data": {"n": 3}}
        await two.aclose()

        assert await server.next("complete") == {"id": "2", "type": "complete"}
        assert await server.closes.get() == 1000
        assert len(server.connections) == 1


async def test_another_payload_means_another_connection() -> None:
    server = Server()
    async with setup(server) as transport:
        one, first = first_of(transport)
        other = transport.subscribe(SubgraphRequest(body=b"{}", connection_init={}))
        second = asyncio.ensure_future(anext(other))
        kinds = [(await server.messages.get())["type"] for _ in range(4)]
        assert sorted(kinds) == ["connection_init"] * 2 + ["subscribe"] * 2
        assert len(server.connections) == 2
        for stream, task in ((one, first), (other, second)):
            task.cancel()
            await asyncio.wait([task])
            await stream.aclose()
        assert {await server.closes.get(), await server.closes.get()} == {1000}


async def test_pings_are_answered_before_and_after_the_acknowledgement() -> None:
    server = Server(acknowledge=False)
    async with setup(server) as transport:
        stream, first = first_of(transport)
        await server.next("connection_init")
        await server.send({"type": "ping"})
        await server.next("pong")
        await server.send({"type": "connection_ack"})
        await server.next("subscribe")
        await server.send({"type": "ping", "payload": {"x": 1}})
        await server.next("pong")
        await server.event("1", 1)
        assert await first == {"data": {"n": 1}}
        await stream.aclose()


async def test_an_error_message_rejects_the_subscription_only() -> None:
    server = Server()
    async with setup(server) as transport:
        _, first = first_of(transport)
        other, second = first_of(transport)
        await server.next("connection_init")
        await server.next("subscribe")
        await server.next("subscribe")
        await server.send({"id": "1", "type": "error", "payload": [{"message": "no"}]})
        await server.event("2", 1)

        with pytest.raises(SubscriptionError) as caught:
            await first
        assert caught.value.failure is SubscriptionFailure.REJECTED
        assert caught.value.errors == [{"message": "no"}]
        assert await second == {"data": {"n": 1}}
        await other.aclose()


@pytest.mark.parametrize("after_event", [True, False])
async def test_a_lost_connection_ends_its_subscriptions_after_what_has_come(
    after_event: bool,
) -> None:
    server = Server()
    async with setup(server) as transport:
        stream, first = first_of(transport)
        await server.next("connection_init")
        await server.next("subscribe")
        if after_event:
            await server.event("1", 1)
        await server.connections[0].close(1011)
        if after_event:
            assert await first == {"data": {"n": 1}}
            first = asyncio.ensure_future(anext(stream))

        with pytest.raises(SubscriptionError) as caught:
            await first

        assert caught.value.failure is SubscriptionFailure.LOST
        again, task = first_of(transport)
        await server.next("connection_init")
        await server.next("subscribe")
        await server.event("1", 5)
        assert await task == {"data": {"n": 5}}
        await again.aclose()


async def refused(transport: NetworkTransport) -> SubscriptionError:
    async with aclosing(transport.subscribe(REQUEST)) as stream:
        with pytest.raises(SubscriptionError) as caught:
            await anext(stream)
    return caught.value


async def test_no_acknowledgement_in_time_is_a_refusal() -> None:
    server = Server(acknowledge=False)
    async with setup(server, TransportSettings(websocket_open_timeout=0.05)) as transport:
        assert (await refused(transport)).failure is SubscriptionFailure.REFUSED
        assert await server.closes.get() == 1000


async def test_a_server_that_closes_during_init_is_a_refusal() -> None:
    server = Server(acknowledge=False)
    async with setup(server) as transport:
        _, first = first_of(transport)
        await server.next("connection_init")
        await server.connections[0].close(4403, "Forbidden")
        with pytest.raises(SubscriptionError) as caught:
            await first
        assert caught.value.failure is SubscriptionFailure.REFUSED


async def test_a_server_without_the_subprotocol_is_a_refusal() -> None:
    async with setup(Server(subprotocols=())) as transport:
        assert (await refused(transport)).failure is SubscriptionFailure.REFUSED


async def test_nobody_there_is_a_refusal() -> None:
    server = Server()
    async with setup(server):
        pass
    transport = network_transport(f"http://127.0.0.1:{server.port}/graphql")
    assert (await refused(transport)).failure is SubscriptionFailure.REFUSED


@pytest.mark.parametrize("text", ["no json", "[]", '{"id":"1","type":"surprise"}'])
async def test_a_server_that_breaks_the_protocol_is_left_with_4400(text: str) -> None:
    server = Server()
    async with setup(server) as transport:
        _, first = first_of(transport)
        await server.next("connection_init")
        await server.next("subscribe")
        await server.send(text)
        with pytest.raises(SubscriptionError) as caught:
            await first
        assert caught.value.failure is SubscriptionFailure.LOST
        assert await server.closes.get() == 4400


async def test_a_consumer_that_is_too_slow_is_told_after_all_it_had_room_for() -> None:
    server = Server()
    async with setup(server, TransportSettings(max_waiting_events=2)) as transport:
        stream, first = first_of(transport)
        await server.next("connection_init")
        await server.next("subscribe")
        await server.event("1", 0)
        assert await first == {"data": {"n": 0}}
        for n in range(1, 5):
            await server.event("1", n)
        assert await server.next("complete") == {"id": "1", "type": "complete"}

        assert await anext(stream) == {"data": {"n": 1}}
        assert await anext(stream) == {"data": {"n": 2}}
        with pytest.raises(SubscriptionError) as caught:
            await anext(stream)
        assert caught.value.failure is SubscriptionFailure.OVERFLOW


async def test_cancelling_while_the_connection_opens_closes_it() -> None:
    server = Server(acknowledge=False)
    async with setup(server) as transport:
        _, first = first_of(transport)
        await server.next("connection_init")
        first.cancel()
        await asyncio.wait([first])
        assert await server.closes.get() == 1000


async def test_closing_the_transport_ends_its_subscriptions() -> None:
    server = Server()
    async with setup(server) as transport:
        _, first = first_of(transport)
        await server.next("connection_init")
        await server.next("subscribe")
        await transport.aclose()
        with pytest.raises(SubscriptionError) as caught:
            await first
        assert caught.value.failure is SubscriptionFailure.LOST
        assert await server.closes.get() == 1000
