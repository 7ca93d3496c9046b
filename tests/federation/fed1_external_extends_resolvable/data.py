"""Containers: the yard finds them by owner and number, tracking by these or by serial.

Tracking does not know the container that lies lowest: it has no serial, which is no error.
"""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Tracking (all external), the yard and the owners."""
    known = [
        {"serial": "s1", "owner": {"code": "MSK"}, "number": 7},
        {"serial": "s2", "owner": {"code": "HLC"}, "number": 7},
    ]
    tracking = DataSubgraph(
        "tracking", SDL["tracking"], root={"late": [known[1]]}, entities={"Container": known}
    )
    lowest: dict[str, Any] = {
        "owner": {"code": "MSK"},
        "number": 1,
        "contents": "sand",
        "below": None,
    }
    tea = {"owner": {"code": "HLC"}, "number": 7, "contents": "tea", "below": lowest}
    oil = {"owner": {"code": "MSK"}, "number": 7, "contents": "oil", "below": tea}
    yard = DataSubgraph(
        "yard", SDL["yard"], root={"stacked": [oil, tea]}, entities={"Container": [oil, tea]}
    )
    owned = [{"code": "MSK", "name": "Maersk"}, {"code": "HLC", "name": "Hapag"}]
    owners = DataSubgraph(
        "owners",
        SDL["owners"],
        root={"owner": lambda code: next((o for o in owned if o["code"] == code), None)},
        entities={"Owner": owned},
    )
    return [tracking, yard, owners]
