"""Users, their reviews and products. Eve has no reviews, and her count, never null, fails."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

ADA: dict[str, Any] = {
    "__typename": "User",
    "id": "1",
    "name": "Ada",
    "email": "ada@example.org",
    "address": {"street": "High Street", "city": "London"},
}
EVE: dict[str, Any] = {"__typename": "User", "id": "2", "name": "Eve", "email": None}
ADA["friends"] = [EVE]
EVE["friends"] = [ADA]
GROUP = {"__typename": "Group", "id": "7", "name": "Readers", "motto": "Books first"}
REVIEW = {"id": "r1", "text": "Splendid", "author": {"id": "1"}, "product": {"id": "p1"}}


def subgraphs() -> list[DataSubgraph]:
    """The three subgraphs."""
    users = DataSubgraph(
        "users",
        SDL["users"],
        root={"me": ADA, "users": [ADA, EVE], "named": lambda name: [GROUP, ADA]},
        entities={"User": [ADA, EVE], "Group": [GROUP]},
        resolvers={"Mutation.rename": lambda _, arguments: {**ADA, **arguments}},
    )
    reviews = DataSubgraph(
        "reviews",
        SDL["reviews"],
        root={"latest": [REVIEW]},
        entities={
            "User": [
                {"id": "1", "reviews": [REVIEW], "count": 1},
                {"id": "2", "reviews": [], "count": RuntimeError("not counted")},
            ],
            "Review": [REVIEW],
        },
        resolvers={"User.trusted": lambda user, _: "@example.org" in (user.get("email") or "")},
    )
    products = DataSubgraph(
        "products",
        SDL["products"],
        entities={"Product": [{"id": "p1", "title": "Teapot", "price": 12}]},
    )
    return [users, reviews, products]
