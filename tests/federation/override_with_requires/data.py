"""Users whose name has moved to a subgraph of its own; the cards' old one is stale.

Badges and cards make something of the name that they are sent; the stale one shows.
"""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Badges, cards (with stale names) and names."""
    u1: dict[str, Any] = {"id": "u1", "name": "STALE", "boss": None}
    u2 = {"id": "u2", "name": "STALE", "boss": u1}
    cards = DataSubgraph(
        "cards",
        SDL["cards"],
        root={"cu": u2, "contacts": [u2, u1]},
        entities={"User": [u1, u2]},
        resolvers={"User.cname": lambda user, _: f"card of {user['name']}"},
    )
    backups: list[dict[str, Any]] = [
        {"id": "u1", "name": "STALE", "backup": {"id": "u2", "name": "STALE"}},
        {"id": "u2", "name": "STALE", "backup": None},
    ]
    badges = DataSubgraph(
        "badges",
        SDL["badges"],
        root={"ua": backups[0]},
        entities={"User": backups},
        resolvers={"User.aname": lambda user, _: f"badge of {user['name']}"},
    )
    named = [{"id": "u1", "name": "Ann"}, {"id": "u2", "name": "Ben"}]
    names = DataSubgraph("names", SDL["names"], root={"bu": named[0]}, entities={"User": named})
    return [badges, cards, names]
