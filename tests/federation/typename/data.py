"""A zoo, and keepers who call every creature `Nobody`."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph
from tests.federation.harness.inventive import InventiveSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """The zoo and its keepers."""
    lion = {"__typename": "Lion", "id": "l1", "legs": 4}
    parrot = {"__typename": "Parrot", "id": "p1", "legs": 2}
    statue = {"__typename": "Statue", "stone": "granite"}
    zoo = DataSubgraph(
        "zoo",
        SDL["zoo"],
        root={
            "creatures": [lion, parrot],
            "exhibits": [statue, parrot, lion],
            "star": parrot,
        },
        entities={"Lion": [lion], "Parrot": [parrot]},
    )
    fed: list[dict[str, Any]] = [{"id": "p1", "keeper": "Pia"}, {"id": "l1", "keeper": "Leo"}]
    keepers = InventiveSubgraph(
        "keepers",
        SDL["keepers"],
        root={"rounds": [{"day": "Monday", "fed": fed}, {"day": "Tuesday", "fed": fed[1:]}]},
        entities={"Creature": fed},
        invented={"Creature": "Nobody"},
    )
    return [zoo, keepers]
