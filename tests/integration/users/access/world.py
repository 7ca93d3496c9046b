"""X, one viewer in each role, and Y, who and X follow each other: registered on real shards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from shared.sharding import EntityId, ShardConfig
from tests.integration.users.access.tables import Level, Role
from tests.integration.users.access.ways import VARIABLES, VIEWERS_OWN, WAYS, Way
from tests.integration.users.people import Person
from tests.support.follows import settled
from tests.support.phones import give_phone
from tests.support.shard_rows import on_every_shard
from tests.support.subgraphs import Answer, LiveClient, SubgraphClient, Tokens

Register: TypeAlias = Callable[..., Awaitable[Answer]]

PHONE = "+4930901820"
AVATAR = "9-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f"
ADMIN_SCOPES = ("users:admin", "ops:read")


@dataclass(frozen=True, slots=True)
class World:
    """The people, and what is true of X."""

    users: SubgraphClient
    address: str
    shards: tuple[ShardConfig, ...]
    x: dict[str, Any]
    """Every field of X's as it is, whoever may see it."""
    session: str
    """The ID of a session of X's."""
    device: str
    """The ID of a device of X's."""
    tokens: dict[Role, str | None]

    @classmethod
    async def made(
        cls,
        users: SubgraphClient,
        address: str,
        shards: tuple[ShardConfig, ...],
        register: Register,
        tokens: Tokens,
    ) -> World:
        """Everybody has X as a contact; X has `contact` and `blocked`, and blocks `blocked`."""
        people: dict[str, Person] = {}
        for name in (*Role, "y"):
            user_id = (await register(_handle(name))).ok()["register"]["user"]["id"]
            scopes = ADMIN_SCOPES if name == Role.ADMIN else ()
            people[name] = Person(users, user_id, tokens.of(EntityId.parse(user_id), *scopes))
        x = people[Role.SELF]
        sessions = (await users("{ sessions { id } }", token=x.token)).ok()["sessions"]
        device = (await users(_DEVICE, token=x.token)).ok()["registerDevice"]["id"]
        true = await _fill(shards, x, people["y"])
        by_role = {role: None if role is Role.ANONYMOUS else people[role].token for role in Role}
        world = cls(users, address, shards, true, sessions[0]["id"], device, by_role)
        for role in (Role.STRANGER, Role.CONTACT, Role.BLOCKED, Role.ADMIN):
            (await world.run(WAYS["addContact"], role)).ok()
        for role in (Role.CONTACT, Role.BLOCKED):
            (await users(_ADD, {"id": people[role].id}, token=x.token)).ok()
        (await users(_BLOCK, {"id": people[Role.BLOCKED].id}, token=x.token)).ok()
        return world

    async def set_level(self, level: Level) -> None:
        """Set all of X's privacy settings."""
        variables = {"to": level.value}
        (await self.users(_SET_LEVEL, variables, token=self.tokens[Role.SELF])).ok()

    async def run(self, way: Way, role: Role) -> Answer:
        """Go a way in a role."""
        values = {
            "x": self.x["id"],
            "y": self.x["followers"]["nodes"][0]["id"],
            "handle": self.x["handle"],
            "email": f"{_handle(role)}@example.com",
            "newEmail": f"new_{role}@example.com",
            "phone": PHONE,
            "newPhone": f"+493090182{list(Role).index(role) + 1}",
            "bio": self.x["bio"],
            "references": [{"__typename": "User", "id": self.x["id"]}],
            "session": self.session,
            "device": self.device,
            "unique": f"new_{role}",
        }
        assert values.keys() == VARIABLES.keys()
        text = way.operation + (self._seen(way) if "...seen" in way.selection else "")
        variables = {name: values[name] for name in way.variables}
        if way.kind == "subscription":
            return await self._first_event(text, variables, self.tokens[role])
        return await self.users(text, variables, token=self.tokens[role])

    async def _first_event(self, text: str, variables: dict[str, Any], token: str | None) -> Answer:
        """What a subscription sends first, which may be its refusal."""
        async with LiveClient.connected(self.address, token=token) as live:
            await live.subscribe(text, variables)
            message = await live.receive()
        if message["type"] == "error":
            return Answer(None, message["payload"])
        return Answer(message["payload"]["data"], message["payload"].get("errors") or [])

    def _seen(self, way: Way) -> str:
        """The fragment `seen`."""
        fields = self.x | dict.fromkeys(VIEWERS_OWN)
        asked = {name: fields[name] for name in sorted(way.asked(fields))}
        return f" fragment seen on User {{ {_selection(asked)} }}"

    async def rows(self) -> Sequence[str]:
        """Everything that is stored for good: what a refused operation must leave as it is."""
        await settled(self.shards)
        return sorted(row["row"] for row in await on_every_shard(self.shards, _EVERYTHING))


def _handle(name: str) -> str:
    return f"{name}_person"


def _selection(fields: dict[str, Any]) -> str:
    """A selection of all that is in these values."""
    return " ".join(map(_field, fields, fields.values()))


def _field(name: str, value: Any) -> str:
    match value:
        case dict() as fields:
            return f"{name} {{ {_selection(fields)} }}"
        case [dict() as fields]:
            return f"{name} {{ {_selection(fields)} }}"
        case _:
            return name


_TABLES = (
    "users",
    "contacts",
    "blocks",
    "following",
    "followers",
    "identities",
    "sessions",
    "devices",
)
_EVERYTHING = " UNION ALL ".join(
    [f"SELECT '{table} ' || t::text AS row FROM {table} AS t" for table in _TABLES]  # noqa: S608
    + ["SELECT 'outbox ' || id::text FROM outbox"]
)
_ADD = "mutation ($id: ID!) { addContact(userId: $id) { addedAt } }"
_BLOCK = "mutation ($id: ID!) { blockUser(userId: $id) { id } }"
_DEVICE = 'mutation { registerDevice(token: "of-x", platform: WEB) { id } }'
_HEARTBEAT = "mutation { heartbeat { lastSeen } }"
_SET_LEVEL = """
mutation ($to: Visibility!) {
  updatePrivacySettings(input: {lastSeen: $to, profilePhoto: $to, about: $to}) { updatedAt }
}
"""
_PROFILE = """
mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { createdAt } }
"""


async def _fill(shards: tuple[ShardConfig, ...], x: Person, y: Person) -> dict[str, Any]:
    """Give X everything that can be seen or hidden; answers all fields of User that are X's."""
    entered = {"bio": "Analyst", "avatarMediaId": AVATAR}
    answer = await x.users(_PROFILE, {"input": entered}, token=x.token)
    await give_phone(shards, x.id, PHONE)
    beat = (await x.users(_HEARTBEAT, token=x.token)).ok()["heartbeat"]
    # kept in milliseconds
    last_seen = beat["lastSeen"][:-4] + "000Z"
    (await x.follow(y)).ok()
    (await y.follow(x)).ok()
    await settled(shards)
    return {
        "id": x.id,
        "createdAt": answer.ok()["updateProfile"]["createdAt"],
        "status": "ACTIVE",
        "handle": _handle(Role.SELF),
        "displayName": _handle(Role.SELF).title(),
        "bio": "Analyst",
        "avatar": {"id": AVATAR},
        "email": f"{_handle(Role.SELF)}@example.com",
        "phone": PHONE,
        "followers": {"nodes": [{"id": y.id}]},
        "following": {"nodes": [{"id": y.id}]},
        "presence": {"isOnline": True, "lastSeen": last_seen},
        "followerCount": 1,
        "followingCount": 1,
    }
