"""Residents and where they live; what a place is worth is computed from the address that is sent.

The places have no addresses of residents; they take what the representation says, and check that
it says what they asked for, no more and no less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

STREETS = {"Elm Street": "Bath", "Dock Road": "Hull"}


def _city(user: Mapping[str, Any], _: Any) -> str | None:
    addr = user["addr"]
    if addr is None:
        return None
    if addr["__typename"] not in {"Home", "Work"}:
        raise LookupError(f"no such type: {addr}")
    return STREETS[addr["street"]]


def _country(user: Mapping[str, Any], _: Any) -> str | None:
    addr = user["addr"]
    if addr is None or addr["__typename"] == "Home":
        if addr is not None and "city" in addr:
            raise LookupError("a home does not match the fragment")
        return None
    return f"GB ({addr['id']}, {addr['city']})"


def subgraphs() -> list[DataSubgraph]:
    """Users with their addresses, and places that know depots as well."""
    home = {"__typename": "Home", "id": "h1", "street": "Elm Street", "city": "Bath"}
    work = {"__typename": "Work", "id": "w1", "street": "Dock Road", "city": "Hull"}
    known: list[dict[str, Any]] = [
        {"id": "u1", "name": "Ann", "addr": home},
        {"id": "u2", "name": "Ben", "addr": work},
        {"id": "u3", "name": "Cid", "addr": None},
    ]
    users = DataSubgraph(
        "users",
        SDL["users"],
        root={"users": known},
        entities={"User": known, "Home": [home], "Work": [work]},
    )
    depot = {"__typename": "Depot", "id": "d1", "street": "Quay", "gate": 4}
    ships_to = {"u1": depot, "u2": None, "u3": None}
    places = DataSubgraph(
        "places",
        SDL["places"],
        root={"residents": [{"id": "u2"}, {"id": "u1"}]},
        resolvers={
            "User.__resolveReference": lambda user, _: dict(user),
            "User.city": _city,
            "User.country": _country,
            "User.shipsTo": lambda user, _: ships_to[user["id"]],
        },
    )
    return [users, places]
