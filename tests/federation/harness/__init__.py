"""Test equipment for the router: supergraphs, subgraphs and plans made on the spot.

* ``run``, ``subscribe``: the whole way: compose, plan and execute over data-driven subgraphs;
* ``answer``, ``explain``: the same as a client sees it: through the server's stages, or refused;
* ``subgraph``: a subgraph of SDL and data, as a recording ASGI application;
* ``plans``, ``scripted``: the executor alone: plans in a short notation, answers by hand.
"""

from tests.federation.harness.requests import answer, explain
from tests.federation.harness.run import Run, compose_subgraphs, deferring, deliver, run, subscribe
from tests.federation.harness.subgraph import DataSubgraph, RecordedRequest

__all__ = [
    "DataSubgraph",
    "RecordedRequest",
    "Run",
    "answer",
    "compose_subgraphs",
    "deferring",
    "deliver",
    "explain",
    "run",
    "subscribe",
]
