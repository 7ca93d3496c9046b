"""Shelves give categories' names and products along one path only.

Entered by key, or by a root that provides nothing, they have wrong names and no products.
"""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

NAMES = {"c1": "Tea", "c2": "Cups"}
IN = {"p1": ["c1"], "p2": ["c1", "c2"]}
WRONG = {"name": "WRONG", "products": None}


def _category(id_: str) -> dict[str, Any]:
    """A category as its owner knows it; lists are made when they are asked for."""
    return {"id": id_, "name": NAMES[id_], "products": lambda: list(_products(id_))}


def _products(category: str) -> list[dict[str, Any]]:
    return [_product(id_) for id_, found in IN.items() if category in found]


def _product(id_: str) -> dict[str, Any]:
    return {"id": id_, "cats": lambda: [_category(category) for category in IN[id_]]}


def _provided(id_: str) -> dict[str, Any]:
    """A category as the providing root gives it: names two lists deeper, and nowhere else."""
    products = [
        {
            "id": product["id"],
            "cats": [
                {"id": category, "name": NAMES[category], "products": None}
                for category in IN[product["id"]]
            ],
        }
        for product in _products(id_)
    ]
    return {"id": id_, "name": "WRONG", "products": products, "shelf": int(id_[1])}


def subgraphs() -> list[DataSubgraph]:
    """The products, and shelves that know a part of them."""
    products = DataSubgraph(
        "products",
        SDL["products"],
        root={"bestsellers": [_product("p2")]},
        entities={
            "Cat": [_category(id_) for id_ in NAMES],
            "P": [_product(id_) for id_ in IN],
        },
    )
    first: dict[str, Any] = {"id": "c1", **WRONG, "shelf": 1, "next": None}
    second = {"id": "c2", **WRONG, "shelf": 2, "next": first}
    half = {
        "id": "c2",
        "name": NAMES["c2"],
        "products": [{"id": "p2", "cats": None}],
        "shelf": 2,
        "next": first,
    }
    shelves = DataSubgraph(
        "shelves",
        SDL["shelves"],
        root={
            "cats": [_provided("c1"), _provided("c2")],
            "cat": lambda id: {"c1": first, "c2": second}.get(id),  # noqa: A006
            "halfCats": [half],
        },
        entities={"Cat": [first, second], "P": [{"id": id_, "cats": None} for id_ in IN]},
    )
    return [products, shelves]
