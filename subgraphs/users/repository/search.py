"""The SQL of searching users: one statement per shard, on the indexes of handles and of words.

Handles are found by prefix in a ``text_pattern_ops`` B-tree. Bounds are compared (``~>=~``), not
LIKE: a prepared statement whose pattern is a parameter could not use the index. Names are found by
their folded words in a GIN index, every word as a prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from subgraphs.users.repository.regard import blocks_viewer, viewer_parameters
from subgraphs.users.repository.users import SEEN_COLUMNS, SeenUser, seen_user
from subgraphs.users.tables import AccountStatus, users

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.pagination import Key
    from shared.sharding import EntityId, ReadSession

__all__ = ["FoundUser", "SearchRepository", "SearchTerms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTerms:
    """What is looked for: the beginning of a handle (None: it cannot be one), and folded words."""

    handle: str | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundUser:
    """A user, and the rank: 0 the handle, 1 its beginning, 2 all words whole, 3 their beginnings.

    ``key`` is the order of results: rank, most followed first, oldest first.
    """

    seen: SeenUser
    key: Key


_HANDLE = bindparam("handle_", type_=Text)
_BEGINS = and_(
    users.c.handle.bool_op("~>=~")(_HANDLE),
    users.c.handle.bool_op("~<~")(bindparam("beyond_", type_=Text)),
)
_ALL_WHOLE = users.c.search_words.bool_op("@@")(cast(bindparam("whole_", type_=Text), TSQUERY))
_ALL_BEGIN = users.c.search_words.bool_op("@@")(cast(bindparam("begin_", type_=Text), TSQUERY))
_RANK = case((users.c.handle == _HANDLE, 0), (_BEGINS, 1), (_ALL_WHOLE, 2), else_=3)
_MATCHES = (
    select(
        *SEEN_COLUMNS,
        cast(_RANK, BigInteger).label("rank"),
        cast(-users.c.follower_count, BigInteger).label("unpopularity"),
    )
    # written out, not a parameter: the index of handles is of active users only
    .where(users.c.status == literal(AccountStatus.ACTIVE.value, literal_execute=True))
    .where(or_(_BEGINS, _ALL_BEGIN))
    .where(~blocks_viewer())
    .subquery()
)
_ORDER = (_MATCHES.c.rank, _MATCHES.c.unpopularity, _MATCHES.c.id)
_PAGE = select(_MATCHES).order_by(*_ORDER).limit(bindparam("limit_"))
_PAGE_AFTER = _PAGE.where(
    tuple_(*_ORDER)
    > tuple_(
        bindparam("rank_", type_=BigInteger),
        bindparam("unpopularity_", type_=BigInteger),
        bindparam("id_", type_=Uuid),
    )
)


class SearchRepository:
    """Finds users by handle and name."""

    async def list_matches(
        self,
        viewer_id: EntityId | None,
        terms: SearchTerms,
        session: ReadSession,
        after: Key | None,
        limit: int,
    ) -> Sequence[FoundUser]:
        """Active users of one shard who have not blocked the viewer, best first."""
        parameters = {
            **viewer_parameters(viewer_id),
            # an empty string begins every handle, but ends before the first
            "handle_": terms.handle or "",
            "beyond_": "" if terms.handle is None else f"{terms.handle}~",
            "whole_": " & ".join(f"'{word}'" for word in terms.words),
            "begin_": " & ".join(f"'{word}':*" for word in terms.words),
            "limit_": limit,
        }
        if after is None:
            rows = await session.execute(_PAGE, parameters)
        else:
            rank, unpopularity, user_id = after
            position = {"rank_": rank, "unpopularity_": unpopularity, "id_": user_id}
            rows = await session.execute(_PAGE_AFTER, {**parameters, **position})
        return [FoundUser(seen_user(row), (row.rank, row.unpopularity, row.id)) for row in rows]
