"""Requests with files, through the router to two real subgraphs, and everything wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from router.executor.transport.asgi import AsgiTransport
from router.server.app import create_router_app
from router.server.http import spool as spool_module
from router.server.settings import RouterSettings
from tests.support.router_server import served as served_router
from tests.support.subgraphs import served
from tests.support.upload_subgraphs import (
    DOCUMENTS,
    IMAGES,
    told,
    upload_subgraph,
    upload_supergraph,
)

SUPERGRAPH = upload_supergraph()
STORE = "mutation($file: Upload) { store(file: $file) }"
BOTH = "mutation($file: Upload!) { store(file: $file) scan(file: $file) }"
BIG = bytes(range(256)) * 4_000  # 1 MB
PREFLIGHT = {"apollo-require-preflight": "1"}
Part = tuple[str, str | None, bytes]  # name, file name, content


class Subgraphs:
    def __init__(self) -> None:
        self.images = upload_subgraph(IMAGES)
        self.documents = upload_subgraph(DOCUMENTS)

    @property
    def apps(self) -> dict[str, Starlette]:
        return {"images": self.images, "documents": self.documents}

    @property
    def requests(self) -> list[str]:
        return [kind for app in self.apps.values() for kind, _ in app.state.requests]


@pytest.fixture
async def subgraphs() -> Subgraphs:
    return Subgraphs()


@asynccontextmanager
async def router(subgraphs: Subgraphs, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a router that calls the subgraphs in its process."""
    chosen = RouterSettings(
        **{"environment": "test", "uploads": True, "access_log": False, **settings}
    )
    transports = {name: AsgiTransport(app) for name, app in subgraphs.apps.items()}
    app = create_router_app(chosen, SUPERGRAPH, transports=transports)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://router"
    ) as client:
        yield client
    await app.aclose()


@pytest.fixture
async def client(subgraphs: Subgraphs) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with router(subgraphs) as client:
        yield client


def form(*parts: Part, boundary: str = "b0undary", end: bool = True) -> bytes:
    body = b""
    for name, filename, content in parts:
        disposition = f'form-data; name="{name}"'
        if filename is not None:
            disposition += f'; filename="{filename}"\r\nContent-Type: text/plain'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n"
        body += head.encode() + content + b"\r\n"
    return body + (f"--{boundary}--\r\n".encode() if end else b"")


def fields(query: str, variables: Any, places: Any) -> tuple[Part, Part]:
    operation = {"query": query, "variables": variables}
    return ("operations", None, orjson.dumps(operation)), ("map", None, orjson.dumps(places))


ONE = fields(STORE, {"file": None}, {"0": ["variables.file"]})
QUERY = fields("query($f: Upload) { documents(file: $f) }", {"f": None}, {"0": ["variables.f"]})
STRING = fields("mutation($f: String) { store(label: $f) }", {"f": None}, {"0": ["variables.f"]})
FILE: Part = ("0", "a.txt", b"abc")


async def send(
    client: httpx.AsyncClient, body: bytes, content_type: str | None = None, **headers: str
) -> httpx.Response:
    kind = content_type or "multipart/form-data; boundary=b0undary"
    sent = {"content-type": kind, **PREFLIGHT, **headers}
    return await client.post("/graphql", content=body, headers=sent)


def code(response: httpx.Response) -> str:
    body = response.json()
    assert "data" not in body
    return str(body["errors"][0]["extensions"]["code"])


async def test_a_file_goes_to_its_subgraph(client: httpx.AsyncClient, subgraphs: Subgraphs) -> None:
    response = await send(client, form(*ONE, FILE))

    assert response.json() == {"data": {"store": told("a.txt", "text/plain", b"abc")}}
    assert subgraphs.requests == ["multipart/form-data"]


@pytest.mark.parametrize("content", [b"", b"abc", BIG], ids=["empty", "small", "large"])
async def test_one_file_for_two_subgraphs(
    client: httpx.AsyncClient, subgraphs: Subgraphs, content: bytes
) -> None:
    parts = fields(BOTH, {"file": None}, {"0": ["variables.file"]})

    response = await send(client, form(*parts, ("0", "ä.txt", content)))

    expected = told("ä.txt", "text/plain", content)
    assert response.json() == {"data": {"store": expected, "scan": expected}}
    assert subgraphs.requests == ["multipart/form-data"] * 2


async def test_files_in_lists_and_nested_inputs(client: httpx.AsyncClient) -> None:
    query = "mutation($input: StoreInput!) { storeAll(input: $input) }"
    variables = {"input": {"files": [None, None], "cover": {"file": None}}}
    places = {
        "x": ["variables.input.files.1"],
        "y": ["variables.input.files.0", "variables.input.cover.file"],
    }
    parts = fields(query, variables, places)

    response = await send(client, form(*parts, ("y", "y.txt", b"yy"), ("x", "x.txt", b"x")))

    x, y = told("x.txt", "text/plain", b"x"), told("y.txt", "text/plain", b"yy")
    assert response.json() == {"data": {"storeAll": [y, x, y]}}


