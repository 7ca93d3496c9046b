"""Users, one of whom has a role that `accounts` does not know and `audit` hides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Accounts and audit."""
    users: list[dict[str, Any]] = [
        {"id": "u1", "role": "ADMIN", "roles": ["MEMBER", "GHOST", "ADMIN"]},
        {"id": "u2", "role": "GHOST", "roles": ["MEMBER"]},
    ]
    accounts = DataSubgraph(
        "accounts",
        SDL["accounts"],
        root={
            "users": users,
            "usersIn": lambda role: [user for user in users if user["role"] == role],
        },
        entities={"User": users},
    )
    suspects: list[dict[str, Any]] = [
        {"id": "u1", "role": "ADMIN", "past": ["MEMBER", "ADMIN"], "seen": "here"},
        {"id": "u2", "role": "GHOST", "past": ["GHOST", "MEMBER"], "seen": "everywhere"},
    ]

    def like(_: object, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        wanted = (arguments.get("filter") or {}).get("role", "GHOST")
        return [user for user in suspects if user["role"] == wanted]

    audit = DataSubgraph(
        "audit",
        SDL["audit"],
        root={"suspects": lambda role=None: [u for u in suspects if role in (None, u["role"])]},
        entities={"User": suspects},
        resolvers={"Query.usersLike": like},
    )
    return [accounts, audit]
