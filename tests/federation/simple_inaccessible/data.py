"""Tickets that tell by which order they were sorted, hidden ones among them."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def _ticket(number: int, order: str | None) -> dict[str, Any]:
    shown = "SECRET" if number == 2 else "OLDEST"
    view = {"order": shown, "pinned": number == 1}
    return {"id": f"t{number}", "sortedBy": order, "view": view}


def subgraphs() -> list[DataSubgraph]:
    """The desk, whose secret order is the default, and the archive."""
    desk = DataSubgraph(
        "desk",
        SDL["desk"],
        root={
            "tickets": lambda first, order: [
                _ticket(number, "OLDEST" if order == "SECRET" and number == 3 else order)
                for number in range(1, first + 1)
            ],
            "sorting": ["NEWEST", "SECRET", None, "OLDEST"],
            "sorted": lambda by: [_ticket(1, by)],
        },
        entities={"Ticket": [_ticket(1, "NEWEST"), _ticket(2, "SECRET"), _ticket(3, None)]},
    )
    archived = [{"id": f"t{number}", "closed": f"day {number}"} for number in (3, 2, 1)]
    archive = DataSubgraph(
        "archive", SDL["archive"], root={"archived": archived}, entities={"Ticket": archived}
    )
    return [desk, archive]
