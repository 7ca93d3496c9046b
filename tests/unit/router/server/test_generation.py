"""Swapping supergraphs under running requests."""

import asyncio

import pytest

from router.executor.transport import TransportSettings
from router.server import generation as module
from router.server.errors import RouterConfigError
from router.server.generation import Generation, Generations
from router.server.settings import RouterSettings
from router.server.telemetry import Metrics
from router.supergraph import load_supergraph
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[ThingsSubgraph]:
    """The transports that generations opened themselves, in order."""
    transports: list[ThingsSubgraph] = []

    def open_transport(url: str, settings: TransportSettings) -> ThingsSubgraph:
        assert url == "http://127.0.0.1:1/graphql"
        transports.append(ThingsSubgraph())
        return transports[-1]

    monkeypatch.setattr(module, "network_transport", open_transport)
    return transports


def _generation() -> Generation:
    metrics = Metrics(max_operation_labels=10)
    return Generation(load_supergraph(SUPERGRAPH), RouterSettings(), metrics)


async def _pass_on() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_replaced_generation_closes_after_its_last_user(
    opened: list[ThingsSubgraph],
) -> None:
    generations = Generations(_generation())
    with generations.current as used, used:
        generations.swap(_generation())
        await _pass_on()
        assert generations.current is not used
        assert not opened[0].closed

    await _pass_on()

    assert [transport.closed for transport in opened] == [True, False]
    await generations.close()


async def test_an_unused_generation_closes_at_once(opened: list[ThingsSubgraph]) -> None:
    generations = Generations(_generation())

    generations.swap(_generation())
    await _pass_on()

    assert [transport.closed for transport in opened] == [True, False]


async def test_closing_closes_generations_that_are_still_used(
    opened: list[ThingsSubgraph],
) -> None:
    generations = Generations(_generation())
    with generations.current:
        generations.swap(_generation())

        await generations.close()

    assert [transport.closed for transport in opened] == [True, True]


async def test_transports_of_the_caller_stay_open() -> None:
    things = ThingsSubgraph()
    metrics = Metrics(max_operation_labels=10)
    generation = Generation(
        load_supergraph(SUPERGRAPH), RouterSettings(), metrics, {"things": things}
    )

    await generation.close()

    assert not things.closed


def test_an_address_that_is_none_is_a_clear_error() -> None:
    settings = RouterSettings(subgraph_urls={"things": "nowhere"})

    with pytest.raises(RouterConfigError, match="subgraph 'things' cannot be reached at 'nowhere'"):
        Generation(load_supergraph(SUPERGRAPH), settings, Metrics(max_operation_labels=1))
