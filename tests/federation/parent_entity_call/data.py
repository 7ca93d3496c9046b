"""Categories whose details are spread over two subgraphs; details have no key of their own.

Highlights know a category by id and parent; one wrong part is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

CATS: list[dict[str, Any]] = [
    {
        "id": "c1",
        "pid": "root",
        "details": {
            "products": 7,
            "cover": {"url": "/c1.png"},
            "facets": [{"label": "red"}, {"label": "blue"}],
        },
    },
    {"id": "c2", "pid": "c1", "details": {"products": 2, "cover": None, "facets": None}},
    {"id": "c3", "pid": "c1", "details": None},
]
HIGHLIGHTS: dict[str, dict[str, Any]] = {
    "c1/root": {
        "top": "Lamp",
        "cover": {"caption": lambda length: "A fine lamp"[:length]},
        "facets": [{"hits": 5}, {"hits": 2}],
    },
    "c2/c1": {"top": "Bulb", "cover": None, "facets": None},
}


def _highlighted(representation: Mapping[str, Any], _: Any) -> dict[str, Any] | None:
    id_, parent = representation["id"], representation["pid"]
    if parent not in {"root", "c1"}:
        raise LookupError(f"no category {id_} below {parent}")
    details = HIGHLIGHTS.get(f"{id_}/{parent}")
    return {"__typename": "Cat", "id": id_, "pid": parent, "details": details}


def subgraphs() -> list[DataSubgraph]:
    """The catalogue, and highlights of the same categories."""
    catalogue = DataSubgraph(
        "catalogue",
        SDL["catalogue"],
        root={"cats": CATS, "cat": lambda id: next((c for c in CATS if c["id"] == id), None)},  # noqa: A006
        entities={"Cat": CATS},
    )
    highlights = DataSubgraph(
        "highlights",
        SDL["highlights"],
        root={"best": {"id": "c1", "pid": "root", "details": HIGHLIGHTS["c1/root"]}},
        resolvers={"Cat.__resolveReference": _highlighted},
    )
    return [catalogue, highlights]
