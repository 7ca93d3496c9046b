"""Posts: what the newsroom has taken over, the archive answers wrongly."""

from __future__ import annotations

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """The archive, the newsroom that took over, and a mirror that shares a field."""
    archived = [
        {
            "id": f"p{number}",
            "createdAt": "WRONG",
            "byline": {"name": "Ann", "city": "WRONG"},
            "words": number * 100,
        }
        for number in (1, 2)
    ]
    archive = DataSubgraph(
        "archive",
        SDL["archive"],
        root={"feed": archived, "oldest": archived[0], "breaking": {"id": "WRONG"}},
        entities={"Post": archived},
    )
    fresh = [
        {"id": f"p{number}", "createdAt": f"199{number}", "byline": {"name": "Ann", "city": "Ulm"}}
        for number in (1, 2)
    ]
    newsroom = DataSubgraph(
        "newsroom",
        SDL["newsroom"],
        root={"feed": fresh, "latest": fresh[1], "breaking": fresh[1]},
        entities={"Post": fresh},
    )
    mirrored = [{"id": "p1", "createdAt": "1991", "hits": 9}]
    mirror = DataSubgraph(
        "mirror", SDL["mirror"], root={"popular": mirrored}, entities={"Post": mirrored}
    )
    return [archive, newsroom, mirror]
