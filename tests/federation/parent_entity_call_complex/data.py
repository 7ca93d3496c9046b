"""A product's category: its text in one subgraph, its number in another, its name in a third.

Categories found through a product carry nothing but what their subgraph owns.
"""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

PRODUCTS = [
    {"id": "p1", "pid": "s1", "name": "Lamp"},
    {"id": "p2", "pid": "s1", "name": "Bulb"},
    {"id": "p3", "pid": "s2", "name": "Gift card"},
]
NAMES = [{"id": "c1", "name": "Lighting"}, {"id": "c0", "name": "Home"}]


def _with_category(*categories: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [
        {"id": product["id"], "pid": product["pid"], "category": category}
        for product, category in zip(PRODUCTS, categories, strict=True)
    ]


def subgraphs() -> list[DataSubgraph]:
    """The products, and three subgraphs that know parts of their categories."""
    products = DataSubgraph(
        "products",
        SDL["products"],
        root={"product": PRODUCTS[0], "listing": PRODUCTS},
        entities={"Product": PRODUCTS},
    )
    assigned = _with_category(
        {"id": "c1", "shelf": {"number": 11}}, {"id": "c0", "shelf": None}, None
    )
    described = _with_category(
        {"details": "All that shines", "shelf": {"floor": 2}},
        {"details": "All at home", "shelf": None},
        None,
    )
    assignments = DataSubgraph(
        "assignments",
        SDL["assignments"],
        root={
            "assigned": lambda to: [p for p in assigned if (p["category"] or {}).get("id") == to]
        },
        entities={
            "Product": assigned,
            "Category": [{"id": "c1", "shelf": {"number": 11}}, {"id": "c0", "shelf": None}],
        },
    )
    details = DataSubgraph(
        "details",
        SDL["details"],
        root={"displayed": described[1]},
        entities={"Product": described},
    )
    categories = DataSubgraph(
        "categories",
        SDL["categories"],
        entities={"Category": NAMES},
    )
    return [products, assignments, details, categories]
