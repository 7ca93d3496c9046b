"""Products that are found by what `find` and `products` were given."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs
NAMES = {"p1": "lamp", "p2": "lamp post", "p3": "chair", "p4": "lamp shade"}


def _matching(filter: dict[str, Any] | None, options: Any = None) -> list[dict[str, Any]]:  # noqa: A002
    given = filter or {}
    found = [id_ for id_, name in NAMES.items() if (given.get("name") or "") in name]
    limit = given.get("limit", 4)
    return [
        {"id": id_, "name": NAMES[id_], "score": limit * 10 + len(options or ())}
        for id_ in found[:limit]
    ]


def subgraphs() -> list[DataSubgraph]:
    """The catalogue and the search."""
    return [
        DataSubgraph(
            "catalogue",
            SDL["catalogue"],
            root={"products": lambda filter=None, options=None: _matching(filter, options)},  # noqa: A006
            entities={"Product": [{"id": id_, "name": name} for id_, name in NAMES.items()]},
        ),
        DataSubgraph(
            "search",
            SDL["search"],
            root={"find": lambda filter=None, options=None: _matching(filter, options)},  # noqa: A006
            entities={"Product": [{"id": id_, "score": len(id_)} for id_ in NAMES]},
        ),
    ]
