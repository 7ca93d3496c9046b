"""Users and admins; a user without an id is no entity that anybody else knows."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Accounts, nicknames and owners."""
    anonymous: dict[str, Any] = {"__typename": "User", "id": None, "name": "Anonymous"}
    ann: dict[str, Any] = {"__typename": "User", "id": "u1", "name": "Ann"}
    root: dict[str, Any] = {"__typename": "Admin", "id": "a1", "name": "Root"}
    ann["similar"] = [anonymous, root, ann]
    root["similar"] = [ann, None, root]
    accounts = DataSubgraph(
        "accounts",
        SDL["accounts"],
        root={"users": [root, ann, anonymous]},
        entities={"User": [ann], "Admin": [root]},
    )

    def known(representation: dict[str, Any], _: object) -> dict[str, Any]:
        assert representation["id"] is not None
        return {**representation, "nick": f"nick of {representation['id']}"}

    nicknames = DataSubgraph(
        "nicknames",
        SDL["nicknames"],
        resolvers={"User.__resolveReference": known, "Admin.__resolveReference": known},
    )
    owners = {
        "car": {"__typename": "User", "id": "u1", "rank": None},
        "house": {"__typename": "Admin", "id": "a1", "rank": 3},
        "cloud": {"__typename": "Robot", "id": 7, "rank": "tin"},
    }
    return [
        accounts,
        nicknames,
        DataSubgraph("owners", SDL["owners"], root={"owner": lambda of: owners[of]}),
    ]
