"""A library that knows the animals in its books by some roots only; by others they are wrong."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """The animals, and the library."""
    rex: dict[str, Any] = {"__typename": "Dog", "id": "a1", "name": "Rex", "age": 4, "pups": []}
    rex["pups"] = [{"id": "a3", "name": "Tim", "age": 0, "pups": None}]
    tom = {"__typename": "Cat", "id": "a2", "name": "Tom"}
    book = {"__typename": "Book", "id": "b1", "animals": [rex, tom]}
    animals = DataSubgraph(
        "animals",
        SDL["animals"],
        root={
            "media": book,
            "animal": lambda id: {"a1": rex, "a2": tom}.get(id),  # noqa: A006
        },
        entities={"Book": [book], "Dog": [rex, *rex["pups"]], "Cat": [tom]},
    )

    def shelved(dog: str, cat: str) -> dict[str, Any]:
        """A book whose animals have these names."""
        return {
            "__typename": "Book",
            "id": "b1",
            "pages": 99,
            "animals": [
                {"__typename": "Dog", "id": "a1", "name": dog},
                {"__typename": "Cat", "id": "a2", "name": cat},
            ],
        }

    library = DataSubgraph(
        "library",
        SDL["library"],
        root={
            "media": shelved("Rex", "Tom"),
            "book": shelved("Rex", "WRONG"),
            "loans": [shelved("WRONG", "WRONG")],
        },
        entities={
            "Book": [shelved("WRONG", "WRONG")],
            "Dog": [{"id": "a1", "name": "WRONG"}],
            "Cat": [{"id": "a2", "name": "WRONG"}],
        },
    )
    return [animals, library]
