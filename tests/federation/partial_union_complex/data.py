"""A crate on top of one shelf, a letter on top of the other; `postal` never has the crate."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

LETTER = {"__typename": "Letter", "stamp": "red", "number": 1}
CRATE = {"__typename": "Crate", "weight": 40, "number": 2}


def _box(top: dict[str, Any]) -> dict[str, Any]:
    return {"top": top, "inner": {"top": top}, "things": [LETTER, CRATE]}


def subgraphs() -> list[DataSubgraph]:
    """Inventory and postal, that share the top of a shelf, and the archive."""
    shelves: list[dict[str, Any]] = [
        {
            "id": "s1",
            "label": "low",
            "top": LETTER,
            "box": _box(LETTER),
            "drawer": {"number": 1, "top": CRATE, "box": _box(CRATE)},
        },
        {
            "id": "s2",
            "label": "high",
            "top": CRATE,
            "box": _box(CRATE),
            "drawer": {"number": 2, "top": LETTER, "box": _box(LETTER)},
        },
    ]
    vaults = [{"id": "v1", "top": CRATE}, {"id": "v2", "top": LETTER}]
    inventory = DataSubgraph(
        "inventory",
        SDL["inventory"],
        root={
            "shelf": lambda id: next(s for s in shelves if s["id"] == id),  # noqa: A006
            "vaults": vaults,
        },
        entities={"Shelf": shelves, "Vault": vaults},
    )
    posted: list[dict[str, Any]] = [
        {"id": "s1", "barcode": "|| |", "top": LETTER},
        {"id": "s2", "barcode": "| |"},
    ]
    postal = DataSubgraph(
        "postal", SDL["postal"], root={"shelves": posted}, entities={"Shelf": posted}
    )
    archive = DataSubgraph(
        "archive",
        SDL["archive"],
        root={
            "moves": [
                {"from": {"id": "s1"}, "into": {"id": "v1"}},
                {"from": {"id": "s2"}, "into": {"id": "v2"}},
            ]
        },
    )
    return [inventory, postal, archive]
