"""An oven, a kettle and a mixer; whatever one asks for by id is found, a `Node` here or not."""

from __future__ import annotations

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """The kitchen and the warranties."""
    oven = {"__typename": "Oven", "id": "o1", "watts": 3000}
    kettle = {"__typename": "Kettle", "id": "k1", "litres": 1.7}
    mixer = {"__typename": "Mixer", "id": "m1", "bowls": 2}
    kitchen = DataSubgraph(
        "kitchen",
        SDL["kitchen"],
        root={
            "appliances": [kettle, oven, mixer],
            "node": lambda id: {"o1": oven, "k1": kettle, "m1": mixer}.get(id),  # noqa: A006
        },
        entities={"Oven": [oven], "Kettle": [kettle], "Mixer": [mixer]},
    )
    covered = [
        {"__typename": "Mixer", "id": "m1", "years": 2},
        {"__typename": "Kettle", "id": "k1", "years": 5},
    ]
    warranty = DataSubgraph(
        "warranty",
        SDL["warranty"],
        root={"covered": covered, "latest": {"__typename": "Oven", "id": "o1", "years": 10}},
        entities={
            "Oven": [{"id": "o1", "years": 10}],
            "Kettle": [covered[1]],
            "Mixer": [covered[0]],
        },
    )
    return [kitchen, warranty]
