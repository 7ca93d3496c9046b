"""Accounts; `risk` computes from what it is sent, and its own balances are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph
from tests.federation.harness.inventive import InventiveSubgraph

SDL = Feature.of(__file__).subgraphs


def _grade(account: Mapping[str, Any], _: object) -> str:
    return "good" if account["balance"] >= 0 else "bad"


def _limit(account: Mapping[str, Any], _: object) -> str:
    return f"{account['balance'] * 2} {account['money']['currency']}"


def subgraphs() -> list[DataSubgraph]:
    """The ledger with the true types, risk with the interface as an object, branches."""
    savings = {
        "__typename": "Savings",
        "id": "a1",
        "balance": 500,
        "money": {"currency": "EUR"},
        "interest": 1.5,
    }
    current = {
        "__typename": "Current",
        "id": "a2",
        "balance": -20,
        "money": {"currency": "SEK"},
        "overdraft": 100,
    }
    ledger = DataSubgraph(
        "ledger",
        SDL["ledger"],
        root={
            "accounts": [current, savings],
            "account": lambda id: {"a1": savings, "a2": current}.get(id),  # noqa: A006
        },
        entities={"Savings": [savings], "Current": [current]},
    )
    stale = {"balance": -1000000, "money": {"currency": "wrong"}}
    flagged: list[dict[str, Any]] = [
        {"id": "a1", "note": "late", **stale},
        {"id": "a2", "note": None, **stale},
    ]
    risk = InventiveSubgraph(
        "risk",
        SDL["risk"],
        root={"flagged": flagged},
        entities={"Account": flagged},
        resolvers={"Account.grade": _grade, "Account.limit": _limit},
        invented={"Account": "RiskyAccount"},
    )
    references = [{"__typename": "Current", "id": "a2"}, {"__typename": "Savings", "id": "a1"}]
    branches = DataSubgraph(
        "branches",
        SDL["branches"],
        root={"branch": {"city": "Malmö", "accounts": references}},
    )
    return [ledger, risk, branches]
