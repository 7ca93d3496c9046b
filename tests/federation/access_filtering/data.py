"""Two users, a product, a public and a private blog; the second user has no card."""

from __future__ import annotations

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

_ADA = {
    "id": "1",
    "name": "Ada",
    "email": "ada@example.org",
    "card": {"number": "4111"},
    "level": "HIGH",
    "role": "editor",
}
_BOB = {"id": "2", "name": "Bob", "email": "bob@example.org", "card": None, "level": "LOW"}
_PUBLIC = {"__typename": "PublicBlog", "id": "10", "title": "Open", "author": {"id": "1"}}
_PRIVATE = {"__typename": "PrivateBlog", "id": "11", "title": "Closed", "visitors": 3}


def subgraphs() -> list[DataSubgraph]:
    """The subgraphs with their data."""
    sdl = Feature.of(__file__).subgraphs
    product = {"id": "p", "name": "Chair"}
    return [
        DataSubgraph(
            "accounts",
            sdl["accounts"],
            root={"me": _ADA, "users": [_ADA, _BOB], "product": product},
            entities={"User": [_ADA, _BOB], "Product": [product]},
            resolvers={"Mutation.rename": lambda _, given: {**_ADA, **given}},
        ),
        DataSubgraph(
            "blog",
            sdl["blog"],
            root={"posts": [_PUBLIC, _PRIVATE], "found": [_PUBLIC, _PRIVATE]},
            entities={
                "User": [{"id": "1", "posts": [_PUBLIC]}, {"id": "2", "posts": []}],
                "Product": [{"id": "p", "inStock": True}],
            },
            resolvers={"User.initials": lambda user, _: user["email"][:1]},
        ),
    ]
