"""Two fleets: who sails in them, what discount they have, and what they pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

WEIGHTS = {"a": 1000, "b": 500, "c": None}
SHIPS: dict[str, list[str | None]] = {"f1": ["a", None, "b"], "f2": ["a", "c"], "f3": []}
DISCOUNTS = {"f1": 10, "f2": None, "f3": 50}
GRADES = {"f1": "FIRST", "f2": "SECOND"}


def _toll(ship: Mapping[str, Any], arguments: Mapping[str, Any]) -> int | None:
    weight = ship["weight"]
    return None if weight is None else weight * (100 - (arguments["discount"] or 0)) // 100


def _berth(ship: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    return f"{ship['id']} {arguments['grade']} {arguments['discount']}"


def _ship(id_: str) -> dict[str, Any]:
    return {"id": id_, "weight": WEIGHTS[id_], "name": id_.upper()}


def _fleet(id_: str) -> dict[str, Any]:
    ships = [None if ship is None else _ship(ship) for ship in SHIPS[id_]]
    return {"id": id_, "ships": ships}


def _tolls(fleet: Mapping[str, Any], _: Any) -> str:
    return ", ".join("none" if ship is None else str(ship["toll"]) for ship in fleet["ships"])


def subgraphs() -> list[DataSubgraph]:
    """Every subgraph knows the fleets; tolls does not know f3."""
    own = [
        {
            "id": fleet,
            "grade": GRADES[fleet],
            "flagship": {"id": "a", "flag": "flag a"},
            "docked": [{"id": "b"}, {"id": "a"}],
        }
        for fleet in GRADES
    ]
    return [
        DataSubgraph(
            "fleets",
            SDL["fleets"],
            root={"fleets": list(map(_fleet, SHIPS))},
            entities={"Fleet": list(map(_fleet, SHIPS)), "Ship": list(map(_ship, WEIGHTS))},
        ),
        DataSubgraph(
            "deals",
            SDL["deals"],
            entities={"Fleet": [{"id": id_, "discount": d} for id_, d in DISCOUNTS.items()]},
        ),
        DataSubgraph(
            "tolls",
            SDL["tolls"],
            root={"best": own[0]},
            entities={
                "Fleet": own,
                "Ship": [{"id": id_, "flag": f"flag {id_}"} for id_ in WEIGHTS],
            },
            resolvers={"Ship.toll": _toll, "Ship.berth": _berth},
        ),
        DataSubgraph(
            "reports",
            SDL["reports"],
            entities={"Fleet": [{"id": id_} for id_ in SHIPS]},
            resolvers={"Fleet.tolls": _tolls},
        ),
    ]
