"""Boxes of the depot with letters, crates and boxes in them, and the office's desk."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def _letter(stamp: str) -> dict[str, Any]:
    return {"__typename": "Letter", "stamp": stamp}


def _crate(weight: int) -> dict[str, Any]:
    return {"__typename": "Crate", "weight": weight}


def _box(contents: Any, *slots: Any) -> dict[str, Any]:
    numbered = [{"number": n, "contents": list(slot)} for n, slot in enumerate(slots, 1)]
    return {"__typename": "Box", "contents": contents, "slots": numbered}


def subgraphs() -> list[DataSubgraph]:
    """The depot and the office."""
    inner = _box(_crate(7), [])
    deep = _box(_box(_letter("red"), [_crate(1)]), [_letter("blue"), inner, _crate(5)], [])
    depot = DataSubgraph(
        "depot", SDL["depot"], root={"box": _box(_crate(12)), "boxes": [deep, _box(inner)]}
    )
    desk = _box(_letter("green"), [_letter("gold"), _letter("grey")])
    return [depot, DataSubgraph("office", SDL["office"], root={"desk": desk})]
