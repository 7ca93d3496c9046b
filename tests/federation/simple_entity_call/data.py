"""Accounts know e-mail addresses and teams, nicknames only nicknames, by keys they do not own.

Eve has no nickname: she is unknown to the second subgraph, which is no error.
"""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

ADA = {"id": "u1", "email": "ada@example.org"}
BOB = {"id": "u2", "email": "bob@example.org"}
EVE = {"id": "u3", "email": "eve@example.org"}
TEAM = {"slug": "red", "title": "Reds", "lead": ADA, "members": [BOB, ADA, EVE, BOB]}
NICKS: list[dict[str, Any]] = [
    {"id": "u1", "nick": "countess", "rival": {"id": "u2", "nick": "bobby"}},
    {"id": "u2", "nick": "bobby", "rival": {"id": "u3", "nick": None}},
]


def subgraphs() -> list[DataSubgraph]:
    """Two subgraphs; the second marks its own key fields external."""
    accounts = DataSubgraph(
        "accounts",
        SDL["accounts"],
        root={"user": ADA, "team": lambda slug: TEAM if slug == "red" else None},
        entities={"User": [ADA, BOB, EVE], "Team": [TEAM]},
    )
    nicknames = DataSubgraph(
        "nicknames",
        SDL["nicknames"],
        root={"byNick": lambda nick: next((n for n in NICKS if n["nick"] == nick), None)},
        entities={"User": NICKS, "Team": [{"slug": "red", "mascot": "fox"}]},
    )
    return [accounts, nicknames]
