"""Files on their way to a subgraph: the body's form, and every transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette

from router.executor.transport.asgi import AsgiTransport
from router.executor.transport.base import SubgraphRequest, TransportError
from router.executor.transport.http_pool import HttpPool, tcp_connector
from router.executor.transport.https import HttpsClient
from router.executor.transport.multipart import MultipartBody
from router.executor.transport.settings import TransportSettings
from router.executor.uploads import FilePart, Upload
from tests.support.subgraphs import served
from tests.support.upload_subgraphs import IMAGES, told, upload_subgraph

BIG = bytes(range(256)) * 8_000  # 2 MB


class Content:
    """A file's bytes; counts how many have been read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.given = 0

    async def read(self, offset: int, size: int) -> bytes:
        self.given = max(self.given, offset + size)
        return self._data[offset : offset + size]


def request(*files: tuple[str, Content]) -> SubgraphRequest:
    query = "mutation($f: [Upload!]!) { storeAll(input: {files: $f}) }"
    variables = {"f": [None] * len(files)}
    return SubgraphRequest(
        body=orjson.dumps({"query": query, "variables": variables}),
        headers=(("x-request-id", "r1"), ("content-type", "text/evil")),
        files=tuple(
            FilePart(Upload(name, "text/plain", content), (f"variables.f.{index}",))
            for index, (name, content) in enumerate(files)
        ),
    )


@asynccontextmanager
async def transport_to(app: Starlette, kind: str) -> AsyncIterator[Any]:
    settings = TransportSettings()
    if kind == "asgi":
        transport: Any = AsgiTransport(app, settings=settings)
        yield transport
        await transport.aclose()
        return
    async with served(app) as address:
        host, _, port = address.partition(":")
        if kind == "pool":
            connect = tcp_connector(host, int(port))
            transport = HttpPool(connect, host=address, target="/graphql", settings=settings)
        else:
            transport = HttpsClient(f"http://{address}/graphql", settings)
        yield transport
        await transport.aclose()


@pytest.mark.parametrize("kind", ["asgi", "pool", "aiohttp"])
async def test_files_arrive_whole(kind: str) -> None:
    app = upload_subgraph(IMAGES)
    files = {"big.bin": BIG, "empty.txt": b"", 'odd "ä"\r\n.txt': b"\r\n--x\r\n"}

    async with transport_to(app, kind) as transport:
        asked = request(*((name, Content(data)) for name, data in files.items()))
        first = await transport.execute(asked)
        again = await transport.execute(asked)

    names = ["big.bin", "empty.txt", "odd %22ä%22%0D%0A.txt"]
    expected = [
        told(name, "text/plain", data) for name, data in zip(names, files.values(), strict=True)
    ]
    assert orjson.loads(first.body) == {"data": {"storeAll": [*expected, None]}}
    assert again.body == first.body
    content_type, headers = app.state.requests[0]
    assert content_type == "multipart/form-data"
    assert headers["x-request-id"] == "r1"
    assert headers["apollo-require-preflight"] == "1"
    assert "transfer-encoding" not in headers


async def test_the_announced_length_is_exact() -> None:
    body = MultipartBody(request(("a", Content(BIG)), ("ä", Content(b"x"))))

    assert sum([len(chunk) async for chunk in body.chunks()]) == body.length


@asynccontextmanager
async def raw_server(serve: Any) -> AsyncIterator[HttpPool]:
    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    connect = tcp_connector("127.0.0.1", listening.sockets[0].getsockname()[1])
    pool = HttpPool(connect, host="s", target="/graphql", settings=TransportSettings())
    yield pool
    await pool.aclose()
    listening.close()
    await listening.wait_closed()


async def test_a_subgraph_that_answers_before_the_end_is_heard() -> None:
    connections = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        await reader.read()  # until the router closes
        writer.close()

    content = Content(BIG * 20)
    async with asyncio.timeout(10), raw_server(refuse) as pool:
        first = await pool.execute(request(("a", content)))
        second = await pool.execute(request(("a", content)))

    assert (first.status, second.status) == (413, 413)
    assert connections == 2  # what is left of the body may not be taken for a request


async def test_no_more_is_read_than_the_subgraph_takes() -> None:
    go_on = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await go_on.wait()
        await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    content = Content(BIG * 20)
    async with asyncio.timeout(20), raw_server(slow) as pool:
        running = asyncio.get_running_loop().create_task(pool.execute(request(("a", content))))
        given = -1
        while given != content.given:  # until nothing more is taken
            given = content.given
            await asyncio.sleep(0.1)
        assert content.given < content.size
        go_on.set()
        assert (await running).status == 200
    assert content.given >= content.size


async def test_a_connection_that_breaks_while_sending_fails() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with asyncio.timeout(10), raw_server(leave) as pool:
        with pytest.raises(TransportError):
            await pool.execute(request(("a", Content(BIG * 20))))
