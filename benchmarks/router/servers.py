"""``python -m benchmarks.router.servers``: the servers around the router, one process each.

``subgraphs``: all subgraphs of the shop, each at a path of its name, which answer out of memory
from the second equal request on. ``floor``: answers every request with the same bytes, on the same
server as the router, so it shows what uvicorn costs without one.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import uvicorn

from benchmarks.executor.shop import shop_subgraphs
from router.executor import SubgraphRequest
from router.executor.transport import AsgiTransport

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_JSON = (b"content-type", b"application/json")


def remembering_subgraphs() -> ASGIApp:
    """Return the subgraphs as one application."""
    transports = {f"/{one.name}": AsgiTransport(one) for one in shop_subgraphs()}
    known: dict[tuple[str, bytes], bytes] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path, body = scope["path"], await _body(receive)
        answer = known.get((path, body))
        if answer is None:
            answer = (await transports[path].execute(SubgraphRequest(body=body))).body
            known[path, body] = answer
        await _answer(send, answer)

    return app


def same_answer(size: int) -> ASGIApp:
    """Return an application that answers with so many bytes."""
    answer = b'"' + b"x" * (size - 2) + b'"'

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await _body(receive)
        await _answer(send, answer)

    return app


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def _answer(send: Send, body: bytes) -> None:
    headers = [_JSON, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("subgraphs", "floor"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--size", type=int, default=2)
    options = parser.parse_args()
    app = remembering_subgraphs() if options.what == "subgraphs" else same_answer(options.size)
    uvicorn.run(
        app,
        port=options.port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
