"""Orders that lead back to the query root, unless they have no viewer."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

ORDERS: list[dict[str, Any]] = []
ROOT: dict[str, Any] = {"orders": ORDERS}
ORDERS += [
    {"id": "o1", "product": "p1", "viewer": ROOT},
    {"id": "o2", "product": "p2", "viewer": None},
]
SHELVES: list[dict[str, Any]] = [{"id": "o1", "shelf": "A4"}, {"id": "o2", "shelf": None}]


def subgraphs() -> list[DataSubgraph]:
    """What is left of a product is less after every mutation that is made."""
    names = ["Grace"]
    placed: list[str] = []

    def order(**arguments: str) -> dict[str, Any] | None:
        return next((order for order in ORDERS if order["id"] == arguments["id"]), None)

    def place(product: str) -> dict[str, Any]:
        placed.append(product)
        return {"order": ORDERS[0], "query": ROOT}

    def cancel(**arguments: str) -> dict[str, Any]:
        placed.pop()
        return {"order": order(**arguments), "query": ROOT}

    def rename(name: str) -> dict[str, Any]:
        names.append(name)
        return {"account": me(), "query": {"me": me}}

    def me() -> dict[str, Any]:
        return {"id": "a1", "name": names[-1]}

    orders = DataSubgraph(
        "orders",
        SDL["orders"],
        root={"order": order, "orders": ORDERS, "place": place, "cancel": cancel},
        entities={"Order": ORDERS},
    )
    accounts = DataSubgraph(
        "accounts",
        SDL["accounts"],
        root={"me": me, "accounts": lambda first: [me()][:first], "rename": rename},
        entities={"Account": [{"id": "a1", "name": "Grace"}]},
    )
    stock = DataSubgraph(
        "stock",
        SDL["stock"],
        root={"left": lambda product: 9 - placed.count(product)},
        entities={"Order": SHELVES},
    )
    return [orders, accounts, stock]
