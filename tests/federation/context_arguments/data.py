"""Trips through the same stops in different currencies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

EUROS = {"s1": 40, "s2": 55, "s3": 70}
RATES = {"EUR": 1, "CHF": 2, "JPY": 100}


def _price(stop: Mapping[str, Any], arguments: Mapping[str, Any]) -> int | None:
    if arguments["currency"] == "XXX":
        raise LookupError("no such currency")
    rate = RATES.get(arguments["currency"])
    return None if rate is None else EUROS[stop["id"]] * rate * int(arguments["nights"])


def _trip(id_: str, currency: str, *stops: str) -> dict[str, Any]:
    return {"id": id_, "currency": currency, "stops": [{"id": stop} for stop in stops]}


def subgraphs() -> list[DataSubgraph]:
    """The trips with the prices of their stops, and the names of the stops."""
    trips = [
        _trip("t1", "EUR", "s1", "s2"),
        _trip("t2", "CHF", "s2", "s1"),
        None,
        _trip("t3", "EUR", "s1", "s3", "s1"),
        _trip("t4", "XXX", "s2"),
        _trip("t5", "JPY"),
    ]
    tour = {"id": "r1", "settings": {"currency": "JPY"}, "stops": [{"id": "s1"}, {"id": "s3"}]}
    return [
        DataSubgraph(
            "trips",
            SDL["trips"],
            root={"trip": trips[0], "trips": trips, "tour": tour},
            entities={"Stop": [{"id": id_} for id_ in EUROS]},
            resolvers={"Stop.price": _price},
        ),
        DataSubgraph(
            "stops",
            SDL["stops"],
            entities={"Stop": [{"id": id_, "name": f"Stop {id_}"} for id_ in EUROS]},
        ),
    ]
