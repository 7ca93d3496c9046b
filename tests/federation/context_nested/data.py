"""A mall with shops in shops, a stall, and a tower: nearly all set contexts, some to null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

LABELS: dict[str | None, dict[str, str]] = {
    "DE": {"i1": "Stuhl", "i2": "Tisch", "i3": "Lampe"},
    "EN": {"i1": "chair", "i2": "table", "i3": "lamp"},
    None: {"i1": "#1", "i2": "#2", "i3": "#3"},
}
NEXT = {"i1": "i2", "i2": "i3", "i3": "i1"}


def _label(item: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    label = LABELS[arguments["locale"]][item["id"]]
    return label.upper() if arguments["upper"] else label


def _taxes(_: Any, arguments: Mapping[str, Any]) -> list[str] | None:
    percents, zone = arguments["percents"], arguments["zone"]
    return None if percents is None else [f"{percent}% in {zone['code']}" for percent in percents]


def _similar(item: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"id": NEXT[item["id"]]}] if arguments["locale"] else []


def _rates(*percents: int) -> dict[str, Any]:
    return {"steps": [{"percent": percent} for percent in percents]}


def _shop(id_: str, locale: str | None, rates: Any, *items: str, **more: Any) -> dict[str, Any]:
    own = [{"id": item} for item in items]
    return {"__typename": "Shop", "id": id_, "locale": locale, "rates": rates, "items": own, **more}


def subgraphs() -> list[DataSubgraph]:
    """The buildings with what is sold there, and how much of it is in stock."""
    corner = _shop("s2", "EN", None, "i1", corners=[])
    mall = {
        "__typename": "Mall",
        "zone": {"code": "A"},
        "owner": {"__typename": "Firm", "name": "Malls Ltd"},
        "locale": "DE",
        "rates": _rates(7, 19),
        "floors": [
            [
                _shop("s1", "EN", _rates(5), "i1", "i2", corners=[corner]),
                {"__typename": "Stall", "number": 1, "items": [{"id": "i1"}, {"id": "i2"}]},
            ],
            None,
            [_shop("s3", None, {"steps": None}, "i3", "i1", corners=None)],
        ],
    }
    tower = {
        "__typename": "Tower",
        "zone": {"code": "B", "floors": [1, 2]},
        "owner": {"__typename": "Person", "name": None},
        "locale": "EN",
        "rates": _rates(),
        "items": [{"id": "i3"}],
    }
    return [
        DataSubgraph(
            "malls",
            SDL["malls"],
            root={"mall": mall, "buildings": [mall, None, tower]},
            entities={"Item": [{"id": id_} for id_ in NEXT]},
            resolvers={
                "Item.label": _label,
                "Item.taxes": _taxes,
                "Item.seller": lambda _, arguments: arguments["name"],
                "Item.similar": _similar,
            },
        ),
        DataSubgraph(
            "stock",
            SDL["stock"],
            entities={"Item": [{"id": id_, "pieces": int(id_[1:]) * 10} for id_ in NEXT]},
        ),
    ]
