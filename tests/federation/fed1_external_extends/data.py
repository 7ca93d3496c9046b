"""Guests, and bookings that know a guest's name where they provide it: elsewhere it is wrong."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

NAMES = {"g1": "Ada", "g2": "Bob"}
CITIES = {"g1": "Bath", "g2": "Hull"}
POINTS = {"g1": 30, "g2": 7}
BOOKINGS = {"n1": ("g1", "g2"), "n2": ("g2", "g2"), "n3": ("g1", None)}


def _guest(id_: str | None, *, named: bool = False) -> dict[str, Any] | None:
    if id_ is None:
        return None
    name = NAMES[id_] if named else "WRONG"
    return {"id": id_, "name": name, "points": POINTS[id_]}


def _bookings(guest: str | None = None) -> list[dict[str, Any]]:
    return [
        {
            "no": number,
            "guest": _guest(id_, named=True),
            "payer": _guest(payer),
            "billed": {"city": CITIES[payer or id_]},
        }
        for number, (id_, payer) in BOOKINGS.items()
        if guest in {None, id_}
    ]


def serve(feature: Feature) -> list[DataSubgraph]:
    """The same two subgraphs, in whatever syntax the feature writes them."""
    sdl = feature.subgraphs
    owned = [
        {"id": id_, "name": name, "email": f"{id_}@example.org", "home": {"city": CITIES[id_]}}
        for id_, name in NAMES.items()
    ]
    guests = DataSubgraph(
        "guests",
        sdl["guests"],
        root={"guest": lambda id: next((g for g in owned if g["id"] == id), None)},  # noqa: A006
        entities={"Guest": owned},
    )
    bookings = DataSubgraph(
        "bookings",
        sdl["bookings"],
        root={
            "desk": _guest("g2"),
            "known": _guest("g1", named=True),
            "today": _bookings(),
        },
        entities={"Guest": [_guest(id_) or {} for id_ in NAMES], "Booking": _bookings()},
        resolvers={"Guest.bookings": lambda guest, _: _bookings(guest["id"])},
    )
    return [bookings, guests]


def subgraphs() -> list[DataSubgraph]:
    """Bookings, which extend guests, and guests."""
    return serve(Feature.of(__file__))
