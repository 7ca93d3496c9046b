"""A museum: exhibitions are known by the works in them, works by number, maker and the maker's
country.

Subgraphs find an entity only by a key of their own that is complete; one part wrong or missing is
an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

COUNTRIES = {"a1": "NL", "a2": "ES"}
MAKERS = {"w1": "a1", "w2": "a2", "w3": "a1"}
SHOWS = {"north": ["w1", "w2"], "south": ["w3"]}


def _work(inventory: str, *, country: bool = False) -> dict[str, Any]:
    maker: dict[str, Any] = {"id": MAKERS[inventory]}
    if country:
        maker["country"] = {"code": COUNTRIES[maker["id"]]}
    return {"inventory": inventory, "maker": maker}


def _hung(representation: Mapping[str, Any], _: Any) -> dict[str, Any]:
    """An exhibition by its works with their makers."""
    works = [
        {"inventory": work["inventory"], "maker": {"id": work["maker"]["id"]}}
        for work in representation["works"]
    ]
    for wall, shown in SHOWS.items():
        if works == [_work(inventory) for inventory in shown]:
            centrepiece = _work(shown[-1])
            return {
                "__typename": "Exhibition",
                "works": works,
                "wall": wall,
                "centrepiece": centrepiece,
            }
    raise LookupError(f"no exhibition of {works}")


def _inspected(representation: Mapping[str, Any], _: Any) -> dict[str, Any]:
    """A work by number, maker and country."""
    inventory = representation["inventory"]
    maker = representation["maker"]
    if maker["country"]["code"] != COUNTRIES[maker["id"]] or maker["id"] != MAKERS[inventory]:
        raise LookupError(f"no work {dict(representation)}")
    return {
        "__typename": "Work",
        **_work(inventory, country=True),
        "condition": f"{inventory} is fine",
    }


def subgraphs() -> list[DataSubgraph]:
    """Five subgraphs; tickets share a key with the registry alone."""
    tickets = DataSubgraph(
        "tickets",
        SDL["tickets"],
        root={
            "featured": [
                {"works": [{"inventory": i} for i in shown], "price": price}
                for shown, price in zip(SHOWS.values(), (12, 9), strict=True)
            ]
        },
    )
    years = [{**_work(inventory), "year": 1600 + int(inventory[1])} for inventory in MAKERS]
    registry = DataSubgraph(
        "registry",
        SDL["registry"],
        root={"acquisitions": [years[2], years[0]]},
        entities={"Work": years},
    )
    hanging = DataSubgraph(
        "hanging",
        SDL["hanging"],
        resolvers={"Exhibition.__resolveReference": _hung},
    )
    biographies = DataSubgraph(
        "biographies",
        SDL["biographies"],
        entities={
            "Artist": [
                {"id": "a1", "name": "Judith", "country": {"code": "NL"}},
                {"id": "a2", "name": "Diego", "country": {"code": "ES"}},
            ]
        },
    )
    conservation = DataSubgraph(
        "conservation",
        SDL["conservation"],
        root={"inspected": [_work("w2", country=True), _work("w3", country=True)]},
        resolvers={
            "Work.__resolveReference": _inspected,
            "Work.condition": lambda work, _: f"{work['inventory']} is fine",
        },
    )
    return [tickets, registry, hanging, biographies, conservation]
