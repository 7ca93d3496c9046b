"""A small shop over four subgraphs and a query with a large answer: 100 KB, 370 objects."""

from __future__ import annotations

from typing import Any

from tests.federation.harness.subgraph import DataSubgraph

__all__ = ["HEAVY", "shop_subgraphs"]

HEAVY = """
fragment Person on Customer { id login fullName }
fragment Opinion on Rating { id text }
fragment Item on Article { sku title cents available postage grams }

query Heavy {
  customers {
    ...Person
    ratings {
      ...Opinion
      article {
        ...Item
        ratings { ...Opinion writer { ...Person ratings { ...Opinion article { ...Item } } } }
      }
    }
  }
  bestsellers {
    ...Item
    ratings { ...Opinion writer { ...Person ratings { ...Opinion article { ...Item } } } }
  }
}
"""

_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", '
    'import: ["@key", "@external", "@requires", "@provides", "@shareable"])\n'
)
_TEXT = "It arrived on time, it does what it should, and I would buy it again if it ever broke. "


def _customers() -> list[dict[str, Any]]:
    return [
        {"id": f"c{n}", "login": f"login{n}", "fullName": f"Customer Number {n}"} for n in range(3)
    ]


def _articles() -> list[dict[str, Any]]:
    return [
        {"sku": f"a{n}", "title": f"Article {n}", "cents": 900 + n, "grams": 100 * n}
        for n in range(5)
    ]


def _ratings() -> list[dict[str, Any]]:
    return [
        {
            "id": f"r{n}",
            "text": _TEXT * 5,
            "article": {"sku": f"a{n % 5}"},
            "writer": {"id": f"c{n % 3}", "login": f"login{n % 3}"},
        }
        for n in range(11)
    ]


def shop_subgraphs() -> list[DataSubgraph]:
    """Return the subgraphs."""
    customers, articles, ratings = _customers(), _articles(), _ratings()
    return [
        DataSubgraph(
            "accounts",
            _LINK
            + """type Query { customers: [Customer] } type Customer @key(fields: "id") { id: ID!
            fullName: String login: String @shareable }""",
            root={"customers": customers},
            entities={"Customer": customers},
        ),
        DataSubgraph(
            "catalogue",
            _LINK
            + """type Query { bestsellers: [Article] } type Article @key(fields: "sku") { sku:
            String! title: String cents: Int grams: Int }""",
            root={"bestsellers": articles[:5]},
            entities={"Article": articles},
        ),
        DataSubgraph(
            "stock",
            _LINK
            + """type Article @key(fields: "sku") {
              sku: String! grams: Int @external cents: Int @external
              available: Boolean postage: Int @requires(fields: "cents grams")
            } type Query { depots: Int }""",
            entities={"Article": [{"sku": a["sku"], "available": True} for a in articles]},
            resolvers={"Article.postage": lambda article, _: article["grams"] // 10},
        ),
        DataSubgraph(
            "ratings",
            _LINK
            + """type Rating @key(fields: "id") {
              id: ID! text: String article: Article writer: Customer @provides(fields: "login")
            }
            type Customer @key(fields: "id") { id: ID! login: String @external ratings: [Rating] }
            type Article @key(fields: "sku") { sku: String! ratings: [Rating] }
            type Query { latest: Rating }""",
            entities={"Customer": customers, "Article": articles},
            resolvers={
                "Customer.ratings": lambda customer, _: [
                    one for one in ratings if one["writer"]["id"] == customer["id"]
                ],
                "Article.ratings": lambda article, _: [
                    one for one in ratings if one["article"]["sku"] == article["sku"]
                ],
            },
        ),
    ]
