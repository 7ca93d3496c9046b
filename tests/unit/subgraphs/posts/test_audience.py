from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.auth import Scope, Viewer
from shared.sharding import EntityId, Slot
from subgraphs.posts.repository import PostRecord
from subgraphs.posts.service.audience import is_visible, visible_levels
from subgraphs.posts.tables import PostVisibility

AUTHOR, OTHER = EntityId.new(Slot(1)), EntityId.new(Slot(1))
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def _viewer(user_id: EntityId | None) -> Viewer:
    return Viewer(user_id=user_id, scopes=frozenset(map(str, Scope)), expires_at=NOW)


@pytest.mark.parametrize("visibility", PostVisibility)
@pytest.mark.parametrize("user_id", [AUTHOR, OTHER, None])
def test_only_the_author_sees_what_is_not_public(
    visibility: PostVisibility, user_id: EntityId | None
) -> None:
    post = PostRecord(
        id=EntityId.new(AUTHOR.slot),
        author_id=AUTHOR,
        text="x",
        visibility=visibility,
        tags=(),
        reply_to=None,
        quote_of=None,
        created_at=NOW,
    )

    expected = user_id == AUTHOR or visibility is PostVisibility.PUBLIC
    assert is_visible(_viewer(user_id), post) is expected
    assert (visibility in visible_levels(_viewer(user_id), AUTHOR)) is expected
