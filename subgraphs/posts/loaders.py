"""Loaders of the posts domain: one statement per shard, however many posts or authors a query
names.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shared.sharding import ShardedLoader

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.pagination import PageRequest
    from shared.sharding import Shards
    from subgraphs.posts.repository import PostRecord
    from subgraphs.posts.service import PostPage, PostService

__all__ = ["PostLoaders"]


class PostLoaders:
    """The loaders of one operation of one viewer."""

    def __init__(self, shards: Shards, service: PostService, viewer: Viewer) -> None:
        self._shards = shards
        self._service = service
        self._viewer = viewer
        self._pages: dict[PageRequest, ShardedLoader[PostPage]] = {}
        self.post_by_id: ShardedLoader[PostRecord] = ShardedLoader(
            shards, partial(service.load_many_posts, viewer)
        )
        self.count_by_author: ShardedLoader[int] = ShardedLoader(shards, service.load_many_counts)

    def page_by_author(self, request: PageRequest) -> ShardedLoader[PostPage]:
        """The loader of authors' pages; those with the same arguments share one."""
        loader = self._pages.get(request)
        if loader is None:
            load = partial(self._service.load_many_pages, self._viewer, request)
            loader = self._pages[request] = ShardedLoader(self._shards, load)
        return loader
