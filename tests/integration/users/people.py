"""Registered people who follow each other, for tests of what they have with one another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from shared.sharding import EntityId
from tests.support.subgraphs import Answer, SubgraphClient, Tokens

FOLLOW = """
mutation ($id: ID!) {
  follow(userId: $id) { id handle isFollowedByMe followsMe followerCount }
}
"""
UNFOLLOW = "mutation ($id: ID!) { unfollow(userId: $id) { id isFollowedByMe } }"
BLOCK = "mutation ($id: ID!) { blockUser(userId: $id) { id } }"
UNBLOCK = "mutation ($id: ID!) { unblockUser(userId: $id) { id } }"
COUNTS = "query ($id: ID!) { user(id: $id) { followerCount followingCount } }"


@dataclass(frozen=True, slots=True)
class Person:
    """A user, and the way to act as one."""

    users: SubgraphClient
    id: str
    token: str

    async def follow(self, other: Person | str) -> Answer:
        """Follow a person, or whatever has this ID."""
        return await self.users(FOLLOW, {"id": _id(other)}, token=self.token)

    async def unfollow(self, other: Person | str) -> Answer:
        """Follow a person no more."""
        return await self.users(UNFOLLOW, {"id": _id(other)}, token=self.token)

    async def block(self, other: Person) -> Answer:
        """Have nothing to do with a person any more."""
        return await self.users(BLOCK, {"id": other.id}, token=self.token)

    async def unblock(self, other: Person) -> Answer:
        """Take that back."""
        return await self.users(UNBLOCK, {"id": other.id}, token=self.token)

    async def counts(self, other: Person) -> tuple[int, int]:
        """The followers of a person and those whom they follow, by the numbers."""
        user = (await self.users(COUNTS, {"id": other.id}, token=self.token)).ok()["user"]
        return user["followerCount"], user["followingCount"]


Meet: TypeAlias = Callable[[int], Awaitable[list[Person]]]


async def meet_people(
    users: SubgraphClient,
    register: Callable[[str], Awaitable[Answer]],
    tokens: Tokens,
    count: int,
) -> list[Person]:
    """Register people, in turn on the first and on the second shard."""
    on_first: dict[bool, list[Person]] = {True: [], False: []}
    number = 0
    while min(map(len, on_first.values())) < (count + 1) // 2:
        user = (await register(f"person_{number}")).ok()["register"]["user"]
        number += 1
        person = Person(users, user["id"], tokens.of(EntityId.parse(user["id"])))
        on_first[on_first_shard(person.id)].append(person)
    pairs = zip(on_first[True], on_first[False], strict=False)
    return [person for pair in pairs for person in pair][:count]


def on_first_shard(user_id: str) -> bool:
    """Whether a user lives on the first of two shards."""
    return EntityId.parse(user_id).slot < 128


def _id(person: Person | str) -> str:
    return person if isinstance(person, str) else person.id