async def test_a_scalar_that_may_be_anything_may_have_files(client: httpx.AsyncClient) -> None:
    query = "mutation($value: Anything) { storeAny(value: $value) }"
    parts = fields(query, {"value": {"file": None}}, {"0": ["variables.value.file"]})

    response = await send(client, form(*parts, FILE))

    assert response.json() == {"data": {"storeAny": told("a.txt", "text/plain", b"abc")}}


async def test_only_the_subgraph_with_the_file_gets_a_form(
    client: httpx.AsyncClient, subgraphs: Subgraphs
) -> None:
    query = "mutation($file: Upload, $other: Upload!) { store(file: $file) scan(file: $other) }"
    parts = fields(query, {"file": None, "other": None}, {"0": ["variables.other"]})

    response = await send(client, form(*parts, FILE))

    assert response.json()["data"]["store"] is None
    assert subgraphs.requests == ["application/json", "multipart/form-data"]


async def test_a_form_without_files_is_a_request_like_others(client: httpx.AsyncClient) -> None:
    response = await send(client, form(*fields("{ images }", {}, {})))

    assert response.json() == {"data": {"images": 1}}


async def test_how_the_body_is_cut_does_not_matter(subgraphs: Subgraphs) -> None:
    body = form(*ONE, ("0", "a.txt", b"\r\n--b0undar\r\n" * 3))

    async def pieces(size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    chosen = RouterSettings(environment="test", uploads=True, access_log=False)
    transports = {name: AsgiTransport(app) for name, app in subgraphs.apps.items()}
    app = create_router_app(chosen, SUPERGRAPH, transports=transports)
    headers = {"content-type": "multipart/form-data; boundary=b0undary", **PREFLIGHT}
    async with (
        served_router(app) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        answers = [
            (await client.post("/graphql", content=pieces(size), headers=headers)).json()
            for size in (1, 7, 64)
        ]

    expected = told("a.txt", "text/plain", b"\r\n--b0undar\r\n" * 3)
    assert answers == [{"data": {"store": expected}}] * 3


async def test_files_reach_subgraphs_over_the_network(subgraphs: Subgraphs) -> None:
    async with served(subgraphs.images) as images, served(subgraphs.documents) as documents:
        urls = {"images": f"http://{images}/graphql", "documents": f"http://{documents}/graphql"}
        settings = RouterSettings(
            environment="test", uploads=True, access_log=False, subgraph_urls=urls
        )
        app = create_router_app(settings, SUPERGRAPH)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://router"
        ) as client:
            parts = fields(BOTH, {"file": None}, {"0": ["variables.file"]})
            response = await send(client, form(*parts, ("0", "b.bin", BIG)))
        await app.aclose()

    expected = told("b.bin", "text/plain", BIG)
    assert response.json() == {"data": {"store": expected, "scan": expected}}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), "MULTIPART_MALFORMED"),
        (ONE[:1], "MULTIPART_MALFORMED"),
        ((ONE[1], ONE[0], FILE), "MULTIPART_MALFORMED"),
        ((FILE, *ONE), "MULTIPART_MALFORMED"),
        ((*ONE, FILE, FILE), "MULTIPART_MALFORMED"),
        ((*ONE, ("0", None, b"abc")), "MULTIPART_MALFORMED"),
        ((("operations", None, b"1"), ONE[1], FILE), "MULTIPART_MALFORMED"),
        ((("operations", None, b"{"), ONE[1], FILE), "BAD_REQUEST"),
        ((("operations", None, b"[]"), ONE[1], FILE), "UPLOAD_NOT_ALLOWED"),
        ((ONE[0], ("map", None, b"{"), FILE), "UPLOAD_MAP_INVALID"),
        ((ONE[0], ("map", None, b'{"0":["variables.x"]}'), FILE), "UPLOAD_MAP_INVALID"),
        ((*ONE, FILE, ("1", "b.txt", b"")), "UPLOAD_MAP_INVALID"),
        (ONE, "UPLOAD_MISSING"),
        ((*QUERY, FILE), "UPLOAD_NOT_ALLOWED"),
        ((*STRING, FILE), "BAD_USER_INPUT"),
    ],
)
async def test_refuses_what_does_not_fit(
    client: httpx.AsyncClient, subgraphs: Subgraphs, parts: tuple[Part, ...], expected: str
) -> None:
    response = await send(client, form(*parts), accept="application/graphql-response+json")

    assert (response.status_code, code(response)) == (400, expected)
    assert subgraphs.requests == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", None),
        (b"no form", None),
        (form(*ONE, FILE, end=False), None),
        (form(*ONE, FILE)[:-6], None),
        (form(*ONE, FILE, boundary="other"), None),
        (form(*ONE, FILE), "multipart/form-data"),
        (form(*ONE, FILE), "multipart/form-data; boundary="),
        (form(*ONE, FILE), "multipart/form-data; boundary=" + "b" * 500),
        (b"--b0undary\r\n\r\nabc\r\n--b0undary--\r\n", None),
        (b"--b0undary\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--b0undary--\r\n", None),
        (b"--b0undary\r\n" + b"X: 1\r\n" * 100, None),
        (b"--b0undary\r\nX: " + b"x" * 10_000, None),
    ],
)
async def test_refuses_what_is_no_form(
    client: httpx.AsyncClient, body: bytes, content_type: str | None
) -> None:
    response = await send(client, body, content_type)

    assert (response.status_code, code(response)) == (400, "MULTIPART_MALFORMED")


