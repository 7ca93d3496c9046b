"""``python -m benchmarks.executor.http``: CPU time per request of our HTTP pool and of aiohttp.

Both ask a bare asyncio server in another process, one request at a time, so that only the client's
work counts. Reports, asserts nothing.
"""

from __future__ import annotations

import asyncio
import sys
from time import process_time

import uvloop

from router.executor import SubgraphRequest
from router.executor.transport.http_pool import HttpPool, tcp_connector
from router.executor.transport.https import HttpsClient
from router.executor.transport.settings import TransportSettings

_SERVER = """
import asyncio, uvloop
HEAD = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: 1000\\r\\n\\r\\n"
ANSWER = HEAD + b"x" * 1000
class Server(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(ANSWER)
async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""
_REQUEST = SubgraphRequest(
    body=b'{"query":"query($r:[_Any!]!){_entities(representations:$r){...on User{name}}}"}',
    headers=(("authorization", "Bearer " + "x" * 200), ("x-request-id", "r" * 20)),
    repeatable=True,
)


async def _measure(client: HttpPool | HttpsClient, repeats: int) -> float:
    for _ in range(200):
        await client.execute(_REQUEST)
    start = process_time()
    for _ in range(repeats):
        await client.execute(_REQUEST)
    return (process_time() - start) / repeats * 1e6


async def main() -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVER, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    settings = TransportSettings()
    pool = HttpPool(
        tcp_connector("127.0.0.1", port), host="s", target="/graphql", settings=settings
    )
    aiohttp = HttpsClient(f"http://127.0.0.1:{port}/graphql", settings)
    try:
        for _ in range(3):
            print(f"own pool {await _measure(pool, 3000):6.1f} µs", end="   ")
            print(f"aiohttp {await _measure(aiohttp, 1500):6.1f} µs")
    finally:
        await pool.aclose()
        await aiohttp.aclose()
        server.terminate()
        await server.wait()


uvloop.run(main())
