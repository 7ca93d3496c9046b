"""An admin and a member; `logins` calls both `Somebody`, and names are wrong in `profiles`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph
from tests.federation.harness.inventive import InventiveSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Accounts with the true types, logins and profiles with the interface as an object."""
    admin = {
        "__typename": "Admin",
        "id": "u1",
        "name": "Ann",
        "isMain": True,
        "badge": "badge of accounts",
    }
    member = {"__typename": "Member", "id": "u2", "name": "Bob"}
    accounts = DataSubgraph(
        "accounts",
        SDL["accounts"],
        root={"users": [admin, member]},
        entities={"Admin": [admin], "Member": [member]},
    )
    visitors: list[dict[str, Any]] = [
        {"id": "u2", "username": "bob99"},
        {"id": "u1", "username": "ann"},
    ]
    logins = InventiveSubgraph(
        "logins",
        SDL["logins"],
        root={"visitors": visitors},
        entities={"User": visitors},
        invented={"User": "Somebody"},
    )
    portraits: list[dict[str, Any]] = [
        {"id": "u1", "age": 40, "badge": "badge of profiles", "name": "wrong"},
        {"id": "u2", "age": 20, "badge": "no badge", "name": "wrong"},
    ]

    def initials(user: Mapping[str, Any], _: object) -> str:
        return f"{user['name'][0]}."

    profiles = DataSubgraph(
        "profiles",
        SDL["profiles"],
        root={"portraits": portraits},
        entities={"User": portraits},
        resolvers={"User.initials": initials},
    )
    return [accounts, logins, profiles]
