"""The HTTP/1.1 pool against servers that behave in all sorts of ways."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from router.executor import SubgraphRequest, TransportError
from router.executor.transport import (
    AnswerTooLargeError,
    NotReachedError,
    TooManyWaitingError,
    UnreadableAnswerError,
)
from router.executor.transport.http_connection import HttpConnection
from router.executor.transport.http_pool import HttpPool, tcp_connector, unix_connector
from router.executor.transport.settings import TransportSettings

QUERY = SubgraphRequest(body=b'{"query":"{n}"}', repeatable=True)
MUTATION = SubgraphRequest(body=b'{"query":"mutation{n}"}')
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Server:
    """Answers each request in turn; None closes the connection without an answer."""

    answers: list[bytes | None] = field(default_factory=list)
    close_after: bool = False
    hold: asyncio.Event | None = None
    port: int = 0
    connections: int = 0
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                self.requests.append((head, await reader.readexactly(length)))
                if self.hold is not None:
                    await self.hold.wait()
                answer = self.answers.pop(0) if self.answers else OK
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
                if self.close_after:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.closed.set()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


@asynccontextmanager
async def pool_to(
    server: Server, settings: TransportSettings | None = None
) -> AsyncIterator[HttpPool]:
    async with running(server):
        pool = HttpPool(
            tcp_connector("127.0.0.1", server.port),
            host="subgraph",
            target="/graphql?x=1",
            settings=settings or TransportSettings(),
        )
        try:
            yield pool
        finally:
            await pool.aclose()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something has happened."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the server under test has no event for it
            await asyncio.sleep(0.001)


async def test_a_request_has_what_a_server_needs_and_a_connection_is_used_again() -> None:
    server = Server()
    request = SubgraphRequest(
        body=b'{"query":"{n}"}',
        headers=(("authorization", "Bearer t"), ("Content-Length", "999"), ("host", "evil")),
        repeatable=True,
    )
    async with pool_to(server) as pool:
        response, *_ = [await pool.execute(request) for _ in range(3)]
        assert (response.status, response.body) == (200, b"{}")
        assert response.headers == (("content-type", "application/json"), ("content-length", "2"))
    assert server.connections == 1
    head, body = server.requests[0]
    assert body == b'{"query":"{n}"}'
    assert head.split("\r\n")[:3] == [
        "POST /graphql?x=1 HTTP/1.1",
        "host: subgraph",
        "content-type: application/json",
    ]
    assert "authorization: Bearer t" in head
    assert "999" not in head
    assert "evil" not in head


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}',
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
        b'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{"a":1}',
    ],
)
async def test_bodies_come_in_every_framing(answer: bytes) -> None:
    server = Server([answer, answer])
    async with pool_to(server) as pool:
        for _ in range(2):
            response = await pool.execute(QUERY)
            assert (response.status, response.body) == (200, b'{"a":1}')
    assert server.connections == 1


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
)
async def test_a_connection_that_the_server_ends_is_not_used_again(head: bytes) -> None:
    server = Server([head + b"{}"] * 2, close_after=True)
    async with pool_to(server) as pool:
        for _ in range(2):
            assert (await pool.execute(QUERY)).body == b"{}"
    assert server.connections == 2


async def test_status_204_has_no_body() -> None:
    async with pool_to(Server([b"HTTP/1.1 204 No Content\r\n\r\n"])) as pool:
        response = await pool.execute(QUERY)
    assert (response.status, response.body) == (204, b"")


async def test_a_query_is_repeated_once_when_a_used_connection_was_closed_meanwhile() -> None:
    server = Server([OK, None, OK])
    async with pool_to(server) as pool:
        await pool.execute(QUERY)
        assert (await pool.execute(QUERY)).body == b"{}"
    assert server.connections == 2
    assert len(server.requests) == 3


async def test_a_query_on_a_fresh_connection_is_not_repeated() -> None:
    server = Server([None, OK])
    async with pool_to(server) as pool:
        with pytest.raises(TransportError):
            await pool.execute(QUERY)
    assert len(server.requests) == 1


async def test_a_mutation_is_never_repeated() -> None:
    server = Server([OK, None, OK])
    async with pool_to(server) as pool:
        await pool.execute(MUTATION)
        with pytest.raises(TransportError):
            await pool.execute(MUTATION)
    assert len(server.requests) == 2


async def test_a_query_is_not_repeated_after_a_part_of_the_answer() -> None:
    server = Server([OK, b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"])
    async with pool_to(server) as pool:
        await pool.execute(QUERY)
        server.close_after = True
        with pytest.raises(TransportError, match="broke off"):
            await pool.execute(QUERY)
    assert len(server.requests) == 2


async def test_idle_connections_are_not_used_after_their_time() -> None:
    server = Server()
    async with pool_to(server, TransportSettings(keep_alive=0.0)) as pool:
        await pool.execute(QUERY)
        await asyncio.sleep(0.002)
        await pool.execute(QUERY)
    assert server.connections == 2


async def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    server = Server([OK + OK, OK])
    async with pool_to(server) as pool:
        assert (await pool.execute(QUERY)).body == b"{}"
        await server.closed.wait()
        assert (await pool.execute(QUERY)).body == b"{}"
    assert server.connections == 2


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"\x00\x01\x02\x03\r\n\r\n"])
async def test_what_is_not_http_fails(answer: bytes) -> None:
    async with pool_to(Server([answer])) as pool:
        with pytest.raises(TransportError, match="HTTP"):
            await pool.execute(QUERY)


async def test_answers_are_bounded() -> None:
    body = b"x" * 2000
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + body
    async with pool_to(Server([answer]), TransportSettings(max_response_size=1000)) as pool:
        with pytest.raises(TransportError, match="too large"):
            await pool.execute(QUERY)


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000,
        b"HTTP/1.1 103 Early\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;" + b"e" * 100_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + b"t: u\r\n" * 20_000,
    ],
)
async def test_all_that_is_no_body_is_bounded_too(flood: bytes) -> None:
    server = Server([flood])
    async with pool_to(server) as pool:
        with pytest.raises(AnswerTooLargeError):
            await pool.execute(QUERY)
        assert (await pool.execute(QUERY)).body == b"{}"


@pytest.mark.parametrize(
    "lie",
    [
        b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"content-length: -2\r\n\r\n{}",
        b"content-length: 99999999999999999999\r\n\r\n{}",
        b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
        b"transfer-encoding: chunked\r\n\r\nzz\r\n{}",
    ],
)
async def test_lengths_that_make_no_sense_are_refused(lie: bytes) -> None:
    server = Server([b"HTTP/1.1 200 OK\r\n" + lie])
    async with pool_to(server) as pool:
        with pytest.raises(UnreadableAnswerError):
            await pool.execute(QUERY)
        assert (await pool.execute(QUERY)).body == b"{}"
    assert server.connections == 2


@pytest.mark.parametrize("offered", [True, False])
async def test_compressed_answers_are_unpacked_whether_offered_or_not(offered: bool) -> None:
    packed = gzip.compress(b'{"a":1}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    server = Server([head.encode() + packed])
    async with pool_to(server, TransportSettings(compression=offered)) as pool:
        assert (await pool.execute(QUERY)).body == b'{"a":1}'
    assert ("accept-encoding: gzip" in server.requests[0][0]) is offered


async def test_a_damaged_body_leaves_the_connection_usable() -> None:
    damaged = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"
    server = Server([damaged])
    async with pool_to(server) as pool:
        with pytest.raises(UnreadableAnswerError):
            await pool.execute(QUERY)


async def test_nobody_there() -> None:
    server = Server()
    async with running(server):
        pass
    pool = HttpPool(
        tcp_connector("127.0.0.1", server.port),
        host="h",
        target="/",
        settings=TransportSettings(max_connections=1),
    )
    for _ in range(2):
        with pytest.raises(TransportError, match="cannot be reached"):
            await pool.execute(QUERY)


async def test_the_number_of_connections_is_bounded_and_waiting_requests_follow() -> None:
    server = Server(hold=asyncio.Event())
    async with pool_to(server, TransportSettings(max_connections=2)) as pool:
        tasks = [asyncio.create_task(pool.execute(QUERY)) for _ in range(6)]
        await until(lambda: len(server.requests) == 2)
        tasks[4].cancel()
        assert server.hold is not None
        server.hold.set()
        responses = await asyncio.gather(*tasks, return_exceptions=True)
    assert server.connections == 2
    assert [isinstance(one, asyncio.CancelledError) for one in responses] == [
        index == 4 for index in range(6)
    ]


async def test_the_queue_for_connections_is_bounded() -> None:
    server = Server(hold=asyncio.Event())
    async with pool_to(server, TransportSettings(max_connections=1, max_waiting=1)) as pool:
        tasks = [asyncio.create_task(pool.execute(QUERY)) for _ in range(2)]
        await until(lambda: len(server.requests) == 1)
        with pytest.raises(TooManyWaitingError):
            await pool.execute(QUERY)
        assert server.hold is not None
        server.hold.set()
        assert [response.status for response in await asyncio.gather(*tasks)] == [200, 200]
        assert (await pool.execute(QUERY)).status == 200


async def test_who_waits_for_longest_is_served_first() -> None:
    server = Server(hold=asyncio.Event())
    done: list[int] = []

    async def ask(pool: HttpPool, number: int) -> None:
        await pool.execute(SubgraphRequest(body=b"%d" % number, repeatable=True))
        done.append(number)
        if number == 0:  # a newcomer does not overtake
            tasks.append(asyncio.create_task(ask(pool, 9)))

    async with pool_to(server, TransportSettings(max_connections=1)) as pool:
        tasks = [asyncio.create_task(ask(pool, number)) for number in range(4)]
        await until(lambda: len(server.requests) == 1)
        assert server.hold is not None
        server.hold.set()
        await until(lambda: len(done) == 5)
        await asyncio.gather(*tasks)
    assert done == [0, 1, 2, 3, 9]


async def test_opening_a_connection_has_a_limit_of_its_own() -> None:
    async def never(make: Callable[[], HttpConnection]) -> HttpConnection:
        await asyncio.Event().wait()
        return make()

    pool = HttpPool(never, host="h", target="/", settings=TransportSettings(connect_timeout=0.01))
    with pytest.raises(NotReachedError):
        await pool.execute(QUERY)


async def test_a_cancelled_request_closes_its_connection() -> None:
    server = Server(hold=asyncio.Event())
    async with pool_to(server) as pool:
        task = asyncio.create_task(pool.execute(QUERY))
        await until(lambda: len(server.requests) == 1)
        task.cancel()
        await asyncio.wait([task])
        assert server.hold is not None
        server.hold.set()
        await server.closed.wait()
        assert (await pool.execute(QUERY)).body == b"{}"
    assert server.connections == 2


async def test_closing_the_pool_fails_what_is_under_way_and_what_comes() -> None:
    server = Server(hold=asyncio.Event())
    async with pool_to(server) as pool:
        task = asyncio.create_task(pool.execute(QUERY))
        await until(lambda: len(server.requests) == 1)
        await pool.aclose()
        with pytest.raises(TransportError):
            await task
        with pytest.raises(TransportError):
            await pool.execute(QUERY)
        assert server.hold is not None
        server.hold.set()
        await server.closed.wait()


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb"])
async def test_line_breaks_in_headers_are_refused(value: str) -> None:
    server = Server()
    async with pool_to(server) as pool:
        with pytest.raises(TransportError):
            await pool.execute(SubgraphRequest(body=b"{}", headers=(("x-a", value),)))
    assert server.requests == []


async def test_unix_sockets(tmp_path: Path) -> None:
    server = Server()
    path = str(tmp_path / "s.sock")
    listening = await asyncio.start_unix_server(server.serve, path)
    pool = HttpPool(
        unix_connector(path), host="localhost", target="/graphql", settings=TransportSettings()
    )

    assert (await pool.execute(QUERY)).body == b"{}"

    await pool.aclose()
    listening.close()
    await listening.wait_closed()
