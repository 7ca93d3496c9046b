"""Orders of a book and a lamp; an offer has a type that its own subgraph does not have."""

from __future__ import annotations

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph
from tests.federation.harness.inventive import InventiveSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """The catalogue and the orders, which cannot be entered."""
    book = {"__typename": "Book", "id": "b1", "name": "Atlas", "pages": 300}
    lamp = {"__typename": "Lamp", "id": "l1", "name": "Glow", "watts": 5}
    catalogue = DataSubgraph(
        "catalogue",
        SDL["catalogue"],
        root={
            "product": lambda id: {"b1": book, "l1": lamp}.get(id),  # noqa: A006
            "offer": {"__typename": "Discount", "id": "o1"},
        },
        entities={"Book": [book], "Lamp": [lamp]},
    )
    orders = InventiveSubgraph(
        "orders",
        SDL["orders"],
        root={
            "orders": [
                {"count": 1, "product": {"id": "l1"}},
                {"count": 2, "product": {"id": "b1"}},
                {"count": 3, "product": None},
            ],
            "offers": [{"id": "o1", "percent": 10}, {"id": "o2", "percent": None}],
        },
        invented={"Product": "Goods", "Offer": "Bargain"},
    )
    return [catalogue, orders]
