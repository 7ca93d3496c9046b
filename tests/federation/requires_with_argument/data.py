"""Weather stations: every call answers by its arguments, so that no call can stand for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

CELSIUS = {"s1": -4.25, "s2": 21.5}
METRES: dict[str, int | None] = {"s1": 3000, "s2": None}
LEVELS = {"r1": 5, "r2": 7, "r3": 1, "r4": 2}
READINGS = {"s1": ["r3", "r1", "r2"], "s2": ["r4"]}


def _temperature(station: Mapping[str, Any], arguments: Mapping[str, Any]) -> float:
    value = CELSIUS[station["id"]] + (273.15 if arguments["unit"] == "KELVIN" else 0)
    digits: int = arguments.get("digits", 2)
    return round(value, digits)


def _altitude(site: Mapping[str, Any], arguments: Mapping[str, Any]) -> int:
    metres: int = site["metres"]
    return metres if arguments["in"] == "m" else metres * 3


def _readings(station: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"id": id_} for id_ in READINGS[station["id"]][-arguments["last"] :]]


def _trend(station: Mapping[str, Any], _: Any) -> list[int]:
    return [reading["level"] for reading in station["readings"]]


def subgraphs() -> list[DataSubgraph]:
    """The stations, their readings, and forecasts that have neither."""
    known = [
        {
            "id": id_,
            "site": None if METRES[id_] is None else {"metres": METRES[id_], "name": "Peak"},
        }
        for id_ in CELSIUS
    ]
    stations = DataSubgraph(
        "stations",
        SDL["stations"],
        root={"stations": known, "station": lambda id: next(s for s in known if s["id"] == id)},  # noqa: A006
        entities={"Station": known},
        resolvers={
            "Station.temperature": _temperature,
            "Site.altitude": _altitude,
            "Station.readings": _readings,
        },
    )
    readings = DataSubgraph(
        "readings",
        SDL["readings"],
        entities={"Reading": [{"id": id_} for id_ in LEVELS]},
        resolvers={"Reading.level": lambda reading, given: LEVELS[reading["id"]] * given["scale"]},
    )
    forecasts = DataSubgraph(
        "forecasts",
        SDL["forecasts"],
        root={"warnings": [{"id": "s1"}]},
        entities={"Station": [{"id": id_} for id_ in CELSIUS]},
        resolvers={
            "Station.frost": lambda station, _: station["temperature"] < 0,
            "Station.thinAir": lambda station, _: (
                None if station["site"] is None else station["site"]["altitude"] > 2500
            ),
            "Station.trend": _trend,
        },
    )
    return [stations, readings, forecasts]
