"""URLs of subgraphs, and the two ways over TLS."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from router.executor import SubgraphRequest, TransportError
from router.executor.transport import TransportSettings, network_transport

REQUEST = SubgraphRequest(body=b'{"query":"{n}"}', headers=(("authorization", "Bearer t"),))


@pytest.mark.parametrize(
    "url",
    ["", "users", "ftp://users/graphql", "http://", "file:///etc/passwd", "users:4001/graphql"],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not the URL of a subgraph"):
        network_transport(url)


async def graphql(request: web.Request) -> web.StreamResponse:
    """Answer what was asked, over HTTP and WebSocket."""
    if request.headers.get("upgrade", "").lower() == "websocket":
        socket = web.WebSocketResponse(protocols=["graphql-transport-ws"])
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            data: Any = message.json()
            if data["type"] == "connection_init":
                await socket.send_json({"type": "connection_ack"})
            elif data["type"] == "subscribe":
                payload = {"data": {"n": 1}}
                await socket.send_json({"id": data["id"], "type": "next", "payload": payload})
                await socket.send_json({"id": data["id"], "type": "complete"})
        return socket
    if request.query.get("moved"):
        raise web.HTTPFound("/elsewhere")
    return web.json_response(
        {"body": await request.text(), "authorization": request.headers["authorization"]}
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
async def https_url(certificate: Path) -> AsyncIterator[str]:
    """The URL of a server with TLS."""
    app = web.Application()
    app.router.add_route("*", "/graphql", graphql)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}/graphql"
    await runner.cleanup()


async def test_https_and_wss(https_url: str, certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    transport = network_transport(https_url, tls=trusting)

    response = await transport.execute(REQUEST)
    events = [event async for event in transport.subscribe(REQUEST)]

    await transport.aclose()
    assert response.status == 200
    assert response.body == b'{"body": "{\\"query\\":\\"{n}\\"}", "authorization": "Bearer t"}'
    assert events == [{"data": {"n": 1}}]


async def test_a_certificate_nobody_vouches_for_is_refused(https_url: str) -> None:
    transport = network_transport(https_url)

    with pytest.raises(TransportError):
        await transport.execute(REQUEST)
    await transport.aclose()


async def test_redirects_are_answers_and_answers_are_bounded(
    https_url: str, certificate: Path
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    moved = network_transport(f"{https_url}?moved=1", tls=trusting)
    small = network_transport(https_url, TransportSettings(max_response_size=10), tls=trusting)

    assert (await moved.execute(REQUEST)).status == 302
    with pytest.raises(TransportError, match="too large"):
        await small.execute(REQUEST)

    await moved.aclose()
    await small.aclose()


async def test_unix_sockets_carry_both(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_route("*", "/api", graphql)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "s.sock")).start()
    transport = network_transport(f"unix://{tmp_path}/s.sock?path=/api")

    response = await transport.execute(REQUEST)
    events = [event async for event in transport.subscribe(REQUEST)]

    await transport.aclose()
    await runner.cleanup()
    assert response.status == 200
    assert events == [{"data": {"n": 1}}]
