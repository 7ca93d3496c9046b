"""Sensors: degrees come of the raw value, a level of the degrees, a crew of both.

Every subgraph has wrong values of its own for what it requires.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

WRONG = {"raw": -1, "backup": {"raw": -1}, "degrees": -1.0, "drift": -1.0, "level": "wrong"}
KNOWN = [{"id": f"s{number}", **WRONG} for number in (1, 2, 3)]


def _drift(sensor: Mapping[str, Any], _: Any) -> float | None:
    backup = sensor["backup"]
    return None if backup is None else (sensor["raw"] - backup["raw"]) / 10


def _crew(sensor: Mapping[str, Any], _: Any) -> list[str] | None:
    return [f"{sensor['level']} at {sensor['degrees']}"] if sensor["level"] == "hot" else None


def subgraphs() -> list[DataSubgraph]:
    """The four links of the chain."""
    s1: dict[str, Any] = {"id": "s1", "raw": 205, "place": "hall", "backup": None}
    s2 = {"id": "s2", "raw": 912, "place": "boiler", "backup": s1}
    s3 = {"id": "s3", "raw": 880, "place": "duct", "backup": s2}
    sensors = DataSubgraph(
        "sensors",
        SDL["sensors"],
        root={"sensors": [s1, s2, s3]},
        entities={"Sensor": [s1, s2, s3]},
    )
    calibration = DataSubgraph(
        "calibration",
        SDL["calibration"],
        root={"calibrated": [KNOWN[1]]},
        entities={"Sensor": KNOWN},
        resolvers={
            "Sensor.degrees": lambda sensor, _: sensor["raw"] / 10,
            "Sensor.drift": _drift,
        },
    )
    alarms = DataSubgraph(
        "alarms",
        SDL["alarms"],
        root={"alarms": [{"sensor": KNOWN[2]}, {"sensor": KNOWN[0]}]},
        entities={"Sensor": KNOWN},
        resolvers={"Sensor.level": lambda sensor, _: "hot" if sensor["degrees"] > 80 else "normal"},
    )
    dispatch = DataSubgraph(
        "dispatch",
        SDL["dispatch"],
        root={"watched": KNOWN[1]},
        entities={"Sensor": KNOWN},
        resolvers={
            "Sensor.crew": _crew,
            "Sensor.report": lambda sensor, _: f"{sensor['level']}, drift {sensor['drift']}",
        },
    )
    return [sensors, calibration, alarms, dispatch]
