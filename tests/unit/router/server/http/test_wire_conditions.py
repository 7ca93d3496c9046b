"""What clients and proxies may do to a request, byte by byte on a real connection."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from backports import zstd
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.router_server import ThingsSubgraph, make_app, served

QUERY = b'{"query":"{greeting}"}'
ANSWER = {"data": {"greeting": "Hello, world!"}}
BIG = b'{"query":"{big(size:5000)}"}'
PREFLIGHT = "apollo-require-preflight: 1"
HASH = hashlib.sha256(b"{greeting}").hexdigest()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["errors"][0]["extensions"]["code"])


class Wire:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, line: str, *headers: str, body: bytes | None = None) -> Answer:
        lines = [f"{line} HTTP/1.1", "Host: r", *headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (field.split(": ", 1) for field in head[1:] if field)
        found = {name.lower(): value for name, value in pairs}
        status = int(head[0].split()[1])
        has_body = not line.startswith("HEAD") and status != 204
        size = int(found.get("content-length", 0)) if has_body else 0
        return Answer(status, found, await self._reader.readexactly(size))

    async def post(self, body: bytes, *headers: str) -> Answer:
        return await self.send(
            "POST /graphql", "Content-Type: application/json", *headers, body=body
        )

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@pytest.fixture
async def address() -> AsyncGenerator[str, None]:
    app = make_app(ThingsSubgraph(), max_body_bytes=10_000, cors_origins=("https://app.example",))
    async with served(app) as address:
        yield address


@pytest.fixture
async def wire(address: str) -> AsyncGenerator[Wire, None]:
    wire = Wire(*await asyncio.open_connection(*address.split(":")))
    yield wire
    await wire.close()


async def test_compresses_large_answers_for_who_wants_it(wire: Wire) -> None:
    plain = await wire.post(BIG)
    gzipped = await wire.post(BIG, "Accept-Encoding: gzip, br")
    zstandard = await wire.post(BIG, "Accept-Encoding: gzip, zstd")
    small = await wire.post(QUERY, "Accept-Encoding: gzip")

    assert "content-encoding" not in plain.headers
    assert gzipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(gzipped.body) == plain.body
    assert zstandard.headers["content-encoding"] == "zstd"
    assert zstd.decompress(zstandard.body) == plain.body
    assert "content-encoding" not in small.headers
    for answer in (plain, gzipped, small):
        assert answer.headers["vary"] == "accept, accept-encoding, Origin"
        assert answer.headers["cache-control"] == "no-store"


async def test_head_tells_what_get_would_and_leaves_the_connection_usable(wire: Wire) -> None:
    target = "/graphql?query=" + quote("{big(size:5000)}")
    accept = "Accept-Encoding: gzip"

    head = await wire.send(f"HEAD {target}", PREFLIGHT, accept)
    get = await wire.send(f"GET {target}", PREFLIGHT, accept)

    for name in ("content-length", "content-encoding", "content-type", "vary"):
        assert head.headers[name] == get.headers[name]
    assert (head.status, get.status) == (200, 200)


async def test_options_tells_the_methods(wire: Wire) -> None:
    answer = await wire.send("OPTIONS /graphql")

    assert answer.status == 204
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_a_preflight_may_be_remembered(wire: Wire) -> None:
    answer = await wire.send(
        "OPTIONS /graphql",
        "Origin: https://app.example",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type, content-encoding, apollo-require-preflight",
    )

    assert answer.status == 200
    assert answer.headers["access-control-max-age"] == "7200"
    assert answer.headers["vary"].startswith("Origin, ")


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
async def test_reads_compressed_requests_within_the_limit(
    wire: Wire, coding: str, pack: Any
) -> None:
    header = f"Content-Encoding: {coding}"

    assert (await wire.post(pack(QUERY), header)).json == ANSWER
    bomb = await wire.post(pack(b" " * 5_000_000), header)
    assert (bomb.status, bomb.code) == (413, "PAYLOAD_TOO_LARGE")
    damaged = await wire.post(pack(QUERY)[:-4], header)
    assert (damaged.status, damaged.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*;q=0.1", "application/json"),
        ("application/json;q=0.9, application/graphql-response+json", "graphql-response+json"),
        ("application/graphql-response+json;q=0.9, application/json", "application/json"),
        ("application/graphql-response+json;charset=utf-8", "graphql-response+json"),
        ("application/*;q=0.5, application/json;q=0", "graphql-response+json"),
    ],
)
async def test_the_weights_of_media_types_decide(wire: Wire, accept: str, expected: str) -> None:
    answer = await wire.post(QUERY, f"Accept: {accept}")

    assert answer.status == 200
    assert answer.headers["content-type"].endswith(f"{expected}; charset=utf-8")


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + QUERY,
        b' \r\n\t{"query":"{greeting}","variables":null,"extensions":null,"operationName":null}',
        b'{"query":"{greeting}","extensions":{"anything":[1]},"more":1}',
    ],
)
async def test_reads_unusual_json(wire: Wire, body: bytes) -> None:
    assert (await wire.post(body)).json == ANSWER


@pytest.mark.parametrize(
    "body",
    [
        b'{"query":"{greeting}","query":"mutation{bump}"}',
        b'{"query":"{greeting}","extensions":[]}',
        b'{"query":"{greeting}","extensions":"{}"}',
        b'{"query":"{greeting}","variables":[{}]}',
        b'{"query":"{greeting}","variables":{"x":NaN}}',
        b'{"query":"{greeting}","variables":{"x":-Infinity}}',
        b'{"query":"{greeting}","variables":{"x":' + b"[" * 4_000 + b"]" * 4_000 + b"}}",
        b"[" * 9_000,
        b'{"a":' * 1_500,
        "{}".encode("utf-16"),
        b"\x00",
        b"",
    ],
)
async def test_refuses_bad_json_and_keeps_the_connection(wire: Wire, body: bytes) -> None:
    refusal = await wire.post(body)

    assert (refusal.status, refusal.code) == (400, "BAD_REQUEST")
    assert (await wire.post(QUERY)).json == ANSWER


async def test_a_get_that_repeats_a_parameter_is_refused(wire: Wire) -> None:
    answer = await wire.send("GET /graphql?query=%7Ba%7D&query=%7Bb%7D", PREFLIGHT)

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("proof", ["Content-Type: application/json", PREFLIGHT])
async def test_a_get_proves_itself_by_what_no_form_can_send(wire: Wire, proof: str) -> None:
    target = "/graphql?query=%7Bgreeting%7D"

    assert (await wire.send(f"GET {target}")).code == "CSRF_ERROR"
    assert (await wire.send(f"GET {target}", "Content-Type: text/plain")).code == "CSRF_ERROR"
    assert (await wire.send(f"GET {target}", proof)).json == ANSWER


async def test_a_hash_stands_for_its_text_once_that_is_known(wire: Wire) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": HASH}}
    by_hash = orjson.dumps({"extensions": extensions})
    target = f"/graphql?extensions={quote(orjson.dumps(extensions))}"

    unknown = await wire.send(f"GET {target}", PREFLIGHT)
    assert (unknown.status, unknown.code) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert unknown.json["errors"][0]["message"] == "PersistedQueryNotFound"
    learnt = await wire.post(orjson.dumps({"query": "{greeting}", "extensions": extensions}))
    assert learnt.json == ANSWER
    assert (await wire.post(by_hash)).json == ANSWER
    assert (await wire.send(f"GET {target}", PREFLIGHT)).json == ANSWER
    wrong = await wire.post(orjson.dumps({"query": "{failing}", "extensions": extensions}))
    assert (wrong.status, wrong.code) == (400, "PERSISTED_QUERY_HASH_MISMATCH")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=b"])
async def test_a_body_that_does_not_come_is_not_waited_for(content_type: str) -> None:
    app = make_app(ThingsSubgraph(), body_timeout=0.05, upload_timeout=0.05, uploads=True)
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: r\r\nContent-Type: {content_type}\r\n"
        f"{PREFLIGHT}\r\nContent-Length: 1000\r\n\r\n"
    )
    async with served(app) as address:
        reader, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(head.encode() + b"--b")
        async with asyncio.timeout(10):
            answer = await reader.read()  # all there is: the connection is closed
        writer.close()
        await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_TIMEOUT" in answer


async def test_an_enforced_allow_list_holds_on_every_transport(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(orjson.dumps({HASH: "{greeting}"}))
    app = make_app(
        ThingsSubgraph(),
        persisted_documents="enforce",
        persisted_documents_files=(manifest,),
        batching=True,
    )
    free = {"query": "{failing}"}
    async with served(app) as address:
        wire = Wire(*await asyncio.open_connection(*address.split(":")))
        listed = await wire.send(f"GET /graphql?documentId=sha256:{HASH}", PREFLIGHT)
        posted = await wire.post(orjson.dumps(free))
        batch = await wire.post(orjson.dumps([{"documentId": HASH}, free]))
        await wire.close()
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(f"ws://{address}/graphql", subprotocols=[protocol]) as socket:
            await socket.send('{"type":"connection_init"}')
            await socket.recv()
            message = {"id": "1", "type": "subscribe", "payload": free}
            await socket.send(orjson.dumps(message).decode())
            error = orjson.loads(await socket.recv())

    refusal = "QUERY_NOT_IN_SAFELIST"
    assert listed.json == ANSWER
    assert (posted.status, posted.code) == (400, refusal)
    assert batch.json[0] == ANSWER
    assert batch.json[1]["errors"][0]["extensions"]["code"] == refusal
    assert error["payload"][0]["extensions"]["code"] == refusal
