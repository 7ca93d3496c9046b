"""Test equipment for the router: supergraphs, subgraphs and plans made on the spot.

* ``run``, ``subscribe``: the whole way: compose, plan and execute over data-driven subgraphs;
* ``subgraph``: a subgraph of SDL and data, as a recording ASGI application;
* ``plans``, ``scripted``: the executor alone: plans in a short notation, answers by hand.
"""

from tests.federation.harness.run import Run, compose_subgraphs, run, subscribe
from tests.federation.harness.subgraph import DataSubgraph, RecordedRequest

__all__ = ["DataSubgraph", "RecordedRequest", "Run", "compose_subgraphs", "run", "subscribe"]
