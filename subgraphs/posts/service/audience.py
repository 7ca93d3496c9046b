"""Who may see a post. The one place: root fields, entity references, connections, loaders and
subscriptions all come through here.

A post is public (to everybody who is signed in), for followers, or for contacts. Relationships come
with a later issue: until then nobody can follow anybody or be a contact, so posts of the latter two
kinds are seen by their author alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from subgraphs.posts.tables import PostVisibility

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.sharding import EntityId
    from subgraphs.posts.repository import PostRecord

__all__ = ["is_visible", "visible_levels"]

_EVERYBODYS = frozenset({PostVisibility.PUBLIC})
_ALL = frozenset(PostVisibility)


def visible_levels(viewer: Viewer, author_id: EntityId) -> frozenset[PostVisibility]:
    """The kinds of this author's posts that the viewer may see."""
    return _ALL if viewer.is_user(author_id) else _EVERYBODYS


def is_visible(viewer: Viewer, post: PostRecord) -> bool:
    """Whether the viewer may see this post."""
    return post.visibility in visible_levels(viewer, post.author_id)
