"""Posts and drafts agree, so the number of requests shows who was asked."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Two subgraphs with the same field, and one without."""
    known: list[dict[str, Any]] = [
        {"id": "p1", "createdAt": "1991", "place": {"city": "Ulm"}},
        {"id": "p2", "createdAt": "1992", "place": None},
    ]
    posts = DataSubgraph("posts", SDL["posts"], root={"posts": known}, entities={"Post": known})
    edited = [
        {**known[0], "place": {"city": "Ulm", "zip": "89073"}, "editor": "Eva"},
        {**known[1], "editor": None},
    ]
    drafts = DataSubgraph(
        "drafts",
        SDL["drafts"],
        root={"drafts": edited[1:], "newest": edited[0]},
        entities={"Post": edited},
    )
    hits = [{"id": "p1", "hits": 4}, {"id": "p2", "hits": 2}]
    stats = DataSubgraph("stats", SDL["stats"], root={"top": hits[0]}, entities={"Post": hits})
    return [posts, drafts, stats]