async def test_the_limits_hold(subgraphs: Subgraphs) -> None:
    two = fields(
        "mutation($a: Upload, $b: Upload) { a: store(file: $a) b: store(file: $b) }",
        {"a": None, "b": None},
        {"0": ["variables.a"], "1": ["variables.b"]},
    )
    limits = {
        "max_body_bytes": 300,
        "max_uploads": 2,
        "max_upload_file_bytes": 1_000,
        "max_upload_bytes": 2_300,
    }
    long_map = {"0": ["variables." + "x" * 300]}
    async with router(subgraphs, **limits) as client:
        fits = await send(client, form(*two, ("0", "a", b"a" * 1_000), ("1", "b", b"b" * 500)))
        file = await send(client, form(*ONE, ("0", "a", b"a" * 1_001)))
        total = await send(client, form(*two, ("0", "a", b"a" * 1_000), ("1", "b", b"b" * 1_000)))
        operations = await send(client, form(*fields(STORE + " " * 300, {}, {})))
        places = await send(client, form(*fields(STORE, {"file": None}, long_map)))
    async with router(subgraphs, max_uploads=1) as client:
        many = await send(client, form(*two, FILE, ("1", "b", b"")))

    assert fits.status_code == 200
    assert (file.status_code, code(file)) == (413, "UPLOAD_TOO_LARGE")
    assert (total.status_code, code(total)) == (413, "UPLOAD_TOO_LARGE")
    assert (operations.status_code, code(operations)) == (413, "PAYLOAD_TOO_LARGE")
    assert (places.status_code, code(places)) == (413, "PAYLOAD_TOO_LARGE")
    assert (many.status_code, code(many)) == (400, "TOO_MANY_UPLOADS")


async def test_a_form_that_another_site_could_send_is_refused(
    subgraphs: Subgraphs, client: httpx.AsyncClient
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b0undary"}

    refused = await client.post("/graphql", content=form(*ONE, FILE), headers=headers)
    async with router(subgraphs, csrf_prevention=False) as trusting:
        taken = await trusting.post("/graphql", content=form(*ONE, FILE), headers=headers)

    assert (refused.status_code, code(refused)) == (400, "CSRF_ERROR")
    assert taken.status_code == 200


async def test_forms_are_refused_unless_they_are_switched_on(subgraphs: Subgraphs) -> None:
    async with router(subgraphs, uploads=False) as client:
        response = await send(client, form(*ONE, FILE))

    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_compressed_form_is_refused(client: httpx.AsyncClient) -> None:
    response = await send(client, b"", **{"content-encoding": "gzip"})

    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert response.headers["accept-encoding"] == "identity"


async def test_files_do_not_outlive_their_request(
    subgraphs: Subgraphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    has_opened = asyncio.Event()

    def counting(**options: Any) -> Any:
        opened.append(TemporaryFile(**options))  # noqa: SIM115 - closed by the spool
        loop.call_soon_threadsafe(has_opened.set)
        return opened[-1]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(spool_module, "TemporaryFile", counting)
    answered, broken = form(*ONE, ("0", "a", BIG)), form(*ONE, ("0", "a", BIG), end=False)
    chosen = RouterSettings(environment="test", uploads=True, access_log=False)
    transports = {name: AsgiTransport(app) for name, app in subgraphs.apps.items()}
    app = create_router_app(chosen, SUPERGRAPH, transports=transports)
    async with served_router(app) as address:
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            assert (await send(client, answered)).status_code == 200
            assert (await send(client, broken)).status_code == 400
        has_opened.clear()
        _, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: r\r\nApollo-Require-Preflight: 1\r\n"
            b"Content-Type: multipart/form-data; boundary=b0undary\r\n"
            b"Content-Length: %d\r\n\r\n" % len(answered) + answered[:500_000]
        )
        await has_opened.wait()
        writer.close()
        await writer.wait_closed()

    assert len(opened) == 3
    assert all(file.closed for file in opened)
