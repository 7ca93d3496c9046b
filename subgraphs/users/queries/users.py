"""Looking users up."""

from typing import cast

import strawberry

from shared.auth import UnauthenticatedError
from shared.graphql import documented_field, load_items, parse_id, parse_ids
from shared.pagination import page_request
from shared.sharding import EntityId
from subgraphs.users.context import UsersContext, UsersInfo
from subgraphs.users.tables import AccountStatus
from subgraphs.users.types import User, UserConnection

__all__ = ["UserQueries"]


@strawberry.type
class UserQueries:
    """A part of ``Query``."""

    @documented_field
    async def me(self, info: UsersInfo) -> User:
        """The user who is calling."""
        user = await _load(info.context, info.context.viewer.require_user())
        if user is None or user.status is AccountStatus.DELETED:
            raise UnauthenticatedError("This account does not exist any more.")
        return user

    @documented_field
    async def user(self, info: UsersInfo, id: strawberry.ID) -> User | None:
        """One user; null when there is none with this ID, or the account is deactivated."""
        context = info.context
        _ = context.viewer  # who may not ask does not learn whether the ID was well-formed
        return await _load(context, parse_id(id, slots=context.slots))

    @documented_field
    async def users(self, info: UsersInfo, ids: list[strawberry.ID]) -> list[User | None]:
        """Up to 100 users in the order asked; null where there is none, or where the part of the
        data that has it is unavailable.
        """
        loader = info.context.loaders.profile_by_id  # needs a viewer
        wanted = parse_ids(ids, slots=info.context.slots)
        # where an item could not be read stands an exception, which the executor makes an error
        return cast("list[User | None]", await load_items(loader, wanted, User.listed))

    @documented_field
    async def user_by_handle(self, info: UsersInfo, handle: str) -> User | None:
        """Who goes by a handle, in whatever case it is written."""
        context = info.context
        loader = context.loaders.profile_by_id  # needs a viewer: before anything is looked up
        user_id = await context.services.profiles.find_by_handle(handle)
        profile = None if user_id is None else await loader.load(user_id)
        # right after a change of handle the old one may still lead here; stubs have other handles
        if profile is None or profile.handle != handle.strip().lower():
            return None
        return User.listed(profile)

    @documented_field
    async def all_users(
        self,
        info: UsersInfo,
        first: int | None = None,
        after: str | None = None,
        shard: int | None = None,
    ) -> UserConnection:
        """All users, newest first, over all shards or on one; needs users:admin."""
        context = info.context
        viewer = context.viewer
        page = await context.services.profiles.list_users(
            viewer, first=page_request(first=first).limit, after=after, shard=shard
        )
        context.report_all(page.failures.values(), info.path.as_list())
        return UserConnection.of(page, User.of)


async def _load(context: UsersContext, user_id: EntityId) -> User | None:
    profile = await context.loaders.profile_by_id.load(user_id)
    return None if profile is None else User.listed(profile)
