"""uvicorn's HTTP protocol with our endings."""

import asyncio
import gc
import weakref

from router.server.http.protocol import HttpProtocol
from tests.support.http_streams import streamed
from tests.support.router_server import ThingsSubgraph, make_app, served


async def test_a_closed_connection_leaves_nothing_for_the_garbage_collector() -> None:
    made: list[weakref.ref[HttpProtocol]] = []
    async with served(make_app(ThingsSubgraph())) as address:
        gc.disable()
        try:
            async with streamed(address, "subscription { ticks(count: 2) }") as stream:
                await stream.rest()
                # isinstance() would ask weak proxies of other tests for their class.
                made += [weakref.ref(one) for one in gc.get_objects() if type(one) is HttpProtocol]
            async with asyncio.timeout(5):
                while any(one() is not None for one in made):  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0.01)
        finally:
            gc.enable()

    assert len(made) == 1
