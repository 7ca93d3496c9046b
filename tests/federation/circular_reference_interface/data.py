"""Chapters under chapters; `outline` has titles only of a chapter's parent, as it promises."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs
NOT_PROVIDED = AssertionError("this title is not provided here")


def _parent(number: int) -> dict[str, Any]:
    """Chapter 1 of part 2 of book 3 of shelf 4, as the parent of the one before."""
    return {
        "__typename": "Chapter",
        "id": f"c{number}",
        "pages": number * 10,
        "title": f"Title {number}",
        "parent": lambda: _parent(number + 1) if number < 4 else None,
    }


def subgraphs() -> list[DataSubgraph]:
    """The outline and the texts."""
    chapters = [{**_parent(number), "title": NOT_PROVIDED} for number in range(1, 5)]
    outline = DataSubgraph(
        "outline",
        SDL["outline"],
        root={"sections": chapters[:2]},
        entities={"Chapter": chapters},
    )
    texts = [
        {"id": f"c{number}", "title": f"Title {number}", "words": number * 1000}
        for number in range(1, 5)
    ]
    return [
        outline,
        DataSubgraph(
            "texts", SDL["texts"], root={"chapters": texts[1:3]}, entities={"Chapter": texts}
        ),
    ]
