"""Policies on cars, houses and (hidden from clients) mopeds; the premium tells what was sent.

An object must be sent with the fields of all fragments that it matches, and with no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def _sent(value: Any) -> str:
    """A representation's object as text."""
    if isinstance(value, Mapping):
        fields = (f"{name}={_sent(below)}" for name, below in sorted(value.items()))
        return f"({' '.join(fields)})".replace("__typename=", "")
    if isinstance(value, list):
        return ", ".join(map(_sent, value))
    return str(value)


def subgraphs() -> list[DataSubgraph]:
    """The assets, and pricing, which has policies but no assets."""
    car = {"__typename": "Car", "id": "c1", "value": 9, "wheels": 4, "doors": 5}
    moped = {"__typename": "Moped", "id": "m1", "value": 2, "wheels": 2, "engine": {"cc": 49}}
    house = {"__typename": "House", "id": "h1", "value": 300, "rooms": 6}
    policies: list[dict[str, Any]] = [
        {"id": "p1", "holder": "Ann", "asset": car, "extras": [moped, None, house]},
        {"id": "p2", "holder": "Ben", "asset": moped, "extras": []},
        {"id": "p3", "holder": "Cid", "asset": house, "extras": None},
        {"id": "p4", "holder": "Dot", "asset": None, "extras": [car]},
    ]
    assets = DataSubgraph(
        "assets",
        SDL["assets"],
        root={"policies": policies},
        entities={"Policy": policies, "Car": [car], "Moped": [moped], "House": [house]},
    )
    pricing = DataSubgraph(
        "pricing",
        SDL["pricing"],
        root={"renewals": [{"id": "p2"}, {"id": "p1"}]},
        entities={"Policy": [{"id": policy["id"]} for policy in policies]},
        resolvers={
            "Policy.premium": lambda policy, _: _sent(policy["asset"]),
            "Policy.surcharge": lambda policy, _: _sent(policy["extras"]),
        },
    )
    return [assets, pricing]
