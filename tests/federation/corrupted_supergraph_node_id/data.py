"""Nodes whose external ids are wrong: asking the wrong subgraph shows in the answer."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Accounts with wrong ids of chats, and chats with wrong ids of accounts."""
    account = {"__typename": "Account", "id": "account-1", "name": "Ann"}
    chat: dict[str, Any] = {"__typename": "Chat", "id": "chat-1", "text": "Hello"}
    accounts = DataSubgraph(
        "accounts",
        SDL["accounts"],
        root={
            "node": lambda id: {  # noqa: A006
                "account-1": account,
                "chat-1": {"__typename": "Chat", "id": "wrong id of a chat"},
            }.get(id),
            "account": lambda id: account,  # noqa: A006
        },
        entities={"Account": [account]},
    )
    chats = DataSubgraph(
        "chats",
        SDL["chats"],
        root={
            "node": lambda id: {  # noqa: A006
                "account-1": {"__typename": "Account", "id": "wrong id", "chats": [chat]},
                "chat-1": chat,
            }.get(id),
            "chat": lambda id: chat,  # noqa: A006
        },
        entities={"Account": [{"id": "account-1", "chats": [chat]}], "Chat": [chat]},
    )
    return [accounts, chats]
