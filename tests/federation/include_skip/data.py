"""Items; each subgraph computes from what it is sent, and its own external values are wrong."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Shop, warehouse and geo: label from region, region from zone."""
    priced: list[dict[str, Any]] = [
        {"id": "i1", "price": 5, "region": "wrong"},
        {"id": "i2", "price": 7, "region": "wrong"},
    ]
    shop = DataSubgraph(
        "shop",
        SDL["shop"],
        root={"item": priced[0], "items": priced},
        entities={"Item": priced},
        resolvers={"Item.label": lambda item, _: f"label of {item['region']}"},
    )
    stored: list[dict[str, Any]] = [
        {"id": "i2", "zone": "wrong", "count": 3},
        {"id": "i1", "zone": "wrong", "count": 0},
    ]
    warehouse = DataSubgraph(
        "warehouse",
        SDL["warehouse"],
        root={"stored": stored},
        entities={"Item": stored},
        resolvers={"Item.region": lambda item, _: f"region of {item['zone']}"},
    )
    geo = DataSubgraph(
        "geo",
        SDL["geo"],
        entities={
            "Item": [
                {"id": "i1", "zone": "north", "height": 1},
                {"id": "i2", "zone": "south", "height": 2},
            ]
        },
    )
    return [shop, warehouse, geo]
