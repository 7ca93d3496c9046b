"""One store behind three subgraphs: the order of what is done to it shows in the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


@dataclass
class _Store:
    """What the mutations change."""

    number: int = 0
    added: int = 0
    in_stock: bool = True
    taken: set[str] = field(default_factory=set)
    products: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"p1": {"id": "p1", "name": "old", "price": 900}}
    )

    def add_product(self, _: object, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Add a product; doing so twice is an error."""
        self.added += 1
        if self.added > 1:
            raise AssertionError("addProduct ran twice")
        self.products["new"] = {"id": "new", **arguments["input"]}
        return self.products["new"]

    def rename(self, _: object, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Rename a product."""
        self.products[arguments["id"]]["name"] = arguments["name"]
        return dict(self.products[arguments["id"]])

    def take(self, representation: Mapping[str, Any], _: object) -> dict[str, Any]:
        """Look at a product in stock, which cannot be done twice before something is discarded."""
        if representation["id"] in self.taken:
            raise AssertionError("the product was asked for twice")
        self.taken.add(representation["id"])
        return {**representation, "isAvailable": self.in_stock}

    def discard(self, *_: object) -> int:
        """Empty the stock."""
        self.in_stock = False
        self.taken.clear()
        return self.calculate(self.number - 1)

    def calculate(self, number: int) -> int:
        """Set and return the number."""
        self.number = number
        return number

    def reset(self, _: object, __: object) -> dict[str, Any]:
        """Set the number to zero and name the product that was last."""
        return {"value": self.calculate(0), "last": {"id": list(self.products)[-1]}}


def _is_expensive(product: Mapping[str, Any], _: object) -> bool:
    expensive: bool = product["price"] > 500
    return expensive


def subgraphs() -> list[DataSubgraph]:
    """Products, stock and counters over one new store."""
    store = _Store()
    products = DataSubgraph(
        "products",
        SDL["products"],
        resolvers={
            "Mutation.addProduct": store.add_product,
            "Mutation.rename": store.rename,
            "Product.__resolveReference": lambda item, _: {**item, **store.products[item["id"]]},
        },
    )
    stock = DataSubgraph(
        "stock",
        SDL["stock"],
        resolvers={
            "Mutation.addProduct": lambda _, arguments: {
                **store.add_product(_, arguments),
                "isAvailable": True,
                "price": -1,
            },
            "Mutation.discard": store.discard,
            "Product.__resolveReference": store.take,
            "Product.isExpensive": _is_expensive,
        },
    )
    counters = DataSubgraph(
        "counters",
        SDL["counters"],
        resolvers={
            "Mutation.add": lambda _, a: store.calculate(store.number + a["number"]),
            "Mutation.multiply": lambda _, a: store.calculate(store.number * a["by"]),
            "Mutation.reset": store.reset,
        },
    )
    return [products, stock, counters]
