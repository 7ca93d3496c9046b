"""Two books and a magazine; what `catalogue` and `delivery` have as external is wrong there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs
WRONG = AssertionError("this is external here")


def _product(typename: str, upc: str, *similar: str) -> dict[str, Any]:
    return {
        "__typename": typename,
        "upc": upc,
        "sku": f"sku-{upc}",
        "reviews": WRONG,
        "similar": [{"__typename": typename, "upc": other, "reviews": WRONG} for other in similar],
    }


def _catalogue() -> DataSubgraph:
    products = {
        "b1": _product("Book", "b1", "b2"),
        "m1": _product("Magazine", "m1"),
        "b2": _product("Book", "b2", "b1", "b2"),
    }

    def similar(product: Mapping[str, Any], _: object) -> list[dict[str, Any]]:
        return [products[other["upc"]] for other in products[product["upc"]]["similar"]]

    return DataSubgraph(
        "catalogue",
        SDL["catalogue"],
        root={
            "products": list(products.values()),
            "search": lambda text: [products["m1"], products["b1"]] if text == "sea" else [],
        },
        entities={"Book": [products["b1"], products["b2"]], "Magazine": [products["m1"]]},
        resolvers={"Book.similar": similar, "Magazine.similar": similar},
    )


def _library() -> DataSubgraph:
    reviews: list[dict[str, Any]] = [
        {"id": "r1", "body": "Long and wet."},
        {"id": "r2", "body": "Glossy."},
        {"id": "r3", "body": None},
    ]
    return DataSubgraph(
        "library",
        SDL["library"],
        entities={
            "Book": [
                {"upc": "b1", "dimensions": {"size": "A5", "weight": 0.8}, "reviews": [reviews[0]]},
                {"upc": "b2", "dimensions": None, "reviews": [reviews[2], reviews[0]]},
            ],
            "Magazine": [{"upc": "m1", "reviews": [reviews[1]]}],
            "Review": reviews,
        },
    )


def _delivery() -> DataSubgraph:
    def delivery(book: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        dimensions = book["dimensions"]
        if dimensions is None:
            return None
        fee = f"{dimensions['weight']} kg {dimensions['size']} to {arguments['zip']}"
        return {"days": 3, "fee": fee}

    stale = {"size": "wrong", "weight": -1.0}
    return DataSubgraph(
        "delivery",
        SDL["delivery"],
        entities={
            "Book": [
                {"upc": "b1", "title": "Moby-Dick", "dimensions": stale},
                {"upc": "b2", "title": "Persuasion", "dimensions": stale},
            ],
            "Magazine": [{"upc": "m1", "title": "Mare", "subscribed": True}],
        },
        resolvers={"Book.delivery": delivery},
    )


def _people() -> DataSubgraph:
    def headline(review: Mapping[str, Any], _: object) -> str | None:
        body: str | None = review["body"]
        return body.split()[0].upper() if body is not None else None

    ann, bob = {"id": "a1", "name": "Ann"}, {"id": "a2", "name": "Bob"}
    return DataSubgraph(
        "people",
        SDL["people"],
        entities={
            "Review": [
                {"id": "r1", "body": "wrong", "author": ann},
                {"id": "r2", "body": "wrong", "author": bob},
                {"id": "r3", "body": "wrong", "author": None},
            ],
            "Author": [ann, bob],
        },
        resolvers={"Review.headline": headline},
    )


def _makers() -> DataSubgraph:
    author = {"__typename": "Author", "id": "a1", "rank": 1}
    house = {"__typename": "House", "id": "h1", "rank": "first"}
    return DataSubgraph(
        "makers",
        SDL["makers"],
        entities={
            "Book": [{"upc": "b1", "maker": author}, {"upc": "b2", "maker": house}],
            "Magazine": [{"upc": "m1", "maker": house}],
            "Author": [author, {"__typename": "Author", "id": "a2", "rank": 2}],
            "House": [house],
        },
    )


def subgraphs() -> list[DataSubgraph]:
    """Seven subgraphs; only the catalogue knows products as such."""
    holder = {"__typename": "Collective", "members": [{"id": "a2"}, {"id": "a1"}]}
    rights = DataSubgraph(
        "rights", SDL["rights"], entities={"Magazine": [{"upc": "m1", "holder": holder}]}
    )
    house = {"id": "h1", "city": "Kiel", "best": {"upc": "b2"}}
    houses = DataSubgraph(
        "houses", SDL["houses"], root={"houses": [house]}, entities={"House": [house]}
    )
    return [_catalogue(), _library(), _delivery(), _people(), _makers(), rights, houses]
