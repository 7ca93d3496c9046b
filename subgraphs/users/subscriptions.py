"""Subscriptions of the users subgraph."""

from collections.abc import AsyncIterator

import strawberry

from shared.graphql import EventStream, documented_subscription, parse_ids
from shared.sharding import EntityId, ShardError
from subgraphs.users.context import UsersInfo
from subgraphs.users.service import Look, presence_of
from subgraphs.users.service import Presence as State
from subgraphs.users.types import Presence

__all__ = ["Subscription"]


@strawberry.type
class Subscription:
    """What can be listened to in the users domain."""

    @documented_subscription
    async def presence_changed(
        self, info: UsersInfo, user_ids: list[strawberry.ID]
    ) -> AsyncIterator[Presence]:
        """The presence of up to 100 users: as it is now, then whenever it changes."""
        context = info.context
        _ = context.viewer
        presence = context.services.presence
        ids = parse_ids(user_ids, slots=context.slots, field="userIds")
        told: dict[EntityId, State] = {}

        async def show(look: Look) -> Presence | None:
            user_id = look.user_id
            try:
                profile = await context.loaders.profile_by_id.load(user_id)
            except ShardError:
                look.again_soon()  # the others' presence goes on meanwhile
                return None
            now = presence.now()
            if profile is None:
                state = State(user_id=user_id, is_online=False, last_seen=None)
            else:
                stored = await context.loaders.presence_by_id.load(user_id)
                state = presence_of(profile, stored, now)
            look.again_at(state.until, now)
            before = told.get(user_id)
            told[user_id] = state
            return None if before is not None and state.looks_like(before) else Presence.of(state)

        return await EventStream.open(presence.watch(ids), show, context)
