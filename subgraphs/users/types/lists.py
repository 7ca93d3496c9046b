"""Lists of users that others made (contacts, blocks, follows): their rows, with the profiles."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.errors import SocialnetError
from shared.graphql import load_items
from shared.pagination import Page
from shared.sharding import EntityId
from subgraphs.users.context import UsersInfo
from subgraphs.users.service import Profile

__all__ = ["load_listed"]

Row = TypeVar("Row")


async def load_listed(
    info: UsersInfo, page: Page[Row], user_of: Callable[[Row], EntityId]
) -> Sequence[tuple[str, Row, Profile]]:
    """Cursor, row and profile of each row of the page whose user lists may show.

    A shard that could not be read is one failure, of the field: the page comes without its users.
    """
    loader = info.context.loaders.profile_by_id
    profiles = await load_items(loader, [user_of(edge.node) for edge in page.edges], _itself)
    for failure in dict.fromkeys(each for each in profiles if isinstance(each, Exception)):
        if not isinstance(failure, SocialnetError):
            raise failure
        info.context.report(failure, info.path.as_list())
    return [
        (edge.cursor, edge.node, profile)
        for edge, profile in zip(page.edges, profiles, strict=True)
        if isinstance(profile, Profile) and profile.sight.listed
    ]


def _itself(profile: Profile) -> Profile:
    return profile
