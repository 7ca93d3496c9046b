"""Ships, ports and buoys by one id; asking a subgraph that has no fields of a ship is an error."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

NODES: dict[str, dict[str, Any]] = {
    "s1": {"__typename": "Ship", "id": "s1"},
    "s2": {"__typename": "Ship", "id": "s2"},
    "p1": {"__typename": "Port", "id": "p1"},
    "b1": {"__typename": "Buoy", "id": "b1", "lit": True},
}


def _not_asked(*_: object) -> None:
    raise AssertionError("there is nothing to get here")


def subgraphs() -> list[DataSubgraph]:
    """Four subgraphs that know ships by id; only the registry has their fields."""
    lookup = DataSubgraph(
        "lookup",
        SDL["lookup"],
        root={"nodes": lambda ids: [NODES.get(id_) for id_ in ids]},
        resolvers={
            "Query.node": lambda _, arguments: NODES.get(arguments["id"]),
            "Ship.__resolveReference": _not_asked,
            "Port.__resolveReference": _not_asked,
        },
    )
    crews = DataSubgraph(
        "crews",
        SDL["crews"],
        root={"flagship": {"id": "s1"}},
        resolvers={"Ship.__resolveReference": _not_asked},
    )
    vasa = {"id": "s1", "name": "Vasa", "tons": 1210, "home": {"id": "p1", "name": "Kiel"}}
    registry = DataSubgraph(
        "registry",
        SDL["registry"],
        entities={
            "Ship": [
                vasa,
                {"id": "s2", "name": "Aldebaran", "tons": 90, "escort": vasa},
            ],
            "Port": [{"id": "p1", "name": "Kiel"}],
        },
    )
    port = {"id": "p1", "name": "Kiel", "berths": 3, "moored": [{"id": "s2"}, {"id": "s1"}]}
    harbours = DataSubgraph(
        "harbours",
        SDL["harbours"],
        root={"busiest": {"__typename": "Port", **port}},
        entities={"Port": [port]},
        resolvers={"Ship.__resolveReference": _not_asked},
    )
    return [lookup, crews, registry, harbours]
