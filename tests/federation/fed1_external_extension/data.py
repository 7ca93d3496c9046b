"""The graph of ``fed1_external_extends`` in another syntax, over the same data."""

from __future__ import annotations

from tests.federation.cases import Feature
from tests.federation.fed1_external_extends.data import serve
from tests.federation.harness import DataSubgraph


def subgraphs() -> list[DataSubgraph]:
    """Bookings, which extend guests, and guests."""
    return serve(Feature.of(__file__))
