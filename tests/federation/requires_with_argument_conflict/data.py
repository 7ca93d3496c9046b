"""Lamps priced by currency and measured by unit, and labels made of the values they are sent."""

from __future__ import annotations

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

RATES = {"USD": 2.0, "EUR": 1.0, "JPY": 300.0}


def subgraphs() -> list[DataSubgraph]:
    """The catalogue, and labels that know no price."""
    lamps = [
        {"id": "l1", "euros": 15.0, "box": {"cm": 20.0}},
        {"id": "l2", "euros": 80.0, "box": None},
    ]
    catalogue = DataSubgraph(
        "catalogue",
        SDL["catalogue"],
        root={"lamps": lamps, "lamp": lamps[0]},
        entities={"Lamp": lamps},
        resolvers={
            "Lamp.price": lambda lamp, given: lamp["euros"] * RATES[given["currency"]],
            "Box.side": lambda box, given: box["cm"] / (2.5 if given["unit"] == "in" else 1),
        },
    )
    labels = DataSubgraph(
        "labels",
        SDL["labels"],
        root={"labelled": [{"id": "l2", "colour": "red"}, {"id": "l1", "colour": "tin"}]},
        entities={"Lamp": [{"id": "l1", "colour": "tin"}, {"id": "l2", "colour": "red"}]},
        resolvers={
            "Lamp.dollars": lambda lamp, _: f"${lamp['price']}",
            "Lamp.euros": lambda lamp, _: f"{lamp['price']} €",
            "Lamp.cheap": lambda lamp, _: lamp["price"] < 50,
            "Lamp.volume": lambda lamp, _: lamp["box"] and f"{lamp['box']['side'] ** 3} cm³",
            "Lamp.freight": lambda lamp, _: (
                lamp["box"] and f"{lamp['box']['side']} in for {lamp['price']} €"
            ),
        },
    )
    return [catalogue, labels]
