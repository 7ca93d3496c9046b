"""Three subgraphs that have the same products in the same order, each with other fields."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def _served(name: str, products: list[Any]) -> DataSubgraph:
    root = {"product": products[0], "products": lambda first=None: products[:first]}
    return DataSubgraph(name, SDL[name], root=root)


def subgraphs() -> list[DataSubgraph]:
    """Names, categories and prices."""
    names: list[Any] = [
        {
            "id": "p1",
            "name": {"id": "n1", "brand": "Acme"},
            "parts": [{"number": 1, "label": "leg"}, {"number": 2, "label": "top"}],
        },
        None,
        {"id": "p3", "name": None, "parts": []},
    ]
    tables = {"id": "c1", "name": "Tables", "parent": {"id": "c0", "name": "Furniture"}}
    categories: list[Any] = [
        {
            "id": "p1",
            "category": tables,
            "parts": [{"number": 1, "bin": "A7"}, {"number": 2, "bin": None}],
        },
        None,
        {"id": "p3", "category": {"id": "c2", "name": "Chairs", "parent": None}, "parts": []},
    ]
    prices = [{"id": "p1", "price": 100}, None, {"id": "p3", "price": 30}]
    return [
        _served("names", names),
        _served("categories", categories),
        _served("prices", prices),
    ]
