"""A hotel: rooms, quotes computed from them, and a guest book that knows its authors' names.

The quotes have stale sizes and prices of their own, and the guest book gives a name only below an
entry: asked for a guest by key it has a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

ROOMS: list[dict[str, Any]] = [
    {"number": "11", "area": 20, "nightly": 90},
    {"number": "12", "area": 30, "nightly": 150},
    {"number": "13", "area": None, "nightly": 40},
]
STALE = [{"number": room["number"], "area": 1, "nightly": 1, "breakfast": 12} for room in ROOMS]
ENTRIES = [
    ("e1", "Quiet", "g1", "12"),
    ("e2", "Loud", "g2", "11"),
    ("e3", "Fine", "g1", "11"),
]
NAMES = {"g1": "Ada", "g2": "Bob"}


def _entries(position: int, value: str) -> list[dict[str, Any]]:
    return [
        {
            "id": entry[0],
            "text": entry[1],
            "author": {"id": entry[2], "name": NAMES[entry[2]]},
            "room": {"number": entry[3]},
        }
        for entry in ENTRIES
        if entry[position] == value
    ]


def _cleaning(room: Mapping[str, Any], _: Any) -> int | None:
    return None if room["area"] is None else room["area"] + room["nightly"] // 10


def _per_square_metre(room: Mapping[str, Any], _: Any) -> float | None:
    return None if room["area"] is None else room["nightly"] / room["area"]


def subgraphs() -> list[DataSubgraph]:
    """Rooms, quotes, guest book and guests."""
    rooms = DataSubgraph("rooms", SDL["rooms"], root={"rooms": ROOMS}, entities={"Room": ROOMS})
    quotes = DataSubgraph(
        "quotes",
        SDL["quotes"],
        root={"offers": [STALE[1], STALE[0]]},
        entities={"Room": STALE},
        resolvers={"Room.cleaning": _cleaning, "Room.perSquareMetre": _per_square_metre},
    )
    guestbook = DataSubgraph(
        "guestbook",
        SDL["guestbook"],
        root={"entries": _entries(2, "g1")},
        entities={
            "Guest": [{"id": id_, "name": "WRONG"} for id_ in NAMES],
            "Room": [{"number": room["number"]} for room in ROOMS],
        },
        resolvers={
            "Guest.entries": lambda guest, _: _entries(2, guest["id"]),
            "Room.entries": lambda room, _: _entries(3, room["number"]),
        },
    )
    known = [
        {"id": "g1", "name": "Ada", "country": "GB"},
        {"id": "g2", "name": "Bob", "country": "US"},
    ]
    guests = DataSubgraph("guests", SDL["guests"], root={"me": known[1]}, entities={"Guest": known})
    return [rooms, quotes, guestbook, guests]
