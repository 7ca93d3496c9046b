"""Parcels: every subgraph finds them by the keys it resolves and by no other.

The depot computes a label from the weight it is given; it has none of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

ZONES = {"dhx": 4, "ups": 9}
CARRIERS = {"t1": "dhx", "t2": "ups"}
GRAMS = {"t1": 700, "t2": None}


def _parcel(tracking: str) -> dict[str, Any]:
    code = CARRIERS[tracking]
    return {"tracking": tracking, "carrier": {"code": code, "hub": {"zone": ZONES[code]}}}


def _depot(representation: Mapping[str, Any], _: Any) -> dict[str, Any]:
    known = _parcel(representation["tracking"])
    if representation["carrier"] != known["carrier"]:
        raise LookupError("not the depot's key")
    given = {"grams": representation["grams"]} if "grams" in representation else {}
    return {"__typename": "Parcel", **known, **given}


def _scales(representation: Mapping[str, Any], _: Any) -> dict[str, Any]:
    known = _parcel(representation["tracking"])
    if representation["carrier"] != {"code": known["carrier"]["code"]}:
        raise LookupError("not the scales' key")
    return {"__typename": "Parcel", **known, "grams": GRAMS[representation["tracking"]]}


def _contracts(representation: Mapping[str, Any], _: Any) -> dict[str, Any]:
    if representation.keys() != {"__typename", "tracking"}:
        raise LookupError("not the contracts' key")
    known = _parcel(representation["tracking"])
    return {"__typename": "Parcel", **known, "price": 5 * int(known["tracking"][1])}


def _label(parcel: Mapping[str, Any], _: Any) -> str:
    grams = parcel["grams"]
    return f"{parcel['tracking']}: {'not weighed' if grams is None else f'{grams} g'}"


def subgraphs() -> list[DataSubgraph]:
    """Four subgraphs; the portal's key leads to the contracts alone."""
    ramps = {"t1": 1, "t2": 2}
    depot = DataSubgraph(
        "depot",
        SDL["depot"],
        root={"intake": [_parcel("t2"), _parcel("t1")]},
        resolvers={
            "Parcel.__resolveReference": _depot,
            "Parcel.label": _label,
            "Parcel.ramp": lambda parcel, _: ramps[parcel["tracking"]],
        },
    )
    scales = DataSubgraph(
        "scales",
        SDL["scales"],
        root={"weighed": [{**_parcel("t1"), "grams": GRAMS["t1"]}]},
        resolvers={"Parcel.__resolveReference": _scales},
    )
    contracts = DataSubgraph(
        "contracts", SDL["contracts"], resolvers={"Parcel.__resolveReference": _contracts}
    )
    portal = DataSubgraph(
        "portal",
        SDL["portal"],
        root={
            "tracked": lambda tracking: (
                {"tracking": tracking, "note": "fragile"} if tracking in CARRIERS else None
            )
        },
        entities={"Parcel": [{"tracking": "t1", "note": "fragile"}]},
    )
    return [depot, scales, contracts, portal]
